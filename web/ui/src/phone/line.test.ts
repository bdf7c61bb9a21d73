import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeBroker, LOGIN } from './fakes'
import { Line, type LineState } from './line'

let broker: FakeBroker
let states: LineState[]
let heard: string[]
let refused: number
let line: Line

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

async function connect(): Promise<void> {
  await pass(0)
  broker.last.happen('connect')
  await pass(0)
}

beforeEach(() => {
  vi.useFakeTimers()
  broker = new FakeBroker()
  ;[states, heard, refused] = [[], [], 0]
  line = new Line(
    LOGIN,
    { onState: (state) => states.push(state), onMessage: (payload) => heard.push(payload), onRefused: () => refused++ },
    broker.dial,
    () => 0.5,
  )
})
afterEach(() => {
  void line.end()
  vi.useRealTimers()
})

describe('the line', () => {
  it('stands once the alerts are subscribed and the presence is told, retained', async () => {
    await pass(0)
    expect(states).toEqual([])
    await connect()
    expect(broker.last.subscribed).toEqual([LOGIN.subscribe])
    expect(broker.last.published).toEqual([{ topic: LOGIN.presence, said: { state: 'online' }, retain: true }])
    expect(states).toEqual(['online'])
  })

  it('speaks 3.1.1, keeps its session and leaves a will', async () => {
    await connect()
    expect(broker.last.options).toMatchObject({
      protocolVersion: 4,
      timerVariant: 'auto',
      clean: false,
      keepalive: 15,
      username: LOGIN.user,
      will: { topic: LOGIN.presence, payload: '{"state":"offline"}', qos: 1, retain: true },
    })
  })

  it('does not stand when the broker refuses the topic', async () => {
    await pass(0)
    broker.last.granted = 0x80
    await connect()
    expect(states).toEqual(['offline'])
    expect(broker.clients[0]?.isEnded).toBe(true)
  })

  it('hears its own topic only', async () => {
    await connect()
    broker.last.happen('message', LOGIN.subscribe, 'mine')
    broker.last.happen('message', 'xunkao/v1/duty/p2/alert', 'another’s')
    expect(heard).toEqual(['mine'])
  })

  it('comes back with growing waits', async () => {
    await connect()
    broker.isAway = true
    broker.last.happen('close')
    expect(states.at(-1)).toBe('offline')
    await pass(1000)
    await pass(2000)
    expect(broker.clients).toHaveLength(1)
    broker.isAway = false
    await pass(4000)
    expect(broker.clients).toHaveLength(2)
    await connect()
    expect(states.at(-1)).toBe('online')
  })

  it('comes back at once when the network or the page does', async () => {
    await connect()
    line.drop()
    expect(states.at(-1)).toBe('offline')
    expect(broker.last.isEnded).toBe(true)
    await line.check()
    await connect()
    expect(states.at(-1)).toBe('online')
  })

  it('is found dead when nobody answers, after the page was asleep', async () => {
    await connect()
    broker.last.isDeaf = true
    void line.check()
    await pass(4000)
    expect(states.at(-1)).toBe('online')
    await pass(1000)
    expect(states.at(-1)).toBe('offline')
    expect(broker.clients).toHaveLength(2)
  })

  it('does not hear a connection it has left', async () => {
    await connect()
    const old = broker.last
    line.drop()
    await line.check()
    await connect()
    old.happen('message', LOGIN.subscribe, 'late')
    old.happen('close')
    expect(heard).toEqual([])
    expect(states.at(-1)).toBe('online')
  })

  it('says when its log-in is not known any more', async () => {
    await pass(0)
    broker.last.happen('error', Object.assign(new Error('Not authorized'), { code: 5 }))
    expect(refused).toBe(1)
    expect(states).toEqual(['offline'])
  })

  it('says good-bye and stays away when it ends', async () => {
    await connect()
    await line.end()
    expect(broker.last.saidOn(LOGIN.presence).at(-1)).toEqual({ state: 'offline' })
    await pass(60_000)
    expect(broker.clients).toHaveLength(1)
  })
})

it('what cannot be said is known', async () => {
  await expect(line.say('{}')).rejects.toThrow('offline')
  await connect()
  await line.say('{"id":"a","state":"taken"}')
  expect(broker.last.saidOn(LOGIN.ack)).toEqual([{ id: 'a', state: 'taken' }])
})
