/** The browser's part: video elements, their buffers, and footage over HTTP. */

import type { Api } from '@/core/api'
import type { BufferPort, FootageSource } from './feed'
import { framesOf } from './frames'
import { Screen } from './screen'
import type { MakeScreen } from './player'

/** Make screens in these elements; `currentTime` 0 is `origin`, the last instant `end`. */
export function screensIn(
  hosts: ReadonlyMap<string, HTMLVideoElement>,
  origin: number,
  end: number,
): MakeScreen {
  return (reel, source, onMissing) => {
    const video = hosts.get(reel.camera) ?? document.createElement('video')
    return new Screen(reel, video, new VideoBuffer(video, origin, end), source, origin, onMissing)
  }
}

/** A SourceBuffer whose orders wait for each other. */
export class VideoBuffer implements BufferPort {
  private readonly media = new MediaSource()
  private readonly opened: Promise<void>
  private buffer: SourceBuffer | null = null
  private codec = ''
  private last: Promise<void> = Promise.resolve()

  constructor(
    video: HTMLVideoElement,
    private readonly origin: number,
    end: number,
  ) {
    const address = URL.createObjectURL(this.media)
    this.opened = new Promise((resolve) => {
      this.media.addEventListener(
        'sourceopen',
        () => {
          URL.revokeObjectURL(address)
          this.media.duration = (end - origin) / 1000
          resolve()
        },
        { once: true },
      )
    })
    video.src = address
  }

  accept(codec: string): boolean {
    const kind = `video/mp4; codecs="${codec}"`
    if (!MediaSource.isTypeSupported(kind)) return false
    if (this.codec !== codec) {
      this.codec = codec
      void this.inTurn(async () => {
        if (this.buffer) this.buffer.changeType(kind)
        else this.buffer = this.media.addSourceBuffer(kind)
      })
    }
    return true
  }

  append(data: ArrayBuffer, offsetMs: number): Promise<void> {
    return this.inTurn(() =>
      this.order((buffer) => {
        buffer.timestampOffset = (offsetMs - this.origin) / 1000
        buffer.appendBuffer(data)
      }),
    )
  }

  remove(from: number, to: number): Promise<void> {
    return this.inTurn(() =>
      this.order((buffer) => {
        const start = Math.max(0, (from - this.origin) / 1000)
        buffer.remove(start, Math.max(start + 0.001, (to - this.origin) / 1000))
      }),
    )
  }

  private inTurn(job: () => Promise<void>): Promise<void> {
    const mine = this.last.then(() => this.opened).then(job)
    this.last = mine.catch(() => {})
    return mine
  }

  private order(give: (buffer: SourceBuffer) => void): Promise<void> {
    const { buffer } = this
    if (!buffer) return Promise.resolve()
    if (this.media.readyState !== 'open') return Promise.reject(new Error('the browser gave the footage up'))
    return new Promise((resolve, reject) => {
      const stop = new AbortController()
      const end = (how: () => void) => () => {
        stop.abort()
        how()
      }
      buffer.addEventListener('updateend', end(resolve), { signal: stop.signal })
      buffer.addEventListener('error', end(() => reject(new Error('the footage could not be read'))), { signal: stop.signal })
      try {
        give(buffer)
      } catch (error) {
        stop.abort()
        reject(error)
      }
    })
  }
}

/** Footage of a play session. */
export function footageOf(api: Api, playback: string): FootageSource {
  return {
    frames: async (segment, signal) => framesOf(await api.segmentIndex(playback, segment, signal)),
    media: (segment, from, to, signal) => api.media(playback, segment, from, to, signal),
    keys: (segment, from, to, signal) => api.keyPictures(playback, segment, from, to, signal),
  }
}
