/** Stand-ins for what a browser and the server do, for tests. */

import { vi } from 'vitest'
import { ApiError } from '@/core/api'
import type { LiveAnswer, Stream } from '@/core/model'
import type { LiveServer } from './connection'

/** A peer connection whose tracks a test can feed. */
export class FakePeer {
  static all: FakePeer[] = []
  connectionState = 'new'
  localDescription: { sdp: string } | null = null
  isClosed = false
  preferences: string[][] = []
  readonly transceivers: { mid: string; receiver: { track: FakeTrack } }[] = []
  report = new Map<string, unknown>()

  constructor() {
    FakePeer.all.push(this)
  }

  addTransceiver() {
    const transceiver = {
      mid: String(this.transceivers.length),
      receiver: { track: new FakeTrack() },
      setCodecPreferences: (codecs: { mimeType: string }[]) =>
        this.preferences.push(codecs.map((codec) => codec.mimeType)),
    }
    this.transceivers.push(transceiver)
    return transceiver
  }

  createOffer = async () => ({ type: 'offer', sdp: 'offer' })
  setLocalDescription = async (description: { sdp: string }) => void (this.localDescription = description)
  setRemoteDescription = async () => void (this.connectionState = 'connected')
  getStats = async () => this.report

  /** Ends the tracks; like a browser, each then shows one black frame. */
  close(): void {
    this.isClosed = true
    for (const { receiver } of this.transceivers) {
      receiver.track.readyState = 'ended'
      receiver.track.frame()
    }
  }
}

export class FakeTrack {
  readyState = 'live'
  /** What the frames show: another picture each time, unless frozen. */
  picture = 0
  isFrozen = false

  /** Show a frame on every video that plays this track. */
  frame(metadata: object = {}): void {
    if (!this.isFrozen) this.picture += 1
    for (const video of videos) {
      if ((video.srcObject as FakeStream | null)?.tracks.includes(this)) showFrame(video, metadata)
    }
  }
}

/** Pixels that tell which picture a video showed. */
class FakeContext {
  private pixels = new Uint8ClampedArray(4)

  drawImage(video: HTMLVideoElement): void {
    const picture = (video.srcObject as FakeStream | null)?.tracks[0]?.picture ?? 0
    this.pixels = Uint8ClampedArray.of(picture >> 8, picture & 255, 0, 255)
  }

  getImageData = () => ({ data: this.pixels })
}

class FakeStream {
  constructor(readonly tracks: FakeTrack[]) {}
}

const videos = new Set<HTMLVideoElement>()
const waiting = new WeakMap<HTMLVideoElement, (now: number, metadata: object) => void>()

function showFrame(video: HTMLVideoElement, metadata: object): void {
  const callback = waiting.get(video)
  waiting.delete(video)
  callback?.(performance.now(), metadata)
}

/** Teach jsdom what a browser with pictures can do. */
export function installBrowser(): void {
  FakePeer.all = []
  videos.clear()
  vi.stubGlobal('MediaStream', FakeStream)
  vi.stubGlobal('RTCRtpReceiver', {
    getCapabilities: () => ({
      codecs: ['video/VP8', 'video/rtx', 'video/H264', 'video/AV1'].map((mimeType) => ({ mimeType })),
    }),
  })
  Object.defineProperty(HTMLVideoElement.prototype, 'requestVideoFrameCallback', {
    configurable: true,
    value(this: HTMLVideoElement, callback: (now: number, metadata: object) => void) {
      videos.add(this)
      waiting.set(this, callback)
      return 1
    },
  })
  Object.defineProperty(HTMLVideoElement.prototype, 'pause', { configurable: true, value: vi.fn() })
  Object.defineProperty(HTMLVideoElement.prototype, 'readyState', { configurable: true, get: () => 4 })
  Object.defineProperty(HTMLElement.prototype, 'getBoundingClientRect', {
    configurable: true,
    value: () => new DOMRect(0, 0, 100, 60),
  })
  Object.defineProperty(HTMLCanvasElement.prototype, 'getContext', { configurable: true, value: () => new FakeContext() })
}

/** A server that answers every offer, unless told to refuse. */
export class FakeServer implements LiveServer {
  asked: { edge: string; cameras: string[]; stream: Stream }[] = []
  ended: string[] = []
  refuse: (cameras: string[]) => string | null = () => null
  /** Answers wait for this. */
  gate: Promise<void> = Promise.resolve()

  async openLive(edge: string, cameras: { id: string; stream: Stream }[]): Promise<LiveAnswer> {
    const ids = cameras.map((camera) => camera.id)
    this.asked.push({ edge, cameras: ids, stream: cameras[0]?.stream ?? 'sub' })
    const location = `/api/v1/live/${this.asked.length}`
    await this.gate
    const code = this.refuse(ids)
    if (code) throw new ApiError(code, 403)
    return { sdp: 'answer', location, refused: [], tracks: ids.map((camera, index) => ({ mid: String(index), camera })) }
  }

  async closeLive(location: string): Promise<void> {
    this.ended.push(location)
  }
}
