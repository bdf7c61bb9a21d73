import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { eventOf, Events, type Link } from './events'
import type { ServerEvent } from './model'

class FakeSocket {
  static all: FakeSocket[] = []
  isClosed = false
  onopen: () => void = () => {}
  onmessage: (message: { data: unknown }) => void = () => {}
  onclose: () => void = () => {}

  constructor() {
    FakeSocket.all.push(this)
  }

  say(type: string): void {
    this.onmessage({ data: JSON.stringify({ type, id: '', at: '', data: null }) })
  }

  close(): void {
    this.isClosed = true
  }
}

let links: Link[]
let heard: ServerEvent[]
let opened: number
let events: Events

const last = () => FakeSocket.all.at(-1) as FakeSocket
const pass = (ms: number) => vi.advanceTimersByTime(ms)

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all = []
  ;[links, heard, opened] = [[], [], 0]
  events = new Events(
    { onEvent: (event) => heard.push(event), onOpen: () => opened++, onLink: (link) => links.push(link) },
    () => new FakeSocket() as unknown as WebSocket,
    () => 0.5,
  )
})
afterEach(() => {
  events.close()
  vi.useRealTimers()
})

describe('the line', () => {
  it('passes events on', () => {
    last().onopen()
    last().say('camera')
    expect(heard.map((event) => event.type)).toEqual(['camera'])
    expect(links).toEqual(['connecting', 'open'])
  })

  it('comes back after a break, and says that something may be missed', () => {
    last().onopen()
    last().onclose()
    expect(links.at(-1)).toBe('lost')
    pass(1000)
    last().onopen()
    expect(FakeSocket.all).toHaveLength(2)
    expect(opened).toBe(2)
    expect(links.at(-1)).toBe('open')
  })

  it('tries with growing waits, and starts anew once it was there', () => {
    for (const wait of [1000, 2000, 4000]) {
      const before = FakeSocket.all.length
      last().onclose()
      pass(wait - 1)
      expect(FakeSocket.all).toHaveLength(before)
      pass(1)
      expect(FakeSocket.all).toHaveLength(before + 1)
    }
    last().onopen()
    last().onclose()
    pass(1000)
    expect(FakeSocket.all).toHaveLength(5)
  })

  it('is dead when the server says nothing', () => {
    last().onopen()
    for (let second = 0; second < 20; second++) {
      pass(1000)
      last().say('clock')
    }
    expect(links.at(-1)).toBe('open')
    pass(6000)
    expect(links.at(-1)).toBe('lost')
    expect(FakeSocket.all[0]?.isClosed).toBe(true)
  })

  it('does not hear a socket it has left', () => {
    const old = last()
    old.onopen()
    pass(6000)
    pass(1000)
    old.say('camera')
    expect(heard).toEqual([])
  })

  it('stays closed when closed', () => {
    last().onopen()
    events.close()
    pass(60_000)
    expect(FakeSocket.all).toHaveLength(1)
    expect(last().isClosed).toBe(true)
  })
})

it('what is no event is ignored', () => {
  expect(eventOf('nonsense')).toBeNull()
  expect(eventOf('null')).toBeNull()
  expect(eventOf('{"id": 1}')).toBeNull()
  expect(eventOf(new ArrayBuffer(1))).toBeNull()
})
