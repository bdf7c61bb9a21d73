/** One video element and the proof that it moves. */

export interface Frame {
  /** How old the frame was when it was shown; null where the browser cannot know. */
  latencyMs: number | null
}

export class Picture {
  readonly video: HTMLVideoElement
  lastFrameAt: number | null = null
  latencyMs: number | null = null
  private decoded = 0
  private closed = false

  constructor(
    track: MediaStreamTrack,
    private readonly now: () => number,
    private readonly onFirstFrame: () => void = () => {},
  ) {
    this.video = bareVideo()
    this.video.srcObject = new MediaStream([track])
    this.watch()
  }

  /** Hear how many frames were decoded: the only proof while the browser shows nothing. */
  hearDecoded(frames: number): void {
    if (frames > this.decoded && !this.isShown()) this.frame({ latencyMs: null })
    this.decoded = frames
  }

  close(): void {
    this.closed = true
    this.video.srcObject = null
    this.video.remove()
  }

  private watch(): void {
    if (!('requestVideoFrameCallback' in this.video)) return
    this.video.requestVideoFrameCallback((_, frame) => {
      if (this.closed) return
      this.frame({ latencyMs: latencyOf(frame) })
      this.watch()
    })
  }

  private frame({ latencyMs }: Frame): void {
    const isFirst = this.lastFrameAt === null
    this.lastFrameAt = this.now()
    this.latencyMs = latencyMs
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
