import { effectScope } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { serverClock } from './clock'
import { useNow } from './now'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the time on a page', () => {
  it('goes on while the page is open, and stops with it', () => {
    const told = vi.spyOn(serverClock, 'now').mockReturnValue(1000)
    const scope = effectScope()
    const now = scope.run(useNow)
    expect(now?.value).toBe(1000)
    told.mockReturnValue(21_000)
    vi.advanceTimersByTime(20_000)
    expect(now?.value).toBe(21_000)
    scope.stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})
