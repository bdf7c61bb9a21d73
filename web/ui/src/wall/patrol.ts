/** The round over the pages: how long each stays, and when to wait for a person. */

export const DWELLS_S = [10, 20, 30, 60] as const
/** Somebody did something: the round waits this long. */
export const PAUSE_MS = 60_000
/** The next page is made ready this long before it is shown. */
export const AHEAD_MS = 2000

export type PatrolStep = 'next' | 'ahead' | null

export class Patrol {
  private left: number
  private pausedFor = 0
  private isReady = false

  constructor(private readonly dwellMs: number) {
    this.left = dwellMs
  }

  /** Let time pass; say what to do now. */
  pass(ms: number): PatrolStep {
    if (this.pausedFor > 0) {
      this.pausedFor = Math.max(0, this.pausedFor - ms)
      return null
    }
    this.left -= ms
    if (this.left <= 0) {
      this.left = this.dwellMs
      this.isReady = false
      return 'next'
    }
    if (this.left <= AHEAD_MS && !this.isReady) {
      this.isReady = true
      return 'ahead'
    }
    return null
  }

  /** Wait for the person who is busy with this page. */
  pause(): void {
    this.pausedFor = PAUSE_MS
    this.left = this.dwellMs
    this.isReady = false
  }

  resume(): void {
    this.pausedFor = 0
  }

  get isPaused(): boolean {
    return this.pausedFor > 0
  }

  /** The part of the dwell that is over, 0 to 1. */
  get progress(): number {
    return 1 - this.left / this.dwellMs
  }

  get secondsLeft(): number {
    return Math.ceil((this.isPaused ? this.pausedFor : this.left) / 1000)
  }
}
