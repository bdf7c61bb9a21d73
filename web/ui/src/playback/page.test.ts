import { describe, expect, it } from 'vitest'
import { exportAddress, read, write } from './address'
import { timeIn } from './goto'
import { Intervals } from './intervals'
import { actOf } from './keys'
import { around, following, instantAt, NARROWEST_MS, shareOf, ticksOf, zoomed } from './lanes'
import { add, coveredFrom, remove } from './stretches'

const HOUR = 3_600_000
const day = { start: 0, end: 24 * HOUR }

describe('the time line', () => {
  it('zooms about the pointer', () => {
    const view = zoomed(day, 9 * HOUR, 0.5, day)
    expect(shareOf(view, 9 * HOUR)).toBeCloseTo(shareOf(day, 9 * HOUR))
    expect(view.end - view.start).toBe(12 * HOUR)
  })

  it('shows between a minute and the day, never more than the day', () => {
    let view = day
    for (let turn = 0; turn < 60; turn++) view = zoomed(view, 23.99 * HOUR, 0.7, day)
    expect(view.end - view.start).toBeCloseTo(NARROWEST_MS)
    for (let turn = 0; turn < 60; turn++) view = zoomed(view, 23.99 * HOUR, 1.4, day)
    expect(view).toEqual(day)
  })

  it('turns the page when the clock leaves it', () => {
    const view = { start: HOUR, end: 2 * HOUR }
    expect(following(view, 1.5 * HOUR, day)).toBe(view)
    const next = following(view, 2.1 * HOUR, day)
    expect(next.end - next.start).toBe(HOUR)
    expect(shareOf(next, 2.1 * HOUR)).toBeCloseTo(0.1)
  })

  it('marks whole times, never too many', () => {
    for (const width of [320, 1400]) {
      for (const hours of [24, 3, 0.2, 1 / 60]) {
        const ticks = ticksOf({ start: 9 * HOUR + 7, end: (9 + hours) * HOUR }, width, 0)
        expect(ticks.length).toBeGreaterThan(0)
        expect(ticks.length).toBeLessThanOrEqual(width / 90 + 2)
        expect(ticks.every((tick) => tick % 1000 === 0)).toBe(true)
      }
    }
  })

  it('shows what there is', () => {
    expect(around([], day)).toEqual(day)
    const view = around([{ start: 8 * HOUR, end: 11 * HOUR }], day)
    expect(view.start).toBeLessThan(8 * HOUR)
    expect(view.end - view.start).toBeLessThan(4 * HOUR)
    expect(instantAt(view, 2)).toBe(view.end)
  })
})

describe('keys', () => {
  const press = (key: string, more = {}) =>
    actOf({ key, target: null, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...more })

  it('do what the help sheet says', () => {
    expect(press(' ')).toEqual({ act: 'toggle' })
    expect(['j', 'K', 'l'].map((key) => press(key))).toEqual([
      { act: 'move', ms: -10_000 },
      { act: 'pause' },
      { act: 'move', ms: 10_000 },
    ])
    expect([press(','), press('.')]).toEqual([{ act: 'step', by: -1 }, { act: 'step', by: 1 }])
    expect([press('['), press(']')]).toEqual([{ act: 'speed', by: -1 }, { act: 'speed', by: 1 }])
    expect(press('ArrowLeft')).toEqual({ act: 'move', ms: -5000 })
    expect(press('ArrowRight', { shiftKey: true })).toEqual({ act: 'move', ms: 30_000 })
    expect([press('m'), press('g'), press('?')]).toEqual([{ act: 'mark' }, { act: 'goto' }, { act: 'help' }])
  })

  it('do nothing while somebody writes or means the browser', () => {
    document.body.innerHTML = '<input>'
    expect(press('m', { target: document.querySelector('input') })).toBeNull()
    expect(press('l', { ctrlKey: true })).toBeNull()
    expect(press('x')).toBeNull()
  })
})

describe('the address', () => {
  it('says cameras, day, instant and speed, and is read back', () => {
    const said = { cameras: ['cam-01', 'cam-02'], day: '2026-11-22', at: Date.parse('2026-11-22T01:42:05.320Z'), speed: 2 }
    expect(read(write(said))).toEqual(said)
  })

  it('of old still leads to the camera', () => {
    expect(read({ camera: 'cam-01', day: '2026-11-22' })).toMatchObject({ cameras: ['cam-01'], at: null, speed: 1 })
  })

  it('that makes no sense asks for nothing', () => {
    expect(read({ cameras: '../x,<b>', at: 'soon', speed: '99', day: 'today' })).toEqual({ cameras: [], day: null, at: null, speed: 1 })
    expect(read({ cameras: 'a,b,c,d,e,a' }).cameras).toEqual(['a', 'b', 'c', 'd'])
  })

  it('of an export names cameras and span', () => {
    expect(exportAddress(['a', 'b'], 0, 1000)).toBe(
      '/evidence?cameras=a%2Cb&from=1970-01-01T00%3A00%3A00.000Z&to=1970-01-01T00%3A00%3A01.000Z',
    )
  })
})

it('times of day are read as people type them', () => {
  expect(timeIn('9:42')).toBe((9 * 60 + 42) * 60_000)
  expect(timeIn('0942')).toBe((9 * 60 + 42) * 60_000)
  expect(timeIn(' 09：42：05.32 ')).toBe(((9 * 60 + 42) * 60 + 5) * 1000 + 320)
  expect(['', '24:00', '9:99', 'noon'].map(timeIn)).toEqual([null, null, null, null])
})

it('stretches join, part and cover', () => {
  const two = add(add([], { start: 10, end: 20 }), { start: 30, end: 40 })
  expect(add(two, { start: 20, end: 30 })).toEqual([{ start: 10, end: 40 }])
  expect(remove(two, 15, 35)).toEqual([{ start: 10, end: 15 }, { start: 35, end: 40 }])
  expect([coveredFrom(two, 12, 1), coveredFrom(two, 25, 1), coveredFrom(two, 9.5, 1)]).toEqual([20, 25, 20])
})

it('intervals end where something jumps or the speed changes', () => {
  const played = new Intervals()
  for (const at of [0, 100, 200]) played.extend('a', at, 1)
  for (const at of [200, 400]) played.extend('a', at, 2)
  for (const at of [60_000, 60_100]) played.extend('a', at, 2)
  expect(played.take()).toEqual([
    { camera: 'a', from: 0, to: 200, speed: 1 },
    { camera: 'a', from: 200, to: 400, speed: 2 },
    { camera: 'a', from: 60_000, to: 60_100, speed: 2 },
  ])
  played.extend('a', 60_300, 2)
  expect(played.take()).toEqual([{ camera: 'a', from: 60_100, to: 60_300, speed: 2 }])
})
