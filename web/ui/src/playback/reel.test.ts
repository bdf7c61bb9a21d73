import { expect, it } from 'vitest'
import { footage, T0 } from './fakes'
import { jumpOver, Reel } from './reel'

function reel(...spans: [number, number][]): Reel {
  const made = new Reel('a')
  made.load([...spans.map(([start, length]) => footage('a', start, length)), footage('b', 0, 9999)])
  return made
}

const at = (seconds: number) => T0 + seconds * 1000

it('shows what its own camera recorded', () => {
  const made = reel([60, 60], [0, 60])
  expect(made.at(at(0))?.id).toBe('a-0')
  expect(made.at(at(59.9))?.id).toBe('a-0')
  expect(made.at(at(60))?.id).toBe('a-60')
  expect(made.at(at(120))).toBeNull()
  expect(made.at(at(-1))).toBeNull()
})

it('takes the joint of two segments for no gap, and a second and more for one', () => {
  const made = reel([0, 59.97], [60, 60], [132, 60])
  expect(made.at(at(59.98))).toBeNull()
  expect(made.covers(at(59.98))).toBe(true)
  expect(made.covers(at(125))).toBe(false)
})

it('jumps to where any camera goes on', () => {
  const first = reel([0, 60], [132, 60])
  const second = reel([0, 60], [100, 10])
  expect(jumpOver([first, second], at(61))).toBe(at(100))
  expect(jumpOver([first, second], at(111))).toBe(at(132))
  expect(jumpOver([first, second], at(500))).toBeNull()
})
