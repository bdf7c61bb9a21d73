/** A segment's index in wall-clock time: where each picture stands and when it is shown. */

import type { SegmentIndex } from '@/core/model'

const TICKS_PER_MS = 90

export interface Fragment {
  /** Bytes in the file. */
  at: number
  size: number
  /** Wall clock, milliseconds. */
  start: number
  end: number
  /** Key pictures that begin here. */
  keys: number[]
}

export interface Frames {
  start: number
  end: number
  codec: string
  /** Bytes of the initialisation section. */
  init: number
  fragments: Fragment[]
  /** When each picture is shown, in order. */
  times: Float64Array
  /** Read from the archive's copy. */
  isCopy: boolean
}

/** Read what the box says of a segment. */
export function framesOf(index: SegmentIndex): Frames {
  const start = Date.parse(index.start)
  const at = (ticks: number) => start + ticks / TICKS_PER_MS
  const fragments = index.fragments.map((one) => ({
    at: one.at,
    size: one.size,
    start: at(one.begin),
    end: at(one.end),
    keys: one.keys.map((place) => at(one.times[place] ?? one.begin)),
  }))
  return {
    start,
    end: fragments.at(-1)?.end ?? start,
    codec: index.codec,
    init: index.init,
    fragments,
    times: Float64Array.from(index.fragments.flatMap((one) => one.times.map(at))).sort(),
    isCopy: index.copied ?? false,
  }
}

/** Times are kept in microseconds by browsers: what is nearer is the same picture. */
const SAME_MS = 0.25

/** Give the place of the picture that stands at an instant; -1 before the first. */
export function frameAt(times: Float64Array, at: number): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] as number) <= at + SAME_MS) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Give the place of the fragment that holds an instant, or of the first one after it; -1 behind all. */
export function fragmentAt(frames: Frames, at: number): number {
  return frames.fragments.findIndex((one) => one.end > at + SAME_MS)
}

/** Give the fragment from which decoding must begin to show an instant. */
export function decodableFrom(frames: Frames, place: number, at: number): number {
  for (let from = place; from > 0; from--) {
    if (frames.fragments[from]?.keys.some((key) => key <= at + SAME_MS)) return from
  }
  return 0
}
