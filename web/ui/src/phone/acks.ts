/** What this phone has to say of alerts, kept until it is known to have arrived. */

import { read, type Shelf, write } from './shelf'

export type AckState = 'delivered' | 'read' | 'taken' | 'declined' | 'solved'

export interface Ack {
  id: string
  state: AckState
  /** How it was solved; goes to the server, for the broker's message has no room for it. */
  reason?: string
}

const KEY = 'xunkao.phone.acks'
const MOST = 200

/** A queue that outlives the page: in the order of saying, each thing once. */
export class AckQueue {
  private waiting: Ack[]

  constructor(private readonly shelf: Shelf | null) {
    const kept = read(shelf, KEY)
    this.waiting = Array.isArray(kept) ? kept.filter((each) => each?.id && each.state) : []
  }

  get all(): readonly Ack[] {
    return this.waiting
  }

  /** Add what is to be said; false when it waits already. */
  add(ack: Ack): boolean {
    if (this.has(ack.id, ack.state)) return false
    this.waiting = [...this.waiting, ack].slice(-MOST)
    write(this.shelf, KEY, this.waiting)
    return true
  }

  has(id: string, state: AckState): boolean {
    return this.waiting.some((each) => each.id === id && each.state === state)
  }

  /** It has arrived, or nobody wants it any more. */
  done({ id, state }: Ack): void {
    this.waiting = this.waiting.filter((each) => each.id !== id || each.state !== state)
    write(this.shelf, KEY, this.waiting)
  }
}
