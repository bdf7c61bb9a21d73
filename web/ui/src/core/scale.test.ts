import { describe, expect, it } from 'vitest'
import { ticksUpTo } from './scale'

describe('an axis', () => {
  it('has round numbers, five steps at most', () => {
    expect(ticksUpTo(1060)).toEqual([0, 500, 1000])
    expect(ticksUpTo(4.2e12)).toEqual([0, 1e12, 2e12, 3e12, 4e12])
    expect(ticksUpTo(17)).toEqual([0, 5, 10, 15])
    expect(ticksUpTo(0)).toEqual([0])
    for (const top of [1, 3.3, 99, 1e11, 123_456_789]) expect(ticksUpTo(top).length).toBeLessThanOrEqual(6)
  })
})
