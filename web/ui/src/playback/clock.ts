/** The one clock that all pictures follow: an instant of the past that moves at a speed. */

export class MasterClock {
  private position: number
  private since: number
  private moving = false
  private held = false
  private rate = 1

  constructor(
    at: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.position = at
    this.since = now()
  }

  get at(): number {
    return this.isRunning ? this.position + (this.now() - this.since) * this.rate : this.position
  }

  get speed(): number {
    return this.rate
  }

  /** Somebody wants it to move. */
  get isPlaying(): boolean {
    return this.moving
  }

  /** It waits for pictures. */
  get isHeld(): boolean {
    return this.held
  }

  get isRunning(): boolean {
    return this.moving && !this.held
  }

  play(): void {
    this.settle()
    this.moving = true
  }

  pause(): void {
    this.settle()
    this.moving = false
  }

  hold(isHeld: boolean): void {
    if (isHeld === this.held) return
    this.settle()
    this.held = isHeld
  }

  seek(at: number): void {
    this.position = at
    this.since = this.now()
  }

  setSpeed(rate: number): void {
    this.settle()
    this.rate = rate
  }

  private settle(): void {
    this.seek(this.at)
  }
}

/** Give the rate at which a picture that is off by so much comes back to the clock within a second. */
export function correctedRate(rate: number, aheadMs: number): number {
  const most = 0.25 * rate
  const change = Math.abs(aheadMs) < 15 * Math.max(1, rate / 2) ? 0 : Math.max(-most, Math.min(most, aheadMs / 1000))
  return Math.max(0.0625, Math.min(16, rate - change))
}

/** True when correcting would take too long: the picture must jump. */
export function mustJump(rate: number, aheadMs: number): boolean {
  return Math.abs(aheadMs) > 400 * Math.max(1, rate / 2)
}
