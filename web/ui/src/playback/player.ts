/** Up to four cameras in step: one clock, a screen each; gaps are jumped and said. */

import { ApiError } from '@/core/api'
import type { Footage } from '@/core/model'
import { MasterClock } from './clock'
import type { FootageSource, Mode } from './feed'
import { Intervals, type PlayedInterval } from './intervals'
import { JOINT_MS, jumpOver, Reel } from './reel'
import { Screen, type ScreenSnapshot } from './screen'

export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const
/** Faster than this, only key pictures are fetched (UI.md 2.3). */
const ALL_UP_TO = 4
export const TICK_MS = 50
const REPORT_EVERY_MS = 10_000
/** A screen that is not ready for so long is not waited for any more: the others go on. */
const PATIENCE_MS = 8000

export interface PlayerSnapshot {
  at: number
  isPlaying: boolean
  isWaiting: boolean
  speed: number
  screens: ScreenSnapshot[]
}

export interface PlayerEvents {
  onChange(snapshot: PlayerSnapshot): void
  /** Footage that no camera has was passed over. */
  onJump(from: number, to: number): void
  /** Nothing follows. */
  onEnd(): void
  /** What was played since the last time; `isLast` while the page is being left. */
  onPlayed(intervals: PlayedInterval[], isLast: boolean): void
  /** A recording is not where the list says. */
  onMissing(segment: string): void
  /** The server ended the play session. */
  onOver(error: ApiError): void
}

const OVER = new Set(['playback_ended', 'not_logged_in', 'alert_closed', 'not_on_duty', 'forbidden'])

export type MakeScreen = (reel: Reel, source: FootageSource, onMissing: (segment: string) => void) => Screen

export class Player {
  readonly clock: MasterClock
  private readonly screens: Screen[]
  private readonly intervals = new Intervals()
  private readonly ticking: ReturnType<typeof setInterval>
  private reportedAt: number
  private waitingSince: number | null = null
  private stepping: Promise<void> = Promise.resolve()
  private isOver = false

  constructor(
    cameras: readonly string[],
    at: number,
    private readonly source: FootageSource,
    makeScreen: MakeScreen,
    private readonly events: PlayerEvents,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.clock = new MasterClock(at, now)
    this.reportedAt = now()
    this.screens = cameras.map((camera) =>
      makeScreen(new Reel(camera), source, (segment) => {
        for (const { reel } of this.screens) reel.drop(segment)
        events.onMissing(segment)
      }),
    )
    this.ticking = setInterval(() => this.tick(), TICK_MS)
  }

  /** Take in which recordings there are now. */
  load(footage: readonly Footage[]): void {
    for (const { reel } of this.screens) reel.load(footage)
    this.tick()
  }

  play(): void {
    this.clock.play()
    this.tick()
  }

  pause(): void {
    this.clock.pause()
    this.intervals.cut()
    this.tick()
  }

  toggle(): void {
    if (this.clock.isPlaying) this.pause()
    else this.play()
  }

  seek(at: number): void {
    this.clock.seek(at)
    this.intervals.cut()
    for (const screen of this.screens) {
      screen.feed.jumped(at)
      screen.retry()
    }
    this.tick()
  }

  setSpeed(speed: number): void {
    this.clock.setSpeed(speed)
    this.intervals.cut()
    this.tick()
  }

  /** Go to the next faster or slower speed. */
  changeSpeed(by: 1 | -1): void {
    const place = SPEEDS.findIndex((speed) => speed === this.clock.speed)
    const next = SPEEDS[place + by]
    if (next) this.setSpeed(next)
  }

  /** Move by exactly one picture of the first camera that has one here. Steps wait for each other. */
  step(by: 1 | -1): Promise<void> {
    this.stepping = this.stepping.then(() => this.stepOnce(by)).catch(() => {})
    return this.stepping
  }

  /** Give the key picture that stands at an instant, of the first camera that has one; null: none has. */
  async still(at: number, signal: AbortSignal): Promise<ArrayBuffer | null> {
    const segment = this.screens.map(({ reel }) => reel.at(at)).find((one) => one !== null)
    return segment ? (await this.source.keys(segment.id, at, at, signal)).data : null
  }

  /** Bring everything into step; called twenty times a second. */
  tick(): void {
    const at = this.clock.at
    if (!this.isOver) this.passOver(at)
    const mode: Mode = this.clock.speed > ALL_UP_TO ? 'keys' : 'all'
    const ready = this.screens.every((screen) => screen.isReady(this.clock.at))
    this.clock.hold(this.clock.isPlaying && !ready && this.isPatient(ready))
    if (ready) this.waitingSince = null
    for (const screen of this.screens) screen.follow(this.clock, mode)
    this.note()
    this.lookForTheEnd()
    this.events.onChange(this.snapshot())
  }

  snapshot(): PlayerSnapshot {
    const at = this.clock.at
    return {
      at,
      isPlaying: this.clock.isPlaying,
      isWaiting: this.clock.isHeld,
      speed: this.clock.speed,
      screens: this.screens.map((screen) => screen.snapshot(at)),
    }
  }

  close(): void {
    clearInterval(this.ticking)
    this.events.onPlayed(this.intervals.take(), true)
    for (const screen of this.screens) screen.close()
  }

  private isPatient(ready: boolean): boolean {
    if (ready) return true
    this.waitingSince ??= this.now()
    return this.now() - this.waitingSince < PATIENCE_MS
  }

  /** Jump to where the next camera has footage, when none has any here; say so. */
  private passOver(at: number): void {
    if (!this.clock.isPlaying || !this.screens.length) return
    const reels = this.screens.map((screen) => screen.reel)
    if (reels.some((reel) => reel.covers(at))) return
    const next = jumpOver(reels, at)
    if (next === null) {
      this.pause()
      this.events.onEnd()
      return
    }
    const ended = Math.max(...reels.map((reel) => reel.endedBy(at)?.end ?? Number.NEGATIVE_INFINITY))
    const from = Number.isFinite(ended) ? ended : at
    this.seek(next)
    if (next - from > JOINT_MS) this.events.onJump(from, next)
  }

  private async stepOnce(by: 1 | -1): Promise<void> {
    this.pause()
    const at = this.clock.at
    const screen = this.screens.find((one) => one.reel.at(at)) ?? this.screens[0]
    const next = await screen?.neighbour(at, by)
    if (next === null || next === undefined || this.clock.at !== at) return
    this.clock.seek(next)
    this.tick()
    const [from, to] = by > 0 ? [at, next] : [next, at]
    if (to - from > JOINT_MS) this.events.onJump(from, to)
  }

  private note(): void {
    if (this.clock.isRunning) {
      for (const one of this.screens) {
        if (one.reel.at(this.clock.at)) this.intervals.extend(one.camera, this.clock.at, this.clock.speed)
      }
    }
    if (this.now() - this.reportedAt < REPORT_EVERY_MS) return
    this.reportedAt = this.now()
    const played = this.intervals.take()
    if (played.length) this.events.onPlayed(played, false)
  }

  private lookForTheEnd(): void {
    if (this.isOver) return
    for (const { feed } of this.screens) {
      const { trouble } = feed
      if (trouble instanceof ApiError && OVER.has(trouble.code)) {
        this.isOver = true
        this.clock.pause()
        this.events.onOver(trouble)
        return
      }
    }
  }
}
