import { expect, it } from 'vitest'
import { isTooSimple } from './password'

it('wants twelve characters, or eight of three kinds', () => {
  expect(['abcdefghijkl', 'Abcdef12', 'abc-1234', '考场abc12'].map(isTooSimple)).toEqual([false, false, false, true])
  expect(['', 'Ab1-', 'abcdefghijk', 'abcdef12'].map(isTooSimple)).toEqual([true, true, true, true])
  expect(isTooSimple('考场考场Abc1')).toBe(false)
})
