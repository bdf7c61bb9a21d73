/** What was played, as stretches of footage at a speed, to be told to the server. */

export interface PlayedInterval {
  camera: string
  from: number
  to: number
  speed: number
}

/** The clock moves so far between two looks at most; more is a jump. */
const JUMP_MS = 4000
const MOST = 150

export class Intervals {
  private open = new Map<string, PlayedInterval>()
  private done: PlayedInterval[] = []

  /** The camera's picture has come to this instant. */
  extend(camera: string, at: number, speed: number): void {
    const known = this.open.get(camera)
    if (known && known.speed === speed && at >= known.to && at - known.to < JUMP_MS * Math.max(1, speed)) {
      known.to = at
      return
    }
    this.settle(camera)
    this.open.set(camera, { camera, from: at, to: at, speed })
  }

  /** What follows is not continuous with what was. */
  cut(): void {
    for (const camera of [...this.open.keys()]) this.settle(camera)
  }

  /** Give what was played since the last time, and go on from here. */
  take(): PlayedInterval[] {
    const going = [...this.open.values()]
    this.cut()
    for (const one of going) this.open.set(one.camera, { ...one, from: one.to })
    const taken = this.done
    this.done = []
    return taken
  }

  private settle(camera: string): void {
    const known = this.open.get(camera)
    this.open.delete(camera)
    if (known && known.to > known.from) this.done.push(known)
    if (this.done.length > MOST) this.done.shift()
  }
}
