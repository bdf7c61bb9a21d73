/** What of a day is recorded: runs without a gap, and the gaps between them. */

import type { Recording } from './model'

/** Cuts shorter than this belong to the joint of two segments. */
const JOINT_MS = 1000

export interface Run {
  start: number
  end: number
  bytes: number
  segments: Recording[]
}

/** Give the recordings as runs, in the order of time. */
export function runsOf(recordings: readonly Recording[]): Run[] {
  const runs: Run[] = []
  for (const segment of [...recordings].sort((a, b) => Date.parse(a.start) - Date.parse(b.start))) {
    const [start, end] = [Date.parse(segment.start), Date.parse(segment.end)]
    const last = runs.at(-1)
    if (last && start - last.end <= JOINT_MS) {
      last.end = Math.max(last.end, end)
      last.bytes += segment.bytes
      last.segments.push(segment)
    } else {
      runs.push({ start, end, bytes: segment.bytes, segments: [segment] })
    }
  }
  return runs
}

/** Give the segment that shows an instant, or the next one after it. */
export function segmentAt(recordings: readonly Recording[], at: number): Recording | null {
  const later = recordings.filter((segment) => Date.parse(segment.end) > at)
  return later.length ? later.reduce((a, b) => (Date.parse(a.start) <= Date.parse(b.start) ? a : b)) : null
}

/** Give the whole hours around what is recorded, to draw it in. */
export function frameOf(runs: readonly Run[]): { start: number; end: number } | null {
  const hour = 3_600_000
  const [first, last] = [runs[0], runs.at(-1)]
  if (!first || !last) return null
  const start = Math.floor(first.start / hour) * hour
  return { start, end: Math.max(start + hour, Math.ceil(last.end / hour) * hour) }
}
