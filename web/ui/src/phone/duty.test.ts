import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { alert, delivery, told } from '@/alerts/fakes'
import { ApiError } from '@/core/api'
import type { Alert } from '@/core/model'
import { AckQueue } from './acks'
import { Duty, type Snapshot } from './duty'
import { FakeBroker, FakeShelf, LOGIN } from './fakes'

const PERSON = { user: 'lisi', name: '李四' }

let broker: FakeBroker
let shelf: FakeShelf
let listed: Alert[]
let solved: [string, string][]
let signedIn: number
let failing: ApiError | null
let slowly: Promise<void> | null
let seen: Snapshot
let rung: string[]
let duty: Duty

const server = {
  addPhone: async () => {
    signedIn += 1
    if (failing) throw failing
    return LOGIN
  },
  alerts: async () => {
    await slowly
    if (failing) throw failing
    return listed
  },
  solveAlert: async (id: string, reason: string) => {
    if (failing) throw failing
    solved.push([id, reason])
    listed = listed.filter((each) => each.id !== id)
  },
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const acks = () => broker.last.saidOn(LOGIN.ack)
const hear = (id: string, more: object = {}) => broker.last.happen('message', LOGIN.subscribe, JSON.stringify(told(id, more)))
const states = () => Object.fromEntries(seen.entries.map(({ id, state }) => [id, state]))

function begin(): void {
  const target = { onChange: (snapshot: Snapshot) => (seen = snapshot), onRaise: ({ id }: { id: string }) => rung.push(id) }
  duty = new Duty(PERSON, server, new AckQueue(shelf), target, shelf, broker.dial)
}

async function connect(): Promise<void> {
  await pass(0)
  broker.last.happen('connect')
  await pass(0)
}

beforeEach(() => {
  vi.useFakeTimers()
  ;[broker, shelf, listed, solved, signedIn, failing, rung] = [new FakeBroker(), new FakeShelf(), [], [], 0, null, []]
  slowly = null
  begin()
})
afterEach(async () => {
  await duty.end()
  vi.useRealTimers()
})

describe('an alert that comes in', () => {
  it('rings, is shown and is said to be delivered', async () => {
    await connect()
    listed = [alert('a', { delivery: [delivery('sent')] })]
    hear('a')
    await pass(0)
    expect(rung).toEqual(['a'])
    expect(states()).toEqual({ a: 'raised' })
    expect(acks()).toEqual([{ id: 'a', state: 'delivered' }])
    await pass(300)
    expect(seen.entries[0]?.room_name).toBe('教A-101')
  })

  it('rings once; when it is repeated the receipt is said again', async () => {
    await connect()
    listed = [alert('a', { delivery: [delivery('sent')] })]
    hear('a')
    await pass(300)
    hear('a')
    await pass(300)
    expect(rung).toEqual(['a'])
    expect(acks()).toEqual([
      { id: 'a', state: 'delivered' },
      { id: 'a', state: 'delivered' },
    ])
  })

  it('while the phone was away is found by asking the server', async () => {
    listed = [alert('a', { delivery: [delivery('undelivered')] }), alert('b', { delivery: [delivery('sent', { phone: 'p2', person: '王五' })] })]
    await connect()
    await pass(300)
    expect(states()).toEqual({ a: 'raised' })
    expect(rung).toEqual(['a'])
    expect(acks()).toEqual([{ id: 'a', state: 'delivered' }])
  })

  it('while the server answers is asked for once more: that answer is older', async () => {
    await connect()
    hear('a')
    await pass(300)
    let answer = () => {}
    slowly = new Promise((resolve) => (answer = resolve))
    listed = [alert('a', { state: 'delivered' })]
    await pass(60_000)
    hear('a', { state: 'taken' })
    slowly = null
    answer()
    await pass(0)
    listed = [alert('a', { state: 'taken', taken_by: '王五' })]
    expect(seen.entries[0]).toMatchObject({ state: 'taken', taken_by: null })
    await pass(300)
    expect(seen.entries[0]).toMatchObject({ state: 'taken', taken_by: '王五' })
  })

  it('is gone when the server does not list it any more', async () => {
    await connect()
    listed = [alert('a', { delivery: [delivery('sent')] })]
    hear('a')
    await pass(300)
    listed = []
    await pass(60_000)
    expect(states()).toEqual({ a: 'solved' })
  })
})

describe('what the person says', () => {
  it('goes out at once, and settles when the server shows it', async () => {
    await connect()
    hear('a')
    await pass(0)
    listed = [alert('a', { state: 'taken', taken_by: '李四' })]
    duty.say('a', 'taken')
    expect(seen.unsent).toEqual([{ id: 'a', state: 'taken' }])
    await pass(0)
    expect(seen.unsent).toEqual([])
    expect(seen.settling.map(({ state }) => state)).toContain('taken')
    await pass(300)
    expect(seen.settling).toEqual([])
    expect(states()).toEqual({ a: 'taken' })
  })

  it('waits without a line and goes out on the next one, in order', async () => {
    await connect()
    duty.sleep()
    expect(seen.line).toBe('offline')
    duty.say('a', 'read')
    duty.say('a', 'taken')
    duty.say('a', 'taken')
    await pass(0)
    expect(seen.unsent).toHaveLength(2)
    duty.wake()
    await connect()
    expect(acks()).toEqual([
      { id: 'a', state: 'read' },
      { id: 'a', state: 'taken' },
    ])
    expect(seen.unsent).toEqual([])
  })

  it('outlives the page', async () => {
    await connect()
    duty.sleep()
    duty.say('a', 'taken')
    await duty.end()
    begin()
    expect(seen.unsent).toEqual([{ id: 'a', state: 'taken' }])
    await connect()
    expect(acks()).toEqual([{ id: 'a', state: 'taken' }])
  })

  it('is said again when the broker does not answer', async () => {
    await connect()
    const deaf = broker.last
    deaf.isDeaf = true
    duty.say('a', 'taken')
    await pass(5000) // no receipt
    await pass(5000) // no answer at all
    expect(broker.clients).toHaveLength(2)
    await connect()
    expect(acks()).toEqual([{ id: 'a', state: 'taken' }])
  })

  it('with a reason goes to the server, which alone takes one', async () => {
    listed = [alert('a', { state: 'taken', taken_by: '李四' })]
    await connect()
    duty.say('a', 'solved', 'lens cleared')
    await pass(300)
    expect(solved).toEqual([['a', 'lens cleared']])
    expect(acks()).toEqual([])
    expect(states()).toEqual({ a: 'solved' })
  })

  it('waits while the server is away, and does not hold up what is said of others', async () => {
    await connect()
    failing = new ApiError('unreachable')
    duty.say('a', 'solved', 'lens cleared')
    duty.say('b', 'taken')
    await pass(0)
    expect(acks()).toEqual([{ id: 'b', state: 'taken' }])
    expect(seen.unsent).toEqual([{ id: 'a', state: 'solved', reason: 'lens cleared' }])
    failing = null
    await pass(60_000)
    expect(solved).toEqual([['a', 'lens cleared']])
  })

  it('is said by the broker when the server refuses the reason for good', async () => {
    await connect()
    failing = new ApiError('forbidden', 403)
    duty.say('a', 'solved', 'lens cleared')
    await pass(0)
    expect(acks()).toEqual([{ id: 'a', state: 'solved' }])
  })
})

describe('the connection', () => {
  it('is told as it is, and the server is asked more often without one', async () => {
    expect(seen.line).toBe('connecting')
    await connect()
    expect(seen.line).toBe('online')
    broker.isAway = true
    broker.last.happen('close')
    expect(seen.line).toBe('offline')
    listed = [alert('a')]
    await pass(15_000)
    expect(states()).toEqual({ a: 'raised' })
  })

  it('that is back brings what was raised meanwhile, though the question of before fails only then', async () => {
    await connect()
    duty.sleep()
    let fail = () => {}
    slowly = new Promise((_, reject) => (fail = () => reject(new ApiError('unreachable'))))
    await pass(15_000)
    listed = [alert('a', { delivery: [delivery('undelivered')] })]
    duty.wake()
    await connect()
    expect(seen.line).toBe('online')
    fail()
    slowly = null
    await pass(300)
    expect(states()).toEqual({ a: 'raised' })
    expect(rung).toEqual(['a'])
  })

  it('that stands while the server does not answer has it asked again before long', async () => {
    await connect()
    duty.sleep()
    failing = new ApiError('unreachable')
    listed = [alert('a')]
    duty.wake()
    await connect()
    failing = null
    await pass(15_000)
    expect(states()).toEqual({ a: 'raised' })
  })

  it('is sought again when signing in failed, with the reason shown', async () => {
    await duty.end()
    failing = new ApiError('not_ready', 503)
    signedIn = 0
    begin()
    await pass(0)
    expect(seen.line).toBe('offline')
    expect(seen.failure).toBe(failing)
    failing = null
    await pass(2000)
    await connect()
    expect(seen.line).toBe('online')
    expect(seen.failure).toBeNull()
    expect(signedIn).toBe(2)
  })

  it('is made anew with a new log-in when the broker does not know the old one', async () => {
    await connect()
    broker.last.happen('error', Object.assign(new Error('refused'), { code: 5 }))
    await pass(2000)
    await connect()
    expect(signedIn).toBe(2)
    expect(seen.line).toBe('online')
  })

  it('without one, a new page shows what was last known, with its age', async () => {
    listed = [alert('a', { delivery: [delivery('sent')] })]
    await connect()
    await pass(0)
    await duty.end()
    ;[failing, broker.isAway] = [new ApiError('unreachable'), true]
    begin()
    await pass(0)
    expect(states()).toEqual({ a: 'raised' })
    expect(seen.listedAt).not.toBeNull()
  })
})
