/** Brings the wanted cameras to the wall and keeps them there; knows nothing of Vue. */

import type { ServerClock } from '@/core/clock'
import { createPeer, type LiveServer, type PeerFactory } from './connection'
import { type LinkParts, Links } from './links'
import { MainStream } from './mainstream'
import { Tile, type TileSnapshot, type WallCamera } from './tile'
import { isHopeless, type TileState } from './watchdog'

const TICK_MS = 100
const SECOND_MS = 1000
const HIDDEN_MS = 10_000

export interface Snapshot {
  tiles: Record<string, TileSnapshot>
  counts: Record<TileState, number>
  downBps: number
}

export interface EngineParts {
  server: LiveServer
  clock: ServerClock
  watermark: () => string
  onSnapshot: (snapshot: Snapshot) => void
  create?: PeerFactory
  now?: () => number
  random?: () => number
}

export class WallEngine {
  private readonly tiles = new Map<string, Tile>()
  private readonly link: LinkParts
  private readonly links: Links
  private readonly ticking: ReturnType<typeof setInterval>
  private readonly now: () => number
  private known = new Map<string, WallCamera>()
  private shown: readonly string[] = []
  private main: MainStream | null = null
  private words = false
  private suspended = false
  private states = ''
  private secondAt = 0
  private hiding: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly parts: EngineParts) {
    this.now = parts.now ?? (() => performance.now())
    this.link = {
      server: parts.server,
      create: parts.create ?? createPeer,
      now: this.now,
      random: parts.random ?? Math.random,
      tileOf: (id) => this.tiles.get(id),
      wordOf: (id) => (this.words ? (this.known.get(id)?.state ?? null) : null),
    }
    this.links = new Links(this.link)
    this.ticking = setInterval(() => this.tick(), TICK_MS)
    document.addEventListener('visibilitychange', this.onVisibility)
    addEventListener('pagehide', this.suspend)
    addEventListener('pageshow', this.resume)
  }

  /** Learn what is known of the cameras: permission and the box's word. */
  know(cameras: readonly WallCamera[]): void {
    this.known = new Map(cameras.map((camera) => [camera.id, camera]))
    for (const [id, tile] of this.tiles) {
      const camera = this.known.get(id)
      if (camera) this.relearn(tile, camera)
    }
    this.publishChanges()
  }

  /** Say whether the box's words are fresh; stale ones are not believed. */
  believe(words: boolean): void {
    this.words = words
  }

  /** Show these cameras; `ahead` are made ready unseen. */
  show(cameras: readonly string[], ahead: readonly string[] = []): void {
    this.shown = cameras
    const wanted = new Set([...cameras, ...ahead])
    for (const id of [...this.tiles.keys()]) if (!wanted.has(id)) this.remove(id)
    for (const id of wanted) this.add(id)
    this.tick()
  }

  /** Show one camera by its main stream, or none. */
  enlarge(camera: string | null): void {
    if ((this.main?.camera ?? null) === camera) return
    this.main?.close()
    this.main = camera === null ? null : new MainStream(camera, this.link)
    this.tick()
  }

  /** Put a tile's pictures into the page, once. */
  mount(camera: string, host: HTMLElement): void {
    const tile = this.add(camera)
    if (tile && tile.root.parentNode !== host) host.prepend(tile.root)
    tile?.mark()
  }

  close(): void {
    clearInterval(this.ticking)
    clearTimeout(this.hiding)
    document.removeEventListener('visibilitychange', this.onVisibility)
    removeEventListener('pagehide', this.suspend)
    removeEventListener('pageshow', this.resume)
    this.enlarge(null)
    this.show([])
  }

  private add(id: string): Tile | undefined {
    const camera = this.known.get(id)
    const existing = this.tiles.get(id)
    if (existing || !camera) return existing
    const tile = new Tile(camera, this.now, () => this.parts.clock.now(), this.parts.watermark)
    this.tiles.set(id, tile)
    this.links.add(id)
    return tile
  }

  private remove(id: string): void {
    if (this.main?.camera === id) this.enlarge(null)
    this.links.remove(id)
    this.tiles.get(id)?.close()
    this.tiles.delete(id)
  }

  private relearn(tile: Tile, camera: WallCamera): void {
    const before = tile.camera
    tile.camera = camera
    const hasOpened = camera.live && !before.live
    const hasMoved = camera.edge !== before.edge
    const hasRevived = isHopeless(before.state) && !isHopeless(camera.state)
    if (hasOpened || hasMoved) tile.open()
    if (!camera.live) tile.shut()
    if (hasMoved || !camera.live) this.links.release(camera.id)
    if (hasOpened || hasMoved || hasRevived) this.links.revive(camera.id)
  }

  private tick(): void {
    if (!this.suspended) {
      this.links.dropSilent()
      this.links.connect()
      this.main?.tend()
    }
    for (const tile of this.tiles.values()) tile.arrange()
    this.publishChanges()
    if (this.now() - this.secondAt < SECOND_MS) return
    this.secondAt = this.now()
    void this.measure().then(() => this.publish())
  }

  /** Once a second: watermarks drawn anew, and what has come in. */
  private async measure(): Promise<void> {
    for (const tile of this.tiles.values()) tile.mark()
    const reading = [...this.links.connections()].map(async (connection) => {
      for (const [id, inbound] of (await connection.stats().catch(() => null)) ?? []) {
        if (this.links.connectionOf(id) === connection) this.tiles.get(id)?.hear(inbound)
      }
    })
    await Promise.all([...reading, this.main?.measure()])
  }

  private publishChanges(): void {
    const states = this.shown.map((id) => this.tiles.get(id)?.state(this.words)).join()
    if (states !== this.states) this.publish()
  }

  private publish(): void {
    const tiles: Record<string, TileSnapshot> = {}
    const counts: Record<TileState, number> = { ok: 0, late: 0, stalled: 0, offline: 0, connecting: 0, closed: 0 }
    let downBps = 0
    for (const id of this.shown) {
      const snapshot = this.tiles.get(id)?.snapshot(this.words)
      if (!snapshot) continue
      tiles[id] = snapshot
      counts[snapshot.state] += 1
      downBps += snapshot.downBps
    }
    this.states = this.shown.map((id) => tiles[id]?.state).join()
    this.parts.onSnapshot({ tiles, counts, downBps })
  }

  private readonly onVisibility = (): void => {
    clearTimeout(this.hiding)
    if (document.hidden) this.hiding = setTimeout(this.suspend, HIDDEN_MS)
    else this.resume()
  }

  /** Leave every box; the last pictures stay, marked as old. */
  private readonly suspend = (): void => {
    this.suspended = true
    this.links.releaseAll()
    this.main?.leave()
  }

  private readonly resume = (): void => {
    if (!this.suspended) return
    this.suspended = false
    this.links.reviveAll()
    this.main?.revive()
    this.tick()
  }
}
