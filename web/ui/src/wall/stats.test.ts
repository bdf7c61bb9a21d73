import { describe, expect, it } from 'vitest'
import { flowBetween, inboundByMid } from './stats'

const entry = (fields: object): [string, unknown] => ['id', { type: 'inbound-rtp', kind: 'video', mid: '0', ...fields }]

describe('what comes in', () => {
  it('is found by media section', () => {
    const found = inboundByMid([
      entry({ mid: '0', bytesReceived: 10, framesDecoded: 3 }),
      entry({ mid: '1', bytesReceived: 20 }),
      entry({ kind: 'audio', mid: '2' }),
      ['x', { type: 'transport' }],
    ])
    expect([...found.keys()]).toEqual(['0', '1'])
    expect(found.get('0')).toMatchObject({ bytes: 10, framesDecoded: 3, playoutAt: null })
  })

  it('has its playout time since 1970, however the browser counts', () => {
    const at = Date.UTC(2026, 10, 22)
    expect(inboundByMid([entry({ estimatedPlayoutTimestamp: at })]).get('0')?.playoutAt).toBe(at)
    expect(inboundByMid([entry({ estimatedPlayoutTimestamp: at + 2_208_988_800_000 })]).get('0')?.playoutAt).toBe(at)
  })
})

describe('the flow', () => {
  const before = { atMs: 1000, bytes: 0, framesDecoded: 10, bufferDelayS: 1, bufferFrames: 10, playoutAt: null }

  it('is what changed in between', () => {
    const after = { ...before, atMs: 3000, bytes: 100_000, framesDecoded: 40, bufferDelayS: 2.5, bufferFrames: 40 }
    expect(flowBetween(before, after)).toEqual({ bps: 400_000, fps: 15, bufferMs: 50 })
  })

  it('is nothing when no time passed', () => {
    expect(flowBetween(before, before)).toEqual({ bps: 0, fps: 0, bufferMs: null })
  })

  it('has no delay when no frame left the buffer', () => {
    expect(flowBetween(before, { ...before, atMs: 2000 }).bufferMs).toBeNull()
  })
})
