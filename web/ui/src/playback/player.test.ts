import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/core/api'
import type { Footage } from '@/core/model'
import { FakeBuffer, FakeFootage, FakeVideo, FRAME_MS, footage, Hand, settled, T0 } from './fakes'
import { Player } from './player'
import { Screen } from './screen'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function cinema(cameras: string[], all: Footage[], startS = 0) {
  const hand = new Hand()
  const source = new FakeFootage(all)
  const videos = new Map<string, FakeVideo>()
  const events = {
    onChange: vi.fn(),
    onJump: vi.fn(),
    onEnd: vi.fn(),
    onPlayed: vi.fn(),
    onMissing: vi.fn(),
    onOver: vi.fn(),
  }
  const player = new Player(
    cameras,
    T0 + startS * 1000,
    source,
    (reel, footage, onMissing) => {
      const video = new FakeVideo(hand)
      videos.set(reel.camera, video)
      return new Screen(reel, video, new FakeBuffer(), footage, T0 - 3_600_000, onMissing, hand.read)
    },
    events,
    hand.read,
  )
  player.load(all)
  async function pass(seconds: number) {
    for (let tick = 0; tick < seconds * 10; tick++) {
      hand.now += 100
      await settled()
      player.tick()
    }
    await settled()
  }
  const seconds = () => (player.clock.at - T0) / 1000
  const shown = (camera: string) => T0 - 3_600_000 + (videos.get(camera)?.currentTime ?? 0) * 1000
  return { player, events, source, videos, hand, pass, seconds, shown }
}

