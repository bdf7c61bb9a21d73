/** A broker's client, a browser's storage: as far as the phone uses them. */

import type { IClientOptions } from 'mqtt'
import type { PhoneLogin } from '@/core/model'
import type { Client, Dial } from './line'
import type { Shelf } from './shelf'

export const LOGIN: PhoneLogin = {
  phone: 'p1',
  user: 'phone-p1',
  password: 'secret',
  url: 'ws://centre/mqtt',
  subscribe: 'xunkao/v1/duty/p1/alert',
  text: 'xunkao/v1/duty/p1/text',
  ack: 'xunkao/v1/duty/p1/ack',
  presence: 'xunkao/v1/duty/p1/presence',
}

export class FakeClient implements Client {
  isEnded = false
  isDeaf = false
  granted = 1
  readonly subscribed: string[] = []
  readonly published: { topic: string; said: unknown; retain: boolean }[] = []
  private readonly heard: Record<string, (...words: never[]) => void> = {}

  constructor(readonly options: IClientOptions) {}

  on(event: string, heard: (...words: never[]) => void): void {
    this.heard[event] = heard
  }

  /** Something happens on the line. */
  happen(event: string, ...words: unknown[]): void {
    this.heard[event]?.(...(words as never[]))
  }

  async subscribeAsync(topic: string): Promise<{ qos: number }[]> {
    this.subscribed.push(topic)
    return [{ qos: this.granted }]
  }

  publishAsync(topic: string, payload: string, options: { retain?: boolean }): Promise<unknown> {
    if (this.isDeaf) return new Promise(() => {})
    this.published.push({ topic, said: JSON.parse(payload), retain: options.retain ?? false })
    return Promise.resolve()
  }

  /** What was said on a topic. */
  saidOn(topic: string): unknown[] {
    return this.published.filter((each) => each.topic === topic).map((each) => each.said)
  }

  end(): void {
    this.isEnded = true
  }
}

export class FakeBroker {
  readonly clients: FakeClient[] = []
  isAway = false

  readonly dial: Dial = async (_url, options) => {
    if (this.isAway) throw new Error('unreachable')
    const client = new FakeClient(options)
    this.clients.push(client)
    return client
  }

  get last(): FakeClient {
    return this.clients.at(-1) as FakeClient
  }
}

export class FakeShelf implements Shelf {
  private readonly kept = new Map<string, string>()

  getItem = (key: string): string | null => this.kept.get(key) ?? null
  setItem = (key: string, value: string): void => void this.kept.set(key, value)
  removeItem = (key: string): void => void this.kept.delete(key)
}
