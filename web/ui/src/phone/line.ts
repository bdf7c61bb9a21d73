/** The phone's line to the broker: it comes back by itself and never seems to stand when it does not. */

import type { IClientOptions } from 'mqtt'
import type { PhoneLogin } from '@/core/model'
import { backOffMs } from '@/core/retry'

/** The part of an mqtt.js client that is used. */
export interface Client {
  on(event: 'connect' | 'close', heard: () => void): unknown
  on(event: 'error', heard: (error: Error & { code?: number | string }) => void): unknown
  on(event: 'message', heard: (topic: string, payload: { toString(): string }) => void): unknown
  subscribeAsync(topic: string, options: { qos: 1 }): Promise<{ qos: number }[]>
  publishAsync(topic: string, payload: string, options: { qos: 1; retain?: boolean }): Promise<unknown>
  end(force: boolean): unknown
}

export type Dial = (url: string, options: IClientOptions) => Promise<Client>

export type LineState = 'connecting' | 'online' | 'offline'

export interface LineTarget {
  onState(state: LineState): void
  onMessage(payload: string): void
  /** The broker does not know this log-in (any more). */
  onRefused(): void
}

const KEEPALIVE_S = 15
const CONNECT_WITHIN_MS = 8000
/** An answer that takes longer comes from a dead line. */
const ANSWER_WITHIN_MS = 5000
/** What the broker says to a wrong or revoked log-in: MQTT 3.1.1 return codes. */
const REFUSALS: readonly unknown[] = [4, 5]
const FAILURE = 0x80

export class Line {
  private client: Client | null = null
  private attempt = 0
  private retry: ReturnType<typeof setTimeout> | undefined
  private isEnded = false
  private state: LineState = 'connecting'
  /** Counts the connections: what an earlier one says is not heard. */
  private turn = 0

  constructor(
    private readonly login: PhoneLogin,
    private readonly target: LineTarget,
    private readonly dial: Dial = dialBroker,
    private readonly random: () => number = Math.random,
  ) {
    void this.open()
  }

  get isOnline(): boolean {
    return this.state === 'online'
  }

  /** Say something of an alert; fulfilled when the broker has it, rejected when it may not. */
  async say(payload: string): Promise<void> {
    if (!this.client || !this.isOnline) throw new Error('offline')
    try {
      await within(this.client.publishAsync(this.login.ack, payload, { qos: 1 }))
    } catch (error) {
      void this.check()
      throw error
    }
  }

  /** The network or the page came back: be sure of the line now, not after the next keep-alive. */
  async check(): Promise<void> {
    if (this.isEnded) return
    if (!this.isOnline) return this.reopen()
    const turn = this.turn
    try {
      await this.tell('online')
    } catch {
      if (turn === this.turn) this.reopen()
    }
  }

  /** The network is gone: do not wait for the line to notice. */
  drop(): void {
    if (this.isEnded) return
    this.hangUp()
    this.become('offline')
    this.retryLater()
  }

  /** End for good, and say so as long as somebody listens. */
  async end(): Promise<void> {
    this.isEnded = true
    clearTimeout(this.retry)
    if (this.client && this.isOnline) {
      await this.tell('offline').catch(() => {})
    }
    this.hangUp()
  }

  private reopen(): void {
    this.hangUp()
    this.attempt = 0
    this.become('offline')
    void this.open()
  }

  private async open(): Promise<void> {
    clearTimeout(this.retry)
    const turn = ++this.turn
    const current = () => turn === this.turn && !this.isEnded
    let client: Client
    try {
      client = await this.dial(address(), this.options())
    } catch {
      if (current()) this.fail()
      return
    }
    if (!current()) return void client.end(true)
    this.client = client
    client.on('message', (topic, payload) => {
      if (current() && topic === this.login.subscribe) this.target.onMessage(payload.toString())
    })
    client.on('connect', () => {
      if (current()) void this.greet(client, current)
    })
    client.on('error', (error) => {
      if (!current() || !REFUSALS.includes(error.code)) return
      this.fail()
      this.target.onRefused()
    })
    client.on('close', () => {
      if (current()) this.fail()
    })
  }

  /** Only a line on which alerts can come counts as one. */
  private async greet(client: Client, current: () => boolean): Promise<void> {
    try {
      const granted = await within(client.subscribeAsync(this.login.subscribe, { qos: 1 }))
      if (granted.some(({ qos }) => qos >= FAILURE)) throw new Error('refused')
      await this.tell('online')
    } catch {
      if (current()) this.fail()
      return
    }
    if (!current()) return
    this.attempt = 0
    this.become('online')
  }

  private async tell(state: 'online' | 'offline'): Promise<void> {
    if (!this.client) throw new Error('offline')
    await within(this.client.publishAsync(this.login.presence, presence(state), { qos: 1, retain: true }))
  }

  private fail(): void {
    this.hangUp()
    this.become('offline')
    this.retryLater()
  }

  private retryLater(): void {
    clearTimeout(this.retry)
    this.retry = setTimeout(() => void this.open(), backOffMs(this.attempt++, this.random))
  }

  private hangUp(): void {
    this.turn += 1
    const client = this.client
    this.client = null
    client?.end(true)
  }

  private become(state: LineState): void {
    if (state === this.state) return
    this.state = state
    this.target.onState(state)
  }

  private options(): IClientOptions {
    return {
      protocolVersion: 4, // either broker speaks 3.1.1
      clientId: this.login.user,
      username: this.login.user,
      password: this.login.password,
      clean: false, // the broker keeps what comes while we are away
      keepalive: KEEPALIVE_S,
      timerVariant: 'auto', // a worker's timers go on in a hidden tab
      connectTimeout: CONNECT_WITHIN_MS,
      reconnectPeriod: 0, // the line comes back by its own rules
      will: { topic: this.login.presence, payload: presence('offline'), qos: 1, retain: true },
    }
  }
}

/** The broker is on the console's own origin: one certificate, one log-in check. */
function address(): string {
  return `${location.origin.replace(/^http/, 'ws')}/mqtt`
}

const presence = (state: 'online' | 'offline'): string => JSON.stringify({ state })

async function dialBroker(url: string, options: IClientOptions): Promise<Client> {
  const { default: mqtt } = await import('mqtt')
  return mqtt.connect(url, options) as unknown as Client
}

async function within<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), ANSWER_WITHIN_MS)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
