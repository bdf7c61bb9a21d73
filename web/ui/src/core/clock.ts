/** The server's time, as this page knows it. */

const KEPT = 30

export class ServerClock {
  private offsets: number[] = []

  constructor(private readonly local: () => number = Date.now) {}

  /** Hear the server's time in an answer that took `roundTripMs`. */
  hear(server: string, roundTripMs = 0): void {
    const instant = Date.parse(server)
    if (Number.isNaN(instant)) return
    this.offsets.push(instant + roundTripMs / 2 - this.local())
    if (this.offsets.length > KEPT) this.offsets.shift()
  }

  /** Server minus local. A message can only be late, so the largest of the last ones is the best. */
  get offsetMs(): number {
    return this.offsets.length ? Math.max(...this.offsets) : 0
  }

  now(): number {
    return this.local() + this.offsetMs
  }
}

export const serverClock = new ServerClock()
