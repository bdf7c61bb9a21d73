/** Fills one camera's buffer with footage around the clock, and lets go of what lies behind. */

import { ApiError } from '@/core/api'
import type { FootageBytes } from '@/core/model'
import { backOffMs } from '@/core/retry'
import { decodableFrom, type Fragment, fragmentAt, type Frames } from './frames'
import type { Reel, Segment } from './reel'
import { add, coveredFrom, remove, type Stretch } from './stretches'

/** Key pictures alone are fetched when they are all one can see. */
export type Mode = 'all' | 'keys'

const PIECE_MS = 4000
const PIECE_BYTES = 4 << 20
const KEPT_BEHIND_MS = 20_000
const KEPT_AHEAD_MS = 40_000
const EDGE_MS = 1
/** An index is some kB: an hour of one camera. */
const MOST_INDEXES = 64

/** Where footage comes from. */
export interface FootageSource {
  frames(segment: string, signal: AbortSignal): Promise<Frames>
  /** Bytes `from` up to before `to`. */
  media(segment: string, from: number, to: number, signal: AbortSignal): Promise<FootageBytes>
  /** Key pictures of a part, as a file of its own. */
  keys(segment: string, from: number, to: number, signal: AbortSignal): Promise<FootageBytes>
}

/** What a feed needs of a SourceBuffer. */
export interface BufferPort {
  append(data: ArrayBuffer, offsetMs: number): Promise<void>
  remove(from: number, to: number): Promise<void>
  /** Make it take this codec; false: the browser cannot play it. */
  accept(codec: string): boolean
}

export interface Piece {
  segment: Segment
  first: Fragment
  last: Fragment
  fromStart: boolean
}

/** Give what must be fetched next so that an instant can be shown; null: nothing of this segment. */
export function pieceAt(segment: Segment, frames: Frames, at: number, continues: boolean): Piece | null {
  const place = fragmentAt(frames, at)
  if (place < 0) return null
  const from = continues ? place : decodableFrom(frames, place, at)
  const first = frames.fragments[from] as Fragment
  let to = Math.max(from, place)
  while (to + 1 < frames.fragments.length) {
    const next = frames.fragments[to + 1] as Fragment
    if (next.end - at > PIECE_MS || next.at + next.size - first.at > PIECE_BYTES) break
    to++
  }
  return { segment, first, last: frames.fragments[to] as Fragment, fromStart: first.at === frames.init }
}

export class Feed {
  /** What was put into the buffer, in wall-clock time. */
  private given: Stretch[] = []
  private mode: Mode = 'all'
  private working: AbortController | null = null
  private indexes = new Map<string, Promise<Frames>>()
  private copies = new Set<string>()
  private initOf = ''
  private ahead = KEPT_AHEAD_MS
  private isClosed = false
  private failures = 0
  private retryAt = 0
  trouble: unknown = null

