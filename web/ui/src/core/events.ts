/** One WebSocket on which the page hears what changes; it comes back by itself. */

import type { ServerEvent } from './model'
import { backOffMs } from './retry'

/** The server says the time every second; this long without a word and the line is dead. */
const SILENCE_MS = 6000

export type Link = 'connecting' | 'open' | 'lost'

export interface EventsTarget {
  onEvent(event: ServerEvent): void
  /** The line is there (again): whatever was missed must be read anew. */
  onOpen(): void
  onLink(link: Link): void
}

export class Events {
  private socket: WebSocket | null = null
  private attempt = 0
  private retry: ReturnType<typeof setTimeout> | undefined
  private silence: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly target: EventsTarget,
    private readonly connect: () => WebSocket = () => new WebSocket(address()),
    private readonly random: () => number = Math.random,
  ) {
    this.target.onLink('connecting')
    this.open()
  }

  close(): void {
    clearTimeout(this.retry)
    clearTimeout(this.silence)
    const socket = this.socket
    this.socket = null
    socket?.close()
  }

  private open(): void {
    const socket = this.connect()
    this.socket = socket
    this.listen()
    socket.onopen = () => {
      if (socket !== this.socket) return
      this.attempt = 0
      this.target.onLink('open')
      this.target.onOpen()
    }
    socket.onmessage = (message) => {
      if (socket !== this.socket) return
      this.listen()
      const event = eventOf(message.data)
      if (event) this.target.onEvent(event)
    }
    socket.onclose = () => {
      if (socket === this.socket) this.lose()
    }
  }

  private listen(): void {
    clearTimeout(this.silence)
    this.silence = setTimeout(() => this.lose(), SILENCE_MS)
  }

  private lose(): void {
    clearTimeout(this.silence)
    const socket = this.socket
    this.socket = null
    socket?.close()
    this.target.onLink('lost')
    this.retry = setTimeout(() => this.open(), backOffMs(this.attempt++, this.random))
  }
}

/** Read an event; anything else is null. */
export function eventOf(text: unknown): ServerEvent | null {
  if (typeof text !== 'string') return null
  try {
    const event = JSON.parse(text) as ServerEvent
    return typeof event?.type === 'string' ? event : null
  } catch {
    return null
  }
}

function address(): string {
  return `${location.origin.replace(/^http/, 'ws')}/events`
}
