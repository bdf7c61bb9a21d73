import { describe, expect, it } from 'vitest'
import { type Evidence, isHopeless, judge } from './watchdog'

const SEEN: Evidence = {
  allowed: true,
  word: 'streaming',
  since: 0,
  lastFrameAt: 100_000,
  changedAt: 100_000,
  latencyMs: 80,
  bufferMs: 40,
  failed: null,
}
const after = (ms: number, seen: Partial<Evidence> = {}) => judge(100_000 + ms, { ...SEEN, ...seen })

describe('a tile', () => {
  it('is fine while frames come', () => {
    expect(after(0)).toBe('ok')
    expect(after(1000)).toBe('ok')
  })

  it('is marked before a picture is two seconds old, ticks of a tenth included', () => {
    expect(after(1900)).toBe('stalled')
  })

  it('is offline when no frame came for more than 15 s', () => {
    expect(after(15_000)).toBe('stalled')
    expect(after(15_001)).toBe('offline')
  })

  it('is late when its frames are old or held back', () => {
    expect(after(0, { latencyMs: 1501 })).toBe('late')
    expect(after(0, { bufferMs: 1001 })).toBe('late')
  })

  it('does not call unknown latency late', () => {
    expect(after(0, { latencyMs: null, bufferMs: null })).toBe('ok')
  })

  it('is stalled when its frames show the very same picture for more than 3 s', () => {
    expect(after(3000, { lastFrameAt: 103_000 })).toBe('ok')
    expect(after(3001, { lastFrameAt: 103_001 })).toBe('stalled')
    expect(after(3001, { lastFrameAt: 103_001, changedAt: null })).toBe('ok')
  })

  it('believes the box when the box says worse', () => {
    expect(after(0, { word: 'stalled' })).toBe('stalled')
    expect(after(0, { word: 'lost' })).toBe('offline')
    expect(after(0, { word: 'refused' })).toBe('offline')
  })

  it('goes by its own eyes when the server cannot be heard', () => {
    expect(after(0, { word: null })).toBe('ok')
    expect(after(3000, { word: null })).toBe('stalled')
  })

  it('is connecting until the first frame, for 15 s', () => {
    const waiting: Partial<Evidence> = { lastFrameAt: null, since: 100_000 }
    expect(after(15_000, waiting)).toBe('connecting')
    expect(after(15_001, waiting)).toBe('offline')
  })

  it('is offline at once when the try failed and there is no picture', () => {
    expect(after(0, { lastFrameAt: null, since: 100_000, failed: 'box_unreachable' })).toBe('offline')
  })

  it('is closed outside the exam, whatever else is true', () => {
    expect(after(0, { allowed: false, word: 'lost' })).toBe('closed')
  })
})

it('asking again promises nothing where the camera gives nothing', () => {
  expect((['lost', 'refused', 'off'] as const).every(isHopeless)).toBe(true)
  expect((['streaming', 'stalled', 'connecting', 'unknown', null] as const).some(isHopeless)).toBe(false)
})
