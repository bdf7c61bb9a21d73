/** What of a day is recorded: runs without a gap, and the gaps between them. */

import type { Missing, Recording, Session } from './model'

/** What is missing since less than this is still being written, unless its box says otherwise. */
export const WRITING_MS = 180_000

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

export interface Hole {
  start: number
  end: number
  /** What the box says of it; empty while unknown. */
  cause: string
}

/** Give what is missing: the gaps between runs, and what was planned and is not there. */
export function holesOf(runs: readonly Run[], missing: readonly Missing[]): Hole[] {
  const told = missing.map(({ start, end, cause }) => ({ start: Date.parse(start), end: Date.parse(end), cause }))
  const between = runs
    .slice(1)
    .map((run, index) => ({ start: runs[index]?.end ?? run.start, end: run.start, cause: '' }))
    .filter((gap) => !told.some((hole) => hole.start < gap.end && gap.start < hole.end))
  return [...told, ...between].filter((hole) => hole.end - hole.start > JOINT_MS).sort((a, b) => a.start - b.start)
}

/** Give the whole hours around what is recorded or missing, to draw it in. */
export function frameOf(parts: readonly { start: number; end: number }[]): { start: number; end: number } | null {
  const hour = 3_600_000
  if (!parts.length) return null
  const start = Math.floor(Math.min(...parts.map((part) => part.start)) / hour) * hour
  const end = Math.max(...parts.map((part) => part.end))
  return { start, end: Math.max(start + hour, Math.ceil(end / hour) * hour) }
}

/** Why there is no footage where none is called missing. */
export type Empty = 'notYet' | 'notOrdered' | 'beingWritten' | 'notKnown'

/** Say why a room has none at an instant: the newest of a running exam is only not sealed yet. */
export function emptyAt(sessions: readonly Session[], room: string | undefined, instant: number, now: number): Empty {
  if (instant > now) return 'notYet'
  const isPlanned = sessions.some(
    (each) =>
      each.room === room && each.state !== 'CANCELLED' && Date.parse(each.window_start) <= instant && Date.parse(each.window_end) > instant,
  )
  if (!isPlanned) return 'notOrdered'
  return now - instant < WRITING_MS ? 'beingWritten' : 'notKnown'
}
