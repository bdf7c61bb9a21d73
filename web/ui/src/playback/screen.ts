/** One camera's picture: a video element with a bounded buffer that follows the master clock. */

import { ApiError } from '@/core/api'
import { correctedRate, type MasterClock, mustJump } from './clock'
import { type BufferPort, Feed, type FootageSource, type Mode } from './feed'
import { frameAt } from './frames'
import { JOINT_MS, type Reel, type Segment } from './reel'

export type ScreenState = 'loading' | 'showing' | 'missing' | 'unplayable' | 'failed'

export interface ScreenSnapshot {
  camera: string
  state: ScreenState
  /** How far the picture is ahead of the clock, milliseconds; null while it shows none. */
  aheadMs: number | null
  /** Nothing is recorded until then; null: nothing follows. */
  missingUntil: number | null
  failed: unknown
  /** The picture comes from the archive's copy: its box cannot be asked. */
  isCopy: boolean
}

/** A frame's time is hit safely from a little behind it. */
const INSIDE_MS = 0.5
const NEAR_MS = 600
/** A picture that should be there and does not come for so long was lost by the browser. */
const LOST_AFTER_MS = 1500
const HAVE_CURRENT_DATA = 2
const HAVE_FUTURE_DATA = 3

export interface VideoPort {
  currentTime: number
  playbackRate: number
  readonly readyState: number
  readonly seeking: boolean
  readonly paused: boolean
  play(): Promise<void>
  pause(): void
}

export class Screen {
  readonly feed: Feed
  private state: ScreenState = 'loading'
  private failed: unknown = null
  private waitingSince: number | null = null
  /** Where the standing clock has put the picture; null while it runs. */
  private placedAt: number | null = null

  constructor(
    readonly reel: Reel,
    private readonly video: VideoPort,
    buffer: BufferPort,
    source: FootageSource,
    /** What `currentTime` 0 stands for. */
    private readonly origin: number,
    onMissing: (segment: string) => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.feed = new Feed(reel, source, buffer, onMissing, now)
  }

  get camera(): string {
    return this.reel.camera
  }

  /** Where the picture is. */
  get at(): number {
    return this.origin + this.video.currentTime * 1000
  }

  /** True when the clock need not wait for this picture. */
  isReady(at: number): boolean {
    if (!this.reel.covers(at) || this.state === 'unplayable' || this.state === 'failed') return true
    if (this.isNearTheEnd(at)) return true
    return this.state === 'showing' && !this.video.seeking && this.video.readyState >= HAVE_FUTURE_DATA
  }

  /** The last moments before a gap may have no picture of their own: they are not waited for. */
  private isNearTheEnd(at: number): boolean {
    return !this.reel.covers(at + NEAR_MS)
  }

  /** Come nearer to the clock: fetch, jump, speed up or slow down. */
  follow(clock: MasterClock, mode: Mode): void {
    const at = clock.at
    this.feed.want(at, clock.speed, mode)
    this.judge(at)
    if (this.state !== 'showing') {
      if (!this.video.paused) this.video.pause()
      return
    }
    const aheadMs = this.at - at
    if (this.video.seeking) return
    if (!clock.isPlaying) return this.stand(at, aheadMs)
    this.placedAt = null
    if (!clock.isRunning) {
      if (!this.video.paused) this.video.pause()
      if (mustJump(clock.speed, aheadMs)) this.jump(at)
      return
    }
    if (mustJump(clock.speed, aheadMs) && !this.isNearTheEnd(at)) {
      this.jump(at)
      return
    }
    const rate = correctedRate(clock.speed, aheadMs)
    if (Math.abs(this.video.playbackRate - rate) > 0.01) this.video.playbackRate = rate
    if (this.video.paused) void this.video.play().catch(() => {})
  }

  /** Give when the picture before or after is shown; null where the recording ends. */
  async neighbour(at: number, step: 1 | -1): Promise<number | null> {
    const here = this.reel.at(at) ?? (step < 0 ? this.reel.endedBy(at) : this.reel.after(at))
    if (!here) return null
    const times = (await this.feed.frames(here)).times
    const next = times[frameAt(times, at) + step]
    if (next !== undefined) return next
    return this.acrossTheJoint(here, step)
  }

  snapshot(at: number): ScreenSnapshot {
    return {
      camera: this.camera,
      state: this.state,
      aheadMs: this.state === 'showing' ? this.at - at : null,
      missingUntil: this.state === 'missing' ? (this.reel.after(at)?.start ?? null) : null,
      failed: this.failed,
      isCopy: this.state === 'showing' && this.feed.isCopy(this.reel.at(at)),
    }
  }

  /** What failed may be tried again. */
  retry(): void {
    if (this.state === 'failed') this.state = 'loading'
    this.failed = null
  }

  close(): void {
    this.feed.close()
    this.video.pause()
  }

  private judge(at: number): void {
    const { trouble } = this.feed
    if (trouble instanceof ApiError && trouble.code === 'unplayable') this.set('unplayable', trouble)
    else if (trouble && !this.feed.has(at)) this.set('failed', trouble)
    else if (!this.reel.covers(at)) this.set('missing')
    else this.set(this.feed.has(at) || !this.reel.at(at) ? 'showing' : 'loading')
    this.noticeLoss(at)
  }

  private set(state: ScreenState, failed: unknown = null): void {
    this.state = state
    this.failed = failed
  }

  /** What was put into the buffer and is not there after a while is given once more. */
  private noticeLoss(at: number): void {
    const isWanting = this.state === 'showing' && this.video.readyState < HAVE_CURRENT_DATA
    if (!isWanting) this.waitingSince = null
    else if (this.waitingSince === null) this.waitingSince = this.now()
    else if (this.now() - this.waitingSince > LOST_AFTER_MS) {
      this.waitingSince = null
      this.feed.forget(at)
    }
  }

  /**
   * Show the picture of the clock that stands.
   *
   * Even where the time is right the picture may be the next one: a playing video paints ahead.
   */
  private stand(at: number, aheadMs: number): void {
    if (!this.video.paused) this.video.pause()
    if (this.placedAt === at && Math.abs(aheadMs - INSIDE_MS) <= 0.1) return
    this.placedAt = at
    this.jump(at)
  }

  private jump(at: number): void {
    this.video.currentTime = (at + INSIDE_MS - this.origin) / 1000
  }

  private async acrossTheJoint(here: Segment, step: 1 | -1): Promise<number | null> {
    const next = step > 0 ? this.reel.after(here.start) : this.reel.before(here)
    if (!next) return null
    const times = (await this.feed.frames(next)).times
    return (step > 0 ? times[0] : times.at(-1)) ?? null
  }
}

/** True when between two instants more is missing than a joint. */
export function isGap(reel: Reel, from: number, to: number): boolean {
  const after = reel.after(from)
  const before = reel.at(from) ?? reel.endedBy(from)
  return Boolean(after && before && after.start <= to && after.start - before.end > JOINT_MS)
}
