import { effectScope } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { useNow } from './now'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the time on a page', () => {
  it('goes on while the page is open, and stops with it', () => {
    vi.setSystemTime('2026-11-22T15:59:50Z')
    const scope = effectScope()
    const now = scope.run(useNow)
    expect(new Date(now?.value ?? 0).toISOString()).toBe('2026-11-22T15:59:50.000Z')
    vi.advanceTimersByTime(20_000)
    expect(new Date(now?.value ?? 0).toISOString()).toBe('2026-11-22T16:00:10.000Z')
    scope.stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})
