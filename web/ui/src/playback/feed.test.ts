import { describe, expect, it } from 'vitest'
import { ApiError } from '@/core/api'
import type { Footage } from '@/core/model'
import { FakeBuffer, FakeFootage, footage, Hand, INIT, settled, T0 } from './fakes'
import { Feed, type Mode } from './feed'
import { Reel } from './reel'

function house(...all: Footage[]) {
  const reel = new Reel('a')
  reel.load(all)
  const source = new FakeFootage(all)
  const buffer = new FakeBuffer()
  const missing: string[] = []
  const hand = new Hand()
  const feed = new Feed(reel, source, buffer, (segment) => missing.push(segment), hand.read)
  async function want(seconds: number, { speed = 1, mode = 'all' as Mode, times = 30 } = {}) {
    for (let turn = 0; turn < times; turn++) {
      feed.want(T0 + seconds * 1000, speed, mode)
      await settled()
    }
  }
  return { hand, feed, source, buffer, reel, missing, want }
}

describe('a feed', () => {
  it('begins with the initialisation section and reads some seconds ahead, in order, once', async () => {
    const { source, want, feed } = house(footage('a', 0, 60))
    await want(0)
    expect(source.asked[0]).toMatchObject({ segment: 'a-0', from: 0 })
    source.asked.slice(1).forEach((piece, place) => expect(piece.from).toBe(source.asked[place]?.to))
    expect(source.asked.length).toBeLessThan(5)
    expect(feed.has(T0 + 7900)).toBe(true)
    expect(feed.has(T0 + 20_000)).toBe(false)
    const before = source.asked.length
    await want(0)
    expect(source.asked.length, 'nothing twice').toBe(before)
  })

  it('knows which segments come from the copy of an archive', async () => {
    const { source, want, feed, reel } = house(footage('a', 0, 59.96), footage('a', 60, 60))
    source.copies.add('a-60')
    await want(55)
    expect([0, 60].map((second) => feed.isCopy(reel.at(T0 + second * 1000)))).toEqual([false, true])
    expect(feed.isCopy(null)).toBe(false)
  })

  it('notices when a box is lost, or comes back, while its footage is watched', async () => {
    const { source, want, feed, reel } = house(footage('a', 0, 60))
    await want(0, { times: 1 })
    expect(feed.isCopy(reel.at(T0))).toBe(false)
    source.copies.add('a-0')
    await want(9)
    expect(feed.isCopy(reel.at(T0))).toBe(true)
  })

  it('gives a segment its initialisation section again when another one\'s came to nothing', async () => {
    const { source, want, hand } = house(footage('a', 0, 59.96), footage('a', 60, 60))
    await want(10, { times: 2 })
    const media = source.media.bind(source)
    source.media = async (segment, from, to) => {
      if (segment === 'a-60' && from > 0) throw new ApiError('unreachable', 0)
      return media(segment, from, to)
    }
    await want(90, { times: 1 })
    expect(source.asked.at(-1)).toMatchObject({ segment: 'a-60', from: 0, to: INIT })
    const before = source.asked.length
    hand.now += 20_000
    await want(12, { times: 2 })
    const again = source.asked.slice(before).filter(({ segment }) => segment === 'a-0')
    expect(again[0]).toMatchObject({ from: 0, to: INIT })
  })

  it('in the middle begins at the key picture before', async () => {
    const { source, want } = house(footage('a', 0, 60))
    await want(30.9, { times: 1 })
    expect(source.asked[0]).toEqual({ kind: 'media', segment: 'a-0', from: 0, to: INIT })
    expect(source.asked[1]?.from).toBeLessThanOrEqual(INIT + 30 * 25 * 1000)
  })

  it('goes over the joint of two segments, each at its own time', async () => {
    const { source, buffer, want, feed } = house(footage('a', 0, 59.96), footage('a', 60, 60))
    await want(55)
    expect(new Set(buffer.appended)).toEqual(new Set([T0, T0 + 60_000]))
    expect(feed.has(T0 + 62_000)).toBe(true)
    const before = source.asked.length
    await want(55)
    expect(source.asked.length).toBe(before)
  })

  it('lets go of what lies behind', async () => {
    const { buffer, want, feed } = house(footage('a', 0, 300))
    for (let at = 0; at < 120; at += 4) await want(at, { times: 4 })
    expect(buffer.removed.length).toBeGreaterThan(0)
    expect(feed.has(T0 + 5000)).toBe(false)
    expect(feed.has(T0 + 112_000)).toBe(true)
  })

  it('makes room when the browser says the buffer is full, and reads less far ahead', async () => {
    const { buffer, want, feed } = house(footage('a', 0, 300))
    await want(0)
    buffer.full = 1
    await want(60)
    expect(feed.trouble).toBeNull()
    expect(buffer.removed.length).toBeGreaterThan(0)
    expect(feed.has(T0 + 61_000)).toBe(true)
  })

  it('takes key pictures alone when told, and forgets the others', async () => {
    const { source, buffer, want } = house(footage('a', 0, 60), footage('a', 60, 60))
    await want(0)
    await want(10, { speed: 16, mode: 'keys' })
    expect(buffer.removed).toContainEqual([0, Number.POSITIVE_INFINITY])
    const keys = source.asked.filter((one) => one.kind === 'keys')
    expect(keys.map((one) => one.segment)).toEqual(['a-0', 'a-60'])
    expect(keys[0]?.from).toBe(T0 + 10_000)
  })

  it('says that a codec cannot be played', async () => {
    const { buffer, want, feed } = house(footage('a', 0, 60))
    buffer.playable = false
    await want(0, { times: 2 })
    expect(feed.trouble).toMatchObject({ code: 'unplayable' })
    expect(buffer.appended).toEqual([])
  })

  it('tells of a recording that is not there, and comes over a broken line by itself', async () => {
    const { source, missing, want, feed, hand } = house(footage('a', 0, 60))
    source.failures = [new ApiError('no_such', 404), new ApiError('unreachable')]
    await want(0)
    expect(missing).toEqual(['a-0'])
    expect(source.asked.length, 'not again at once').toBe(1)
    hand.now += 20_000
    await want(0, { times: 1 })
    expect(feed.trouble).toMatchObject({ code: 'unreachable' })
    hand.now += 20_000
    await want(0)
    expect(feed.trouble).toBeNull()
    expect(feed.has(T0)).toBe(true)
  })

  it('gives again what the browser lost', async () => {
    const { source, want, feed } = house(footage('a', 0, 60))
    await want(0)
    const before = source.asked.length
    feed.forget(T0)
    await want(0)
    expect(source.asked.length).toBeGreaterThan(before)
  })
})
