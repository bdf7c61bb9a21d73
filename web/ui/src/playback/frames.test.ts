import { describe, expect, it } from 'vitest'
import { FRAME_MS, footage, framesFor, T0 } from './fakes'
import { decodableFrom, fragmentAt, frameAt, framesOf } from './frames'

const frames = framesFor(footage('a', 0, 10))

describe('the pictures of a segment', () => {
  it('have the times of the wall clock', () => {
    expect(frames.times.length).toBe(250)
    expect([frames.times[0], frames.times[1], frames.end]).toEqual([T0, T0 + FRAME_MS, T0 + 10_000])
  })

  it('are found by the instant at which they stand', () => {
    expect(frameAt(frames.times, T0 - 1)).toBe(-1)
    expect(frameAt(frames.times, T0)).toBe(0)
    expect(frameAt(frames.times, T0 + FRAME_MS - 1)).toBe(0)
    expect(frameAt(frames.times, T0 + FRAME_MS)).toBe(1)
    expect(frameAt(frames.times, T0 + 99_999)).toBe(249)
  })

  it('are the same though a browser rounds their times to microseconds', () => {
    expect(frameAt(frames.times, T0 + FRAME_MS - 0.001)).toBe(1)
  })

  it('shown out of order are put in order', () => {
    const fragment = { at: 700, size: 9, begin: 0, end: 10_800, times: [0, 7200, 3600], keys: [0] }
    const mixed = framesOf({ start: '2026-11-22T01:00:00Z', codec: '', init: 700, bytes: 709, growing: false, fragments: [fragment] })
    expect([...mixed.times]).toEqual([T0, T0 + 40, T0 + 80])
  })

  it('are decoded from the key picture before them', () => {
    const at = T0 + 2900 // key pictures at 0, 1, 2 s; fragments of 480 ms
    const place = fragmentAt(frames, at)
    const from = decodableFrom(frames, place, at)
    expect(frames.fragments[from]?.keys.some((key) => key === T0 + 2000)).toBe(true)
    expect(place - from).toBe(2)
    expect(decodableFrom(frames, 0, T0)).toBe(0)
  })
})
