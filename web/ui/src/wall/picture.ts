/** One video element, the proof that it moves, and how much flows to it. */

import { type Flow, flowBetween, type Inbound } from './stats'
import { Stillness } from './stillness'

const STILL: Flow = { bps: 0, fps: 0, bufferMs: null }
/** Of the time that passed, so much must have passed in the picture too. */
const LEAST_PACE = 0.25
const RTP_PER_MS = 90
/** A sender whose clock is further away than this tells nothing of latency. */
const STRANGE_MS = 60_000

export class Picture {
  readonly video: HTMLVideoElement
  lastFrameAt: number | null = null
  flow = STILL
  private readonly stillness = new Stillness()
  private captureLatencyMs: number | null = null
  private senderLatencyMs: number | null = null
  private before: Inbound | null = null
  private frameBefore: { at: number; rtp: number } | null = null
  private isOver = false

  constructor(
    private readonly track: MediaStreamTrack,
    private readonly now: () => number,
    private readonly onFirstFrame: () => void = () => {},
  ) {
    this.video = bareVideo()
    this.video.srcObject = new MediaStream([track])
    this.watch()
  }

  /** Hear what has come in; decoded frames are the only proof while the browser shows nothing. */
  hear(inbound: Inbound, serverNow: number): void {
    const { before } = this
    this.before = inbound
    if (inbound.framesDecoded > (before?.framesDecoded ?? 0) && !this.isShown()) this.frame(null)
    if (before) this.flow = flowBetween(before, inbound)
    const latency = inbound.playoutAt === null ? -1 : serverNow - inbound.playoutAt
    this.senderLatencyMs = latency >= 0 && latency < STRANGE_MS ? latency : null
  }

  /** How old the frame was when it was shown; null where the browser cannot know. */
  get latencyMs(): number | null {
    return this.captureLatencyMs ?? this.senderLatencyMs
  }

  /** Look whether the picture itself changes; what is not shown cannot be looked at. */
  look(): void {
    if (this.isOver) return
    if (this.isShown()) this.stillness.look(this.video, this.now())
    else this.stillness.forget()
  }

  /** When another picture than the one before was last seen; null while nobody can tell. */
  get changedAt(): number | null {
    return this.stillness.changedAt
  }

  /** Keep the last frame in view: a track that ends would paint black, and count as a frame. */
  freeze(): void {
    this.isOver = true
    this.video.pause()
  }

  close(): void {
    this.isOver = true
    this.video.srcObject = null
    this.video.remove()
  }

  private watch(): void {
    if (!('requestVideoFrameCallback' in this.video)) return
    this.video.requestVideoFrameCallback((_, frame) => {
      if (this.isOver || this.track.readyState !== 'live') return
      if (this.proves(frame)) this.frame(latencyOf(frame))
      this.watch()
    })
  }

  /** Old pictures that are sent once more are no sign of life: their time stamps hardly advance. */
  private proves({ rtpTimestamp }: VideoFrameCallbackMetadata): boolean {
    if (rtpTimestamp === undefined) return true
    const before = this.frameBefore
    this.frameBefore = { at: this.now(), rtp: rtpTimestamp }
    if (!before) return true
    const stepMs = ((rtpTimestamp - before.rtp) | 0) / RTP_PER_MS // 32 bits, and they wrap
    return stepMs >= (this.now() - before.at) * LEAST_PACE
  }

  private frame(latencyMs: number | null): void {
    const isFirst = this.lastFrameAt === null
    this.lastFrameAt = this.now()
    this.captureLatencyMs = latencyMs
    if (isFirst) this.onFirstFrame()
  }

  /** A hidden or scrolled-away video is decoded but not painted. */
  private isShown(): boolean {
    if (document.hidden || !('requestVideoFrameCallback' in this.video)) return false
    const box = this.video.getBoundingClientRect()
    const isInside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth
    return this.video.isConnected && isInside && box.width > 0
  }
}

/** A video element that offers no way to take its picture along. */
export function bareVideo(): HTMLVideoElement {
  const video = document.createElement('video')
  video.muted = true
  video.autoplay = true
  video.playsInline = true
  video.disablePictureInPicture = true
  video.disableRemotePlayback = true
  video.setAttribute('controlslist', 'nodownload noremoteplayback nofullscreen')
  video.tabIndex = -1
  video.oncontextmenu = (event) => event.preventDefault()
  video.ondragstart = (event) => event.preventDefault()
  return video
}

function latencyOf(frame: VideoFrameCallbackMetadata): number | null {
  if (frame.captureTime === undefined) return null
  const latency = frame.expectedDisplayTime - frame.captureTime
  return latency >= 0 ? latency : null
}