describe('the player', () => {
  it('waits for its first pictures and then moves with the wall clock', async () => {
    const { player, pass, seconds, videos } = cinema(['a'], [footage('a', 0, 60)])
    const video = videos.get('a') as FakeVideo
    video.readyState = 1
    player.play()
    await pass(1)
    expect(seconds()).toBeLessThan(0.2)
    video.readyState = 4
    await pass(2)
    expect(seconds()).toBeGreaterThan(1.7)
    expect(video.paused).toBe(false)
  })

  it('keeps four cameras within 100 ms of its clock, also one whose pictures lag', async () => {
    const cameras = ['a', 'b', 'c', 'd']
    const { player, pass, shown, videos } = cinema(cameras, cameras.map((camera) => footage(camera, 0, 60)))
    player.play()
    await pass(2)
    const late = videos.get('c') as FakeVideo
    late.currentTime = late.currentTime - 0.3
    await pass(3)
    for (const camera of cameras) expect(Math.abs(shown(camera) - player.clock.at)).toBeLessThan(100)
  })

  it('places the picture once when it pauses, also where the time is right: a playing video paints ahead', async () => {
    const { player, pass, videos } = cinema(['a'], [footage('a', 0, 60)])
    const video = videos.get('a') as FakeVideo
    player.play()
    await pass(2)
    video.currentTime = (player.clock.at + 0.5 - (T0 - 3_600_000)) / 1000
    const before = video.jumps
    player.pause()
    await pass(1)
    expect(video.jumps).toBe(before + 1)
    player.play()
    await pass(1)
    player.pause()
    await pass(1)
    expect(video.jumps).toBe(before + 2)
  })

  it('holds all of them while one has no pictures yet, for a while', async () => {
    const { player, pass, videos, seconds } = cinema(['a', 'b'], [footage('a', 0, 60), footage('b', 0, 60)])
    player.play()
    await pass(1)
    const before = seconds()
    const slow = videos.get('b') as FakeVideo
    slow.readyState = 2
    await pass(3)
    expect(seconds()).toBeCloseTo(before, 0)
    expect((videos.get('a') as FakeVideo).paused).toBe(true)
    await pass(8)
    expect(seconds(), 'not for ever').toBeGreaterThan(before + 1)
  })

  it('jumps over a gap and says so', async () => {
    const { player, pass, events, seconds } = cinema(['a'], [footage('a', 0, 10), footage('a', 22, 60)], 9)
    player.play()
    await pass(3)
    expect(events.onJump).toHaveBeenCalledExactlyOnceWith(T0 + 10_000, T0 + 22_000)
    expect(seconds()).toBeGreaterThan(22)
  })

  it('goes on where one camera misses what another has', async () => {
    const all = [footage('a', 0, 10), footage('a', 30, 60), footage('b', 0, 60)]
    const { player, pass, events, seconds } = cinema(['a', 'b'], all, 9)
    player.play()
    await pass(4)
    expect(events.onJump).not.toHaveBeenCalled()
    expect(seconds()).toBeLessThan(14)
    expect(player.snapshot().screens).toMatchObject([
      { state: 'missing', missingUntil: T0 + 30_000 },
      { state: 'showing' },
    ])
  })

  it('stops at the end and says so', async () => {
    const { player, pass, events } = cinema(['a'], [footage('a', 0, 10)], 9)
    player.play()
    await pass(3)
    expect(events.onEnd).toHaveBeenCalledOnce()
    expect(player.clock.isPlaying).toBe(false)
  })

  it('steps by exactly one picture, over the joint of two segments too', async () => {
    const { player, pass, shown } = cinema(['a'], [footage('a', 0, 10), footage('a', 10, 10)], 9.88)
    await pass(1)
    const seen = []
    for (let step = 0; step < 4; step++) {
      await player.step(1)
      seen.push(player.clock.at - T0)
      await pass(0.1)
      expect(shown('a')).toBeCloseTo(player.clock.at + 0.5, 1)
    }
    expect(seen).toEqual([9920, 9960, 10_000, 10_000 + FRAME_MS])
    await player.step(-1)
    await player.step(-1)
    expect(player.clock.at - T0).toBe(9960)
  })

  it('takes key pictures alone above four times', async () => {
    const { player, pass, source } = cinema(['a'], [footage('a', 0, 60), footage('a', 60, 60)])
    player.play()
    player.setSpeed(4)
    await pass(1)
    expect(source.asked.every((one) => one.kind === 'media')).toBe(true)
    player.changeSpeed(1)
    await pass(2)
    expect(source.asked.at(-1)?.kind).toBe('keys')
    expect(player.clock.speed).toBe(8)
  })

  it('tells every ten seconds what was played, and the rest when it is left', async () => {
    const { player, pass, events } = cinema(['a'], [footage('a', 0, 60)])
    player.play()
    await pass(11)
    const [[first, isLast]] = events.onPlayed.mock.calls as [[{ from: number; to: number; speed: number }[], boolean]]
    expect(first).toHaveLength(1)
    expect(first[0]).toMatchObject({ camera: 'a', speed: 1 })
    expect(isLast).toBe(false)
    await pass(2)
    player.close()
    const rest = events.onPlayed.mock.calls.at(-1) as [{ from: number }[], boolean]
    expect(rest[1]).toBe(true)
    expect(rest[0][0]?.from).toBe(first[0]?.to)
  })

  it('ends when the server has ended the session', async () => {
    const { player, pass, events, source } = cinema(['a'], [footage('a', 0, 60)])
    source.failures = [new ApiError('playback_ended', 410)]
    player.play()
    await pass(1)
    expect(events.onOver).toHaveBeenCalledOnce()
    expect(player.clock.isPlaying).toBe(false)
  })
})

it('a still is the key picture of the first camera that has one there, and nothing where none has', async () => {
  const { player, source } = cinema(['a', 'b'], [footage('a', 0, 10), footage('b', 0, 60)])
  const { signal } = new AbortController()
  await player.still(T0 + 30_000, signal)
  expect(await player.still(T0 + 90_000, signal)).toBeNull()
  expect(source.asked.filter((one) => one.kind === 'keys')).toEqual([
    { kind: 'keys', segment: 'b-0', from: T0 + 30_000, to: T0 + 30_000 },
  ])
})
