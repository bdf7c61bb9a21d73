/** What getStats tells of incoming pictures, and what changed between two readings. */

export interface Inbound {
  atMs: number
  bytes: number
  framesDecoded: number
  bufferDelayS: number
  bufferFrames: number
  /** When the frame now shown left the sender, by the sender's clock; null where unknown. */
  playoutAt: number | null
}

export interface Flow {
  bps: number
  fps: number
  bufferMs: number | null
}

const NTP_TO_UNIX_MS = 2_208_988_800_000

/** Give the incoming video streams by media section. */
export function inboundByMid(report: Iterable<[string, unknown]>): Map<string, Inbound> {
  const found = new Map<string, Inbound>()
  for (const [, entry] of report) {
    const stats = entry as Record<string, unknown>
    if (stats.type !== 'inbound-rtp' || stats.kind !== 'video' || typeof stats.mid !== 'string') continue
    found.set(stats.mid, {
      atMs: number(stats.timestamp),
      bytes: number(stats.bytesReceived),
      framesDecoded: number(stats.framesDecoded),
      bufferDelayS: number(stats.jitterBufferDelay),
      bufferFrames: number(stats.jitterBufferEmittedCount),
      playoutAt: unixMs(stats.estimatedPlayoutTimestamp),
    })
  }
  return found
}

/** Give what flowed between two readings of the same stream. */
export function flowBetween(before: Inbound, after: Inbound): Flow {
  const seconds = (after.atMs - before.atMs) / 1000
  const frames = after.bufferFrames - before.bufferFrames
  if (seconds <= 0) return { bps: 0, fps: 0, bufferMs: null }
  return {
    bps: Math.max(0, ((after.bytes - before.bytes) * 8) / seconds),
    fps: Math.max(0, (after.framesDecoded - before.framesDecoded) / seconds),
    bufferMs: frames > 0 ? ((after.bufferDelayS - before.bufferDelayS) / frames) * 1000 : null,
  }
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

/** Browsers give the sender's time since 1900 (NTP) or since 1970. */
function unixMs(value: unknown): number | null {
  if (typeof value !== 'number' || value <= 0) return null
  return value > NTP_TO_UNIX_MS + 1e12 ? value - NTP_TO_UNIX_MS : value
}
