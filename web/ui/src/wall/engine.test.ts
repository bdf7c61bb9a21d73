import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServerClock } from '@/core/clock'
import type { CameraState } from '@/core/model'
import { type Snapshot, WallEngine } from './engine'
import { FakePeer, FakeServer, type FakeTrack, installBrowser } from './fakes'
import type { WallCamera } from './tile'

let server: FakeServer
let engine: WallEngine
let seen: Snapshot

const camera = (id: string, state: CameraState = 'streaming', live = true): WallCamera => ({
  id,
  edge: id.startsWith('b') ? 'box-b' : 'box-a',
  live,
  state,
})

function tracksOf(peer: FakePeer | undefined): FakeTrack[] {
  return (peer?.transceivers ?? []).map((transceiver) => transceiver.receiver.track)
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** Let time pass with these tracks moving at 10 frames/s. */
async function play(ms: number, tracks: FakeTrack[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    for (const track of tracks) track.frame()
    await pass(100)
  }
}

const state = (id: string) => seen.tiles[id]?.state

async function wallOf(...ids: string[]): Promise<FakeTrack[]> {
  engine.know(ids.map((id) => camera(id)))
  engine.show(ids)
  await pass(200)
  return FakePeer.all.flatMap(tracksOf)
}

beforeEach(() => {
  vi.useFakeTimers()
  installBrowser()
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(false)
  server = new FakeServer()
  engine = new WallEngine({
    server,
    clock: new ServerClock(),
    watermark: () => '张三 09:43:12',
    onSnapshot: (snapshot) => (seen = snapshot),
    create: () => new FakePeer() as unknown as RTCPeerConnection,
    random: () => 0.5,
  })
})

afterEach(() => {
  engine.close()
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe('asking', () => {
  it('makes one connection per box', async () => {
    await wallOf('a1', 'a2', 'b1')
    expect(server.asked).toEqual([
      { edge: 'box-a', cameras: ['a1', 'a2'], stream: 'sub' },
      { edge: 'box-b', cameras: ['b1'], stream: 'sub' },
    ])
  })

  it('puts at most sixteen cameras into one connection', async () => {
    await wallOf(...Array.from({ length: 18 }, (_, index) => `a${index}`))
    expect(server.asked.map((each) => each.cameras.length)).toEqual([16, 2])
  })

  it('wants H.264 before anything else', async () => {
    await wallOf('a1')
    expect(FakePeer.all[0]?.preferences).toEqual([['video/H264', 'video/rtx']])
  })

  it('leaves cameras alone outside their window', async () => {
    engine.know([camera('a1', 'off', false)])
    engine.show(['a1'])
    await pass(200)
    expect(server.asked).toEqual([])
    expect(state('a1')).toBe('closed')
  })

  it('begins when the window opens', async () => {
    engine.know([camera('a1', 'off', false)])
    engine.show(['a1'])
    engine.know([camera('a1', 'connecting')])
    await pass(600)
    expect(server.asked).toHaveLength(1)
    expect(state('a1')).toBe('connecting')
  })

  it('ends the look when the window closes, and shows nothing any more', async () => {
    const [track] = await wallOf('a1')
    await play(500, [track as FakeTrack])
    engine.know([camera('a1', 'off', false)])
    await pass(100)
    expect(state('a1')).toBe('closed')
    expect(server.ended).toEqual(['/api/v1/live/1'])
  })

  it('asks for each alone when one of them has no exam now', async () => {
    server.refuse = (cameras) => (cameras.includes('a2') ? 'outside_window' : null)
    await wallOf('a1', 'a2', 'a3')
    await pass(200)
    expect(server.asked.map((each) => each.cameras)).toEqual([['a1', 'a2', 'a3'], ['a1'], ['a2'], ['a3']])
    expect(state('a2')).toBe('closed')
    expect(state('a1')).toBe('connecting')
  })

  it('waits for an answer that takes long', async () => {
    server.gate = new Promise((resolve) => setTimeout(resolve, 8000))
    const tracks = await wallOf('a1')
    await pass(8000)
    await play(300, tracks)
    expect(server.asked).toHaveLength(1)
    expect(state('a1')).toBe('ok')
  })

  it('ends a look that was answered after the page had turned', async () => {
    server.gate = new Promise((resolve) => setTimeout(resolve, 1000))
    await wallOf('a1')
    engine.show([])
    await pass(2000)
    expect(server.ended).toEqual(['/api/v1/live/1'])
  })
})

describe('watching', () => {
  it('goes from connecting to fine with the first frame', async () => {
    const tracks = await wallOf('a1')
    expect(state('a1')).toBe('connecting')
    await play(300, tracks)
    expect(state('a1')).toBe('ok')
    expect(seen.counts).toMatchObject({ ok: 1, connecting: 0 })
  })

  it('marks a stalled picture within two seconds, and says for how long', async () => {
    const [moving, frozen] = await wallOf('a1', 'a2')
    await play(1000, [moving as FakeTrack, frozen as FakeTrack])
    await play(2000, [moving as FakeTrack])
    expect([state('a1'), state('a2')]).toEqual(['ok', 'stalled'])
    await play(5000, [moving as FakeTrack])
    expect(seen.tiles.a2?.silentMs).toBeGreaterThan(6000)
  })

  it('keeps the connection while the neighbours move: it is the camera', async () => {
    const [moving, frozen] = await wallOf('a1', 'a2')
    await play(1000, [moving as FakeTrack, frozen as FakeTrack])
    await play(10_000, [moving as FakeTrack])
    expect(server.asked).toHaveLength(1)
    await play(300, [moving as FakeTrack, frozen as FakeTrack])
    expect(state('a2')).toBe('ok')
  })

  it('tries one silent camera anew after 15 s, unless its box says it is down', async () => {
    const [moving] = await wallOf('a1', 'a2')
    await play(17_000, [moving as FakeTrack])
    expect(server.asked.at(-1)).toEqual({ edge: 'box-a', cameras: ['a2'], stream: 'sub' })
    expect(server.asked).toHaveLength(2)
  })

  it('does not pester a box about a camera that is down', async () => {
    engine.believe(true)
    const [moving] = await wallOf('a1', 'a2')
    engine.know([camera('a1'), camera('a2', 'lost')])
    await play(40_000, [moving as FakeTrack])
    expect(server.asked).toHaveLength(1)
    expect(state('a2')).toBe('offline')
  })

  it('asks in one go for cameras that come back one after the other', async () => {
    engine.believe(true)
    const down = ['a1', 'a2', 'a3']
    const tracks = await wallOf(...down)
    await play(300, tracks)
    engine.know(down.map((id) => camera(id, 'lost')))
    await pass(6000)
    const before = server.asked.length
    for (let back = 1; back <= 3; back++) {
      engine.know(down.map((id, index) => camera(id, index < back ? 'streaming' : 'lost')))
      await pass(120)
    }
    await pass(500)
    expect(server.asked.slice(before).map((each) => each.cameras)).toEqual([down])
  })

  it('marks a tile when the box says worse than the eyes', async () => {
    const tracks = await wallOf('a1')
    engine.believe(true)
    engine.know([camera('a1', 'stalled')])
    await play(300, tracks)
    expect(state('a1')).toBe('stalled')
  })

  it('tells when the last picture was', async () => {
    const tracks = await wallOf('a1')
    await play(1000, tracks)
    const last = Date.now()
    await pass(16_000)
    expect(state('a1')).toBe('offline')
    expect(Math.abs((seen.tiles.a1?.lastPictureAt ?? 0) - last)).toBeLessThanOrEqual(200)
  })
})

describe('reconnecting', () => {
  it('starts when nothing came for 4 s, with growing waits', async () => {
    const tracks = await wallOf('a1', 'a2')
    await play(1000, tracks)
    const tries: number[] = []
    const began = Date.now()
    server.refuse = () => {
      tries.push(Date.now() - began)
      return 'box_unreachable'
    }
    await pass(60_000)
    const waits = tries.slice(1).map((at, index) => Math.round((at - (tries[index] as number)) / 1000))
    expect(tries[0]).toBeGreaterThanOrEqual(4000)
    expect(tries[0]).toBeLessThan(6000)
    expect(waits.slice(0, 5)).toEqual([2, 4, 8, 15, 15])
  })

  it('asks for all cameras of the box in one go', async () => {
    const tracks = await wallOf('a1', 'a2', 'a3')
    await play(1000, tracks)
    await pass(5500)
    expect(server.asked.map((each) => each.cameras.length)).toEqual([3, 3])
    expect(FakePeer.all[0]?.isClosed).toBe(true)
    expect(server.ended).toEqual(['/api/v1/live/1'])
  })

  it('happens at once when the connection has failed', async () => {
    const tracks = await wallOf('a1')
    await play(1000, tracks)
    ;(FakePeer.all[0] as FakePeer).connectionState = 'failed'
    await pass(1500)
    expect(server.asked).toHaveLength(2)
  })

  it('keeps the last picture until the new one moves', async () => {
    const host = document.body.appendChild(document.createElement('div'))
    const tracks = await wallOf('a1')
    engine.mount('a1', host)
    await play(500, tracks)
    const before = host.querySelector('video')
    await pass(6000)
    expect([...host.querySelectorAll('video')]).toContain(before)
    expect(host.querySelectorAll('video')).toHaveLength(2)
    await play(300, FakePeer.all.slice(1).flatMap(tracksOf))
    expect(host.querySelectorAll('video')).toHaveLength(1)
    expect(host.querySelector('video')).not.toBe(before)
    expect(state('a1')).toBe('ok')
    host.remove()
  })
})

describe('turning pages', () => {
  it('keeps what stays, ends what goes', async () => {
    await wallOf('a1')
    engine.know([camera('a1'), camera('b1')])
    engine.show(['b1'])
    await pass(200)
    expect(server.ended).toEqual(['/api/v1/live/1'])
    engine.show(['b1'])
    expect(server.asked).toHaveLength(2)
  })

  it('makes the next page ready unseen', async () => {
    engine.know([camera('a1'), camera('a2')])
    engine.show(['a1'], ['a2'])
    await pass(1200)
    expect(server.asked.flatMap((each) => each.cameras)).toEqual(['a1', 'a2'])
    expect(Object.keys(seen.tiles)).toEqual(['a1'])
  })

  it('never puts a playing video elsewhere', async () => {
    const host = document.body.appendChild(document.createElement('div'))
    const tracks = await wallOf('a1', 'a2')
    engine.mount('a1', host)
    await play(500, tracks)
    const video = host.querySelector('video')
    engine.show(['a2', 'a1'])
    engine.mount('a1', host)
    expect(host.querySelector('video')).toBe(video)
    host.remove()
  })
})

describe('the main stream', () => {
  it('lies over the sub-stream from its first frame on, and goes when it stops', async () => {
    const host = document.body.appendChild(document.createElement('div'))
    const sub = await wallOf('a1')
    engine.mount('a1', host)
    await play(500, sub)
    engine.enlarge('a1')
    await pass(200)
    expect(server.asked.at(-1)).toEqual({ edge: 'box-a', cameras: ['a1'], stream: 'main' })
    const shown = () => host.querySelector('video.main')?.classList.contains('on')
    expect(shown()).toBe(false)
    const main = tracksOf(FakePeer.all[1])
    await play(500, [...sub, ...main])
    expect(shown()).toBe(true)
    await play(2500, sub)
    expect(shown()).toBe(false)
    expect(state('a1')).toBe('ok')
    host.remove()
  })

  it('is ended when the picture is made small again', async () => {
    const sub = await wallOf('a1')
    engine.enlarge('a1')
    await play(500, sub)
    engine.enlarge(null)
    expect(server.ended).toEqual(['/api/v1/live/2'])
    expect(FakePeer.all[1]?.isClosed).toBe(true)
  })
})

describe('a hidden page', () => {
  const hide = (hidden: boolean) => {
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden)
    document.dispatchEvent(new Event('visibilitychange'))
  }

  /** Let seconds pass in which frames are decoded but not painted. */
  const decode = async (seconds: number, before = 0) => {
    for (let second = 1; second <= seconds; second++) {
      const frames = (before + second) * 15
      const stats = { type: 'inbound-rtp', kind: 'video', mid: '0', framesDecoded: frames, timestamp: Date.now() }
      ;(FakePeer.all[0] as FakePeer).report = new Map([['in', stats]])
      await pass(1000)
    }
  }

  it('goes by decoded frames while nothing is painted', async () => {
    await wallOf('a1')
    hide(true)
    await decode(6)
    expect(state('a1')).toBe('ok')
  })

  it('leaves after 10 s and comes back when shown', async () => {
    await wallOf('a1')
    hide(true)
    await decode(9)
    expect(server.ended).toEqual([])
    await pass(1100)
    expect(server.ended).toEqual(['/api/v1/live/1'])
    hide(false)
    await pass(200)
    expect(server.asked).toHaveLength(2)
  })

  it('stays when it was hidden for a moment', async () => {
    await wallOf('a1')
    hide(true)
    await decode(5)
    hide(false)
    await decode(8, 5)
    expect(server.asked).toHaveLength(1)
  })

  it('says farewell when it is left', async () => {
    await wallOf('a1', 'b1')
    dispatchEvent(new Event('pagehide'))
    expect(server.ended).toEqual(['/api/v1/live/1', '/api/v1/live/2'])
  })
})

it('adds up what comes in', async () => {
  const tracks = await wallOf('a1')
  const read = (bytes: number) => {
    const stats = { type: 'inbound-rtp', kind: 'video', mid: '0', bytesReceived: bytes, timestamp: Date.now() }
    ;(FakePeer.all[0] as FakePeer).report = new Map([['in', stats]])
  }
  for (let second = 1; second <= 4; second++) {
    read(second * 50_000)
    await play(1000, tracks)
  }
  expect(Math.round(seen.downBps / 1000)).toBeGreaterThan(350)
  expect(Math.round(seen.downBps / 1000)).toBeLessThan(450)
})
