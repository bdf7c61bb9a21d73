/** Stand-ins for a browser's video and buffer, and for a box's footage, for tests. */

import type { Footage, FootageBytes } from '@/core/model'
import type { BufferPort, FootageSource } from './feed'
import { framesOf, type Frames } from './frames'
import type { VideoPort } from './screen'

export const T0 = Date.parse('2026-11-22T01:00:00Z')
export const FRAME_MS = 40
const FRAGMENT = 12
const GOP = 25
const BYTES = 1000
export const INIT = 700

/** A time that a test moves. */
export class Hand {
  now = 0
  read = (): number => this.now
}

export function footage(camera: string, startS: number, lengthS: number, more: Partial<Footage> = {}): Footage {
  const start = new Date(T0 + startS * 1000).toISOString()
  return { id: `${camera}-${startS}`, camera, start, end: new Date(T0 + (startS + lengthS) * 1000).toISOString(), bytes: 1, ...more }
}

/** Footage of 25 pictures a second with a key picture each second, in fragments that do not care. */
export function framesFor(one: Footage, codec = 'avc1.64001f'): Frames {
  const count = Math.round((Date.parse(one.end) - Date.parse(one.start)) / FRAME_MS)
  const fragments = []
  for (let first = 0; first < count; first += FRAGMENT) {
    const size = Math.min(FRAGMENT, count - first)
    const places = Array.from({ length: size }, (_, place) => place)
    fragments.push({
      at: INIT + first * BYTES,
      size: size * BYTES,
      begin: first * 3600,
      end: (first + size) * 3600,
      times: places.map((place) => (first + place) * 3600),
      keys: places.filter((place) => (first + place) % GOP === 0),
    })
  }
  return framesOf({ start: one.start, codec, init: INIT, bytes: INIT + count * BYTES, growing: false, fragments })
}

/** Serves footage and remembers what it was asked for. */
export class FakeFootage implements FootageSource {
  asked: { kind: 'media' | 'keys'; segment: string; from: number; to: number }[] = []
  /** Thrown instead of an answer, once each. */
  failures: unknown[] = []
  codec = 'avc1.64001f'
  /** Segments that come from the archive's copy. */
  copies = new Set<string>()
  private readonly known: Map<string, Footage>

  constructor(all: readonly Footage[]) {
    this.known = new Map(all.map((one) => [one.id, one]))
  }

  async frames(segment: string): Promise<Frames> {
    const frames = framesFor(this.known.get(segment) as Footage, this.codec)
    return { ...frames, isCopy: this.copies.has(segment) }
  }

  async media(segment: string, from: number, to: number): Promise<FootageBytes> {
    this.asked.push({ kind: 'media', segment, from, to })
    if (this.failures.length) throw this.failures.shift()
    return { data: new ArrayBuffer(8), isCopy: this.copies.has(segment) }
  }

  async keys(segment: string, from: number, to: number): Promise<FootageBytes> {
    this.asked.push({ kind: 'keys', segment, from, to })
    return { data: new ArrayBuffer(8), isCopy: this.copies.has(segment) }
  }
}

export class FakeBuffer implements BufferPort {
  appended: number[] = []
  removed: [number, number][] = []
  /** How often it is full before it takes something. */
  full = 0
  playable = true

  async append(_: ArrayBuffer, offsetMs: number): Promise<void> {
    if (this.full > 0) {
      this.full -= 1
      throw new DOMException('full', 'QuotaExceededError')
    }
    this.appended.push(offsetMs)
  }

  async remove(from: number, to: number): Promise<void> {
    this.removed.push([from, to])
  }

  accept = (): boolean => this.playable
}

/** A video that plays as the hand moves, off by as much as a test says. */
export class FakeVideo implements VideoPort {
  readyState = 4
  seeking = false
  paused = true
  playbackRate = 1
  jumps = 0
  private at = 0
  private since = 0

  constructor(private readonly hand: Hand) {}

  get currentTime(): number {
    return this.paused ? this.at : this.at + ((this.hand.now - this.since) / 1000) * this.playbackRate
  }

  set currentTime(seconds: number) {
    this.jumps += 1
    this.at = seconds
    this.since = this.hand.now
  }

  async play(): Promise<void> {
    this.since = this.hand.now
    this.paused = false
  }

  pause(): void {
    this.at = this.currentTime
    this.paused = true
  }
}

/** Let what was begun come to its end. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve()
}