  constructor(
    private readonly reel: Reel,
    private readonly source: FootageSource,
    private readonly buffer: BufferPort,
    private readonly onMissing: (segment: string) => void = () => {},
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** True when the instant was put into the buffer. */
  has(at: number): boolean {
    return coveredFrom(this.given, at, EDGE_MS) > at
  }

  get isWorking(): boolean {
    return this.working !== null
  }

  /** Fetch what is wanted next, if nothing is being fetched. Called again and again. */
  want(at: number, speed: number, mode: Mode): void {
    if (this.isClosed) return
    if (mode !== this.mode) {
      this.reset(mode)
      return
    }
    const until = at + Math.min(this.ahead * Math.max(1, speed / 2), Math.max(8000, speed * 8000))
    if (this.working || this.now() < this.retryAt) return
    const next = this.nextMissing(at, until)
    if (next) void this.work((signal) => this.fetch(next.segment, next.from, at, signal))
  }

  private nextMissing(at: number, until: number): { segment: Segment; from: number } | null {
    let from = coveredFrom(this.given, at, EDGE_MS)
    while (from < until) {
      const segment = this.reel.at(from) ?? this.reel.after(from)
      if (!segment || segment.start >= until) return null
      from = Math.max(from, segment.start)
      const covered = coveredFrom(this.given, from, EDGE_MS)
      if (covered === from) return { segment, from }
      from = covered
    }
    return null
  }

  /** The clock jumped: what is being fetched for elsewhere is of no use. */
  jumped(at: number): void {
    if (!this.has(at)) this.working?.abort()
    this.calm()
  }

  /** The browser lost what was given: give it again. */
  forget(at: number): void {
    this.given = remove(this.given, at - PIECE_MS, at + PIECE_MS)
    this.initOf = ''
  }

  frames(segment: Segment): Promise<Frames> {
    const known = this.indexes.get(segment.id)
    if (known) return known
    const found = this.source.frames(segment.id, new AbortController().signal)
    this.indexes.set(segment.id, found)
    found.then(
      ({ isCopy }) => this.note(segment, isCopy),
      () => this.indexes.delete(segment.id),
    )
    if (this.indexes.size > MOST_INDEXES) this.indexes.delete(this.indexes.keys().next().value as string)
    return found
  }

  /** The box may be lost, or come back, while its footage is watched. */
  private note(segment: Segment, isCopy: boolean): void {
    if (isCopy) this.copies.add(segment.id)
    else this.copies.delete(segment.id)
  }

  /** True where the footage of a segment comes from the archive's copy. */
  isCopy(segment: Segment | null): boolean {
    return segment !== null && this.copies.has(segment.id)
  }

  close(): void {
    this.isClosed = true
    this.working?.abort()
  }

  private reset(mode: Mode): void {
    this.working?.abort()
    if (this.working) return // the one that is being left empties the buffer first
    this.mode = mode
    void this.work(async () => {
      await this.buffer.remove(0, Number.POSITIVE_INFINITY)
      this.given = []
      this.initOf = ''
    })
  }

  private async work(job: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const mine = new AbortController()
    this.working = mine
    try {
      await job(mine.signal)
      this.calm()
    } catch (error) {
      if (!mine.signal.aborted) this.wait(error)
    } finally {
      this.working = null
    }
  }

  private calm(): void {
    this.trouble = null
    this.failures = 0
    this.retryAt = 0
  }

  /** Every refusal stands in the ledger: what fails is not asked for again at once. */
  private wait(error: unknown): void {
    this.trouble = error
    this.retryAt = this.now() + backOffMs(this.failures++)
  }

  private async fetch(segment: Segment, from: number, at: number, signal: AbortSignal): Promise<void> {
    try {
      const frames = await this.frames(segment)
      if (this.initOf !== segment.id) this.initOf = '' // whatever comes of this, the buffer is another's then
      if (!this.buffer.accept(frames.codec)) throw new ApiError('unplayable', 0, frames.codec)
      await (this.mode === 'keys' ? this.fetchKeys(segment, frames, from, signal) : this.fetchAll(segment, frames, from, signal))
      await this.letGo(at)
    } catch (error) {
      if (error instanceof ApiError && error.code === 'no_such') this.onMissing(segment.id)
      throw error
    }
  }

  private async fetchAll(segment: Segment, frames: Frames, from: number, signal: AbortSignal): Promise<void> {
    const continues = this.initOf === segment.id && coveredFrom(this.given, from - 2 * EDGE_MS, EDGE_MS) >= from - EDGE_MS
    const piece = pieceAt(segment, frames, from, continues)
    if (!piece) {
      // The catalogue says a little more than the file holds.
      this.given = add(this.given, { start: from, end: Math.max(segment.end, from + EDGE_MS) })
      return
    }
    if (this.initOf !== segment.id && !piece.fromStart) {
      await this.put(segment, await this.source.media(segment.id, 0, frames.init, signal), frames.start, from, signal)
    }
    const begin = piece.fromStart && this.initOf !== segment.id ? 0 : piece.first.at
    const data = await this.source.media(segment.id, begin, piece.last.at + piece.last.size, signal)
    await this.put(segment, data, frames.start, from, signal)
    this.initOf = segment.id
    this.given = add(this.given, { start: Math.min(from, piece.first.start), end: piece.last.end })
  }

  private async fetchKeys(segment: Segment, frames: Frames, from: number, signal: AbortSignal): Promise<void> {
    const data = await this.source.keys(segment.id, from, frames.end, signal)
    await this.put(segment, data, frames.start, from, signal)
    this.initOf = ''
    this.given = add(this.given, { start: from, end: Math.max(frames.end, from + EDGE_MS) })
  }

  private async put(segment: Segment, bytes: FootageBytes, offsetMs: number, at: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.note(segment, bytes.isCopy)
    const { data } = bytes
    try {
      await this.buffer.append(data, offsetMs)
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error
      // Full: keep a few seconds around the clock, and read less far ahead from now on.
      this.ahead = Math.max(PIECE_MS * 2, this.ahead / 2)
      await this.keepOnly(at - 2000, at + PIECE_MS)
      await this.buffer.append(data, offsetMs)
    }
  }

  private async letGo(at: number): Promise<void> {
    const first = this.given[0]
    const last = this.given.at(-1)
    if (!first || !last) return
    const reach = this.ahead * (this.mode === 'keys' ? 8 : 1) + PIECE_MS
    if (first.start < at - 2 * KEPT_BEHIND_MS || last.end > at + 2 * reach) await this.keepOnly(at - KEPT_BEHIND_MS, at + reach)
  }

  private async keepOnly(from: number, to: number): Promise<void> {
    const [first, last] = [this.given[0]?.start ?? from, this.given.at(-1)?.end ?? to]
    if (first < from) await this.buffer.remove(first - PIECE_MS, from)
    if (last > to) {
      await this.buffer.remove(to, Number.POSITIVE_INFINITY)
      this.initOf = ''
    }
    this.given = remove(remove(this.given, Number.NEGATIVE_INFINITY, from), to, Number.POSITIVE_INFINITY)
  }
}
