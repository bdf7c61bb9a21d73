/** One peer connection to one box, carrying up to sixteen cameras. */

import type { LiveAnswer, Stream } from '@/core/model'
import { type Inbound, inboundByMid } from './stats'

export const MOST_TRACKS = 16

export interface LiveServer {
  openLive(edge: string, cameras: { id: string; stream: Stream }[], sdp: string): Promise<LiveAnswer>
  closeLive(location: string): Promise<void>
}

export type PeerFactory = () => RTCPeerConnection

/** A peer that asks nobody outside the campus for addresses. */
export const createPeer: PeerFactory = () =>
  new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' })

export class Connection {
  private readonly peer: RTCPeerConnection
  private location = ''
  private closed = false
  /** Until the box has answered. */
  isOpening = true
  /** Cameras the box cannot show, with its reason. */
  refusals: ReadonlyMap<string, string> = new Map()
  private cameraOfMid = new Map<string, string>()

  constructor(
    private readonly server: LiveServer,
    readonly edge: string,
    readonly cameras: readonly string[],
    readonly stream: Stream,
    create: PeerFactory = createPeer,
  ) {
    this.peer = create()
  }

  /** Ask the box; give each camera's track. Raises what the server refused with. */
  async open(): Promise<Map<string, MediaStreamTrack>> {
    try {
      return await this.ask()
    } finally {
      this.isOpening = false
    }
  }

  /** True when the connection will not come back by itself. */
  get isBroken(): boolean {
    return this.closed || this.peer.connectionState === 'failed' || this.peer.connectionState === 'closed'
  }

  /** Give what has come in so far, by camera. */
  async stats(): Promise<Map<string, Inbound>> {
    if (this.closed) return new Map()
    const byMid = inboundByMid((await this.peer.getStats()) as unknown as Iterable<[string, unknown]>)
    const byCamera = new Map<string, Inbound>()
    for (const [mid, inbound] of byMid) {
      const camera = this.cameraOfMid.get(mid)
      if (camera) byCamera.set(camera, inbound)
    }
    return byCamera
  }

  /** End the look here and at the server. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.peer.close()
    this.end()
  }

  private async ask(): Promise<Map<string, MediaStreamTrack>> {
    const transceivers = this.cameras.map(() => this.peer.addTransceiver('video', { direction: 'recvonly' }))
    transceivers.forEach(preferH264)
    await this.peer.setLocalDescription(await this.peer.createOffer())
    if (this.closed) return new Map()
    const wanted = this.cameras.map((id) => ({ id, stream: this.stream }))
    // Sent before candidates are gathered: the browser checks against the box's own.
    const answer = await this.server.openLive(this.edge, wanted, this.peer.localDescription?.sdp ?? '')
    this.location = answer.location
    if (this.closed) {
      this.end()
      return new Map()
    }
    await this.peer.setRemoteDescription({ type: 'answer', sdp: answer.sdp })
    this.refusals = new Map(answer.refused.map(({ camera, code }) => [camera, code]))
    this.cameraOfMid = new Map(answer.tracks.map(({ mid, camera }) => [mid, camera]))
    const tracks = new Map<string, MediaStreamTrack>()
    for (const { mid, receiver } of transceivers) {
      const camera = mid === null ? undefined : this.cameraOfMid.get(mid)
      if (camera) tracks.set(camera, receiver.track)
    }
    return tracks
  }

  private end(): void {
    if (!this.location) return
    // The server also ends what nobody receives any more, so a lost farewell costs nothing.
    this.server.closeLive(this.location).catch(() => {})
    this.location = ''
  }
}

/** Browsers may choose VP8 otherwise, and the box sends H.264 as the camera made it. */
function preferH264(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs ?? []
  const h264 = codecs.filter((codec) => codec.mimeType.toLowerCase() === 'video/h264')
  const repair = codecs.filter((codec) => /\/(rtx|red|ulpfec)$/i.test(codec.mimeType))
  if (h264.length) transceiver.setCodecPreferences([...h264, ...repair])
}
