/** One camera's recordings as a reel: what shows an instant, what comes next, what is missing. */

import type { Footage } from '@/core/model'

/** Pauses shorter than this belong to the joint of two segments. */
export const JOINT_MS = 1000

export interface Segment {
  id: string
  start: number
  end: number
  growing: boolean
}

export class Reel {
  private segments: Segment[] = []

  constructor(readonly camera: string) {}

  /** Take in what there is now. */
  load(footage: readonly Footage[]): void {
    this.segments = footage
      .filter((one) => one.camera === this.camera)
      .map((one) => ({ id: one.id, start: Date.parse(one.start), end: Date.parse(one.end), growing: one.growing ?? false }))
      .sort((a, b) => a.start - b.start)
  }

  /** Leave out what turned out not to be there. */
  drop(id: string): void {
    this.segments = this.segments.filter((one) => one.id !== id)
  }

  get start(): number | null {
    return this.segments[0]?.start ?? null
  }

  get end(): number | null {
    return this.segments.at(-1)?.end ?? null
  }

  /** Give the segment that shows an instant: where two do, the later one. */
  at(instant: number): Segment | null {
    const found = this.segments[this.placeOf(instant)]
    return found && instant < found.end ? found : null
  }

  /** True where something is shown, also in the joint of two segments. */
  covers(instant: number): boolean {
    if (this.at(instant)) return true
    const [before, after] = [this.segments[this.placeOf(instant)], this.after(instant)]
    return Boolean(before && after && after.start - before.end <= JOINT_MS)
  }

  /** Give the first segment that begins later. */
  after(instant: number): Segment | null {
    return this.segments[this.placeOf(instant) + 1] ?? null
  }

  /** Give the segment before another one. */
  before(segment: Segment): Segment | null {
    return this.segments[this.segments.indexOf(segment) - 1] ?? null
  }

  /** Give the last segment that ended by then. */
  endedBy(instant: number): Segment | null {
    for (let place = this.placeOf(instant); place >= 0; place--) {
      const one = this.segments[place] as Segment
      if (one.end <= instant) return one
    }
    return null
  }

  private placeOf(instant: number): number {
    let [low, high] = [0, this.segments.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.segments[middle] as Segment).start <= instant) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

/** Give where a jump over what no camera shows must land; null: nothing follows. */
export function jumpOver(reels: readonly Reel[], instant: number): number | null {
  const next = reels.map((reel) => reel.after(instant)?.start).filter((start) => start !== undefined)
  return next.length ? Math.min(...next) : null
}
