/** One camera on the wall: its pictures, its watchdog, its place in a connection. */

import type { CameraState } from '@/core/model'
import { Picture } from './picture'
import type { Inbound } from './stats'
import { judge, STALE_MS, type TileState } from './watchdog'
import { Watermark } from './watermark'

export interface WallCamera {
  id: string
  edge: string
  live: boolean
  state: CameraState
}

export interface TileSnapshot {
  camera: string
  state: TileState
  /** How long no frame has come; 0 while they come. */
  silentMs: number
  /** When the last picture was shown, by the server's clock. */
  lastPictureAt: number | null
  latencyMs: number | null
  bps: number
  fps: number
  /** All that flows here, the pictures underneath too. */
  downBps: number
  failed: string | null
  isMain: boolean
  isBlanked: boolean
}

export class Tile {
  /** Holds the pictures and the watermark; put into the page once and left there. */
  readonly root = document.createElement('div')
  private front: Picture | null = null
  private coming: Picture | null = null
  private main: Picture | null = null
  private readonly watermark: Watermark
  failed: string | null = null
  /** Refused because no exam is under way, whatever the camera list says. */
  private outsideUntil = 0

  constructor(
    public camera: WallCamera,
    private readonly now: () => number,
    private readonly serverNow: () => number,
    watermarkText: () => string,
    private since = now(),
  ) {
    this.root.className = 'pictures'
    this.watermark = new Watermark(this.root, watermarkText)
  }

  /** Take a new track: what is shown stays until its first frame. */
  receive(track: MediaStreamTrack): void {
    this.coming?.close()
    const picture: Picture = new Picture(track, this.now, () => {
      this.front?.close()
      this.front = picture
      this.coming = null
      this.failed = null
    })
    this.coming = picture
    this.root.prepend(picture.video)
  }

  /** Take the main stream; it lies over the sub-stream from its first frame on. */
  receiveMain(track: MediaStreamTrack): void {
    this.main?.close()
    this.main = new Picture(track, this.now, () => this.arrange())
    this.main.video.classList.add('main')
    this.watermark.under(this.main.video)
    this.arrange()
  }

  dropMain(): void {
    this.main?.close()
    this.main = null
  }

  /** Show nothing any more: the time to look is over. Refused for that, it is not asked for `forMs`. */
  shut(forMs = 0): void {
    for (const picture of this.pictures) picture.close()
    this.front = this.coming = this.main = null
    this.outsideUntil = this.now() + forMs
  }

  /** The time to look has come. */
  open(): void {
    this.outsideUntil = 0
  }

  /** Begin anew to wait for a picture. */
  waitAnew(): void {
    this.since = this.now()
    this.failed = null
  }

  hear(inbound: Inbound): void {
    ;(this.coming ?? this.front)?.hear(inbound, this.serverNow())
  }

  hearMain(inbound: Inbound): void {
    this.main?.hear(inbound, this.serverNow())
  }

  get lastFrameAt(): number | null {
    const seen = [this.front?.lastFrameAt, this.main?.lastFrameAt].filter((at) => typeof at === 'number')
    return seen.length ? Math.max(...seen) : null
  }

  /** When the picture from the connection's own track last moved. */
  get lastSubFrameAt(): number | null {
    return this.coming ? this.coming.lastFrameAt : (this.front?.lastFrameAt ?? null)
  }

  get lastMainFrameAt(): number | null {
    return this.main?.lastFrameAt ?? null
  }

  /** Keep the freshest picture on top. */
  arrange(): void {
    this.main?.video.classList.toggle('on', this.isFresh(this.main))
  }

  state(words: boolean): TileState {
    return judge(this.now(), {
      allowed: this.isAllowed,
      word: words ? this.camera.state : null,
      since: this.since,
      lastFrameAt: this.lastFrameAt,
      latencyMs: this.seen?.latencyMs ?? null,
      bufferMs: this.seen?.flow.bufferMs ?? null,
      failed: this.failed,
    })
  }

  get isAllowed(): boolean {
    return this.camera.live && this.now() >= this.outsideUntil
  }

  /** Draw the watermark anew; a tile that cannot carry it shows nothing. */
  mark(): void {
    this.root.classList.toggle('blanked', !this.watermark.renew())
  }

  snapshot(words: boolean): TileSnapshot {
    const last = this.lastFrameAt
    const silent = last === null ? 0 : this.now() - last
    return {
      camera: this.camera.id,
      state: this.state(words),
      silentMs: silent > STALE_MS ? silent : 0,
      lastPictureAt: last === null ? null : this.serverNow() - silent,
      latencyMs: this.seen?.latencyMs ?? null,
      bps: this.seen?.flow.bps ?? 0,
      fps: this.seen?.flow.fps ?? 0,
      downBps: silent > STALE_MS ? 0 : this.pictures.reduce((sum, picture) => sum + picture.flow.bps, 0),
      failed: this.failed,
      isMain: this.isFresh(this.main),
      isBlanked: this.root.classList.contains('blanked'),
    }
  }

  close(): void {
    this.shut()
    this.watermark.close()
    this.root.remove()
  }

  /** The picture on top. */
  private get seen(): Picture | null {
    return this.isFresh(this.main) ? this.main : this.front
  }

  private get pictures(): Picture[] {
    return [this.front, this.coming, this.main].filter((picture) => picture !== null)
  }

  private isFresh(picture: Picture | null): boolean {
    const last = picture?.lastFrameAt ?? null
    return last !== null && this.now() - last <= STALE_MS
  }
}
