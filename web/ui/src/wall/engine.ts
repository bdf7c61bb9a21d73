/** Brings the wanted cameras to the wall and keeps them there; knows nothing of Vue. */

import { ApiError } from '@/core/api'
import type { ServerClock } from '@/core/clock'
import { backOffMs } from '@/core/retry'
import { Connection, createPeer, type LiveServer, MOST_TRACKS, type PeerFactory } from './connection'
import { Tile, type TileSnapshot, type WallCamera } from './tile'
import { isHopeless, OFFLINE_MS, RECONNECT_MS, type TileState } from './watchdog'

const TICK_MS = 100
const SECOND_MS = 1000
const HIDDEN_MS = 10_000
/** Fed this long, a connection has proved itself and the next failure starts from the first step. */
const PROVED_MS = 10_000
/** Between tries where a try promises nothing. */
const HOPELESS_MS = 60_000
/** Refusals that a second try will not change soon. */
const VAIN = new Set(['forbidden', 'h265', 'b_frames'])

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

/** Where a tile stands with its box. */
interface Link {
  connection: Connection | null
  since: number
  attempts: number
  nextTryAt: number
  isAlone: boolean
}

export class WallEngine {
  private readonly tiles = new Map<string, Tile>()
  private readonly links = new Map<string, Link>()
  private known = new Map<string, WallCamera>()
  private shown: readonly string[] = []
  private main: { camera: string; link: Link } | null = null
  private words = false
  private suspended = false
  private states = ''
  private sinceSecond = 0
  private hiding: ReturnType<typeof setTimeout> | undefined
  private readonly ticking: ReturnType<typeof setInterval>
  private readonly now: () => number
  private readonly random: () => number

  constructor(private readonly parts: EngineParts) {
    this.now = parts.now ?? (() => performance.now())
    this.random = parts.random ?? Math.random
    this.ticking = setInterval(() => this.tick(), TICK_MS)
    document.addEventListener('visibilitychange', this.onVisibility)
    addEventListener('pagehide', this.onPageHide)
    addEventListener('pageshow', this.onPageShow)
  }

  /** Learn what is known of the cameras: permission and the box's word. */
  know(cameras: readonly WallCamera[]): void {
    this.known = new Map(cameras.map((camera) => [camera.id, camera]))
    for (const [id, tile] of this.tiles) {
      const camera = this.known.get(id)
      if (camera) this.relearn(tile, camera)
    }
    this.tick()
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
    if (this.main?.camera === camera) return
    if (this.main) {
      this.main.link.connection?.close()
      this.tiles.get(this.main.camera)?.dropMain()
    }
    this.main = camera === null ? null : { camera, link: this.freshLink() }
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
    removeEventListener('pagehide', this.onPageHide)
    removeEventListener('pageshow', this.onPageShow)
    this.enlarge(null)
    this.show([])
  }

  // ------------------------------------------------------------ tiles

  private add(id: string): Tile | undefined {
    const camera = this.known.get(id)
    const existing = this.tiles.get(id)
    if (existing || !camera) return existing
    const tile = new Tile(camera, this.now, () => this.parts.clock.now(), this.parts.watermark)
    this.tiles.set(id, tile)
    this.links.set(id, this.freshLink())
    return tile
  }

  private remove(id: string): void {
    if (this.main?.camera === id) this.enlarge(null)
    this.release(id)
    this.tiles.get(id)?.close()
    this.tiles.delete(id)
    this.links.delete(id)
  }

  private relearn(tile: Tile, camera: WallCamera): void {
    const { camera: before } = tile
    tile.camera = camera
    const opened = camera.live && !before.live
    const revived = isHopeless(before.state) && !isHopeless(camera.state)
    const moved = camera.edge !== before.edge
    if (opened || moved) tile.outsideUntil = 0
    if (moved) this.release(camera.id)
    if (!camera.live) this.shut(camera.id)
    const link = this.links.get(camera.id)
    if (!link || !(opened || revived || moved)) return
    link.nextTryAt = 0
    if (!link.connection) tile.waitAnew()
  }

  /** Stop looking where no exam is under way. */
  private shut(id: string, forMs = 0): void {
    this.release(id)
    const tile = this.tiles.get(id)
    tile?.forget()
    if (tile && forMs) tile.outsideUntil = this.now() + forMs
    if (this.main?.camera !== id) return
    this.main.link.connection?.close()
    this.main.link.connection = null
  }

  private freshLink(): Link {
    return { connection: null, since: this.now(), attempts: 0, nextTryAt: 0, isAlone: false }
  }

  // ------------------------------------------------------------ connections

  private tick(): void {
    const now = this.now()
    if (!this.suspended) {
      this.dropSilent(now)
      this.connect(now)
      this.tendMain(now)
    }
    for (const tile of this.tiles.values()) tile.arrange()
    if (now - this.sinceSecond >= SECOND_MS) {
      this.sinceSecond = now
      void this.second()
    } else {
      this.publishChanges()
    }
  }

  /** Group what is due by box, and ask each box once. */
  private connect(now: number): void {
    const groups = new Map<string, string[]>()
    for (const [id, tile] of this.tiles) {
      const link = this.links.get(id) as Link
      if (link.connection || !tile.isAllowed || link.nextTryAt > now) continue
      const key = link.isAlone ? `${tile.camera.edge}\n${id}` : tile.camera.edge
      groups.set(key, [...(groups.get(key) ?? []), id])
    }
    for (const ids of groups.values()) {
      for (let from = 0; from < ids.length; from += MOST_TRACKS) void this.open(ids.slice(from, from + MOST_TRACKS))
    }
  }

  private async open(ids: readonly string[]): Promise<void> {
    const edge = this.tiles.get(ids[0] as string)?.camera.edge ?? ''
    const connection = new Connection(this.parts.server, edge, ids, 'sub', this.parts.create ?? createPeer)
    for (const id of ids) Object.assign(this.links.get(id) as Link, { connection, since: this.now() })
    try {
      const tracks = await connection.open()
      for (const id of this.membersOf(connection)) {
        const track = tracks.get(id)
        ;(this.links.get(id) as Link).since = this.now()
        if (track) this.tiles.get(id)?.receive(track)
        else this.drop([id], connection.refusals.get(id) ?? 'no_track')
      }
    } catch (error) {
      this.refused(connection, error instanceof ApiError ? error.code : 'unexpected')
    }
  }

  private refused(connection: Connection, code: string): void {
    const ids = this.membersOf(connection)
    if (code !== 'outside_window') return this.drop(ids, code)
    // One camera without an exam refuses the whole offer: each is asked for alone then.
    for (const id of ids) {
      this.release(id)
      if (ids.length > 1) (this.links.get(id) as Link).isAlone = true
      else this.shut(id, HOPELESS_MS)
    }
  }

  /** Leave connections that bring nothing any more. */
  private dropSilent(now: number): void {
    for (const connection of new Set([...this.links.values()].map((link) => link.connection))) {
      if (!connection || connection.isOpening) continue
      const ids = this.membersOf(connection)
      const quiet = (id: string) => now - this.lastSign(id)
      if (connection.isBroken || ids.every((id) => quiet(id) > RECONNECT_MS)) {
        this.drop(ids, null)
        continue
      }
      // The others' pictures come: it is the camera, and its track will move again when it does.
      const lone = ids.filter((id) => quiet(id) > OFFLINE_MS && !isHopeless(this.wordOf(id)))
      if (lone.length) this.drop(lone, null)
      for (const id of ids) {
        const link = this.links.get(id)
        if (link && quiet(id) < SECOND_MS && now - link.since > PROVED_MS) link.attempts = 0
      }
    }
  }

  private drop(ids: readonly string[], failed: string | null): void {
    const attempts = Math.max(0, ...ids.map((id) => this.links.get(id)?.attempts ?? 0))
    const wait = backOffMs(attempts, this.random)
    for (const id of ids) {
      this.release(id)
      const link = this.links.get(id) as Link
      const isVain = VAIN.has(failed ?? '') || isHopeless(this.wordOf(id))
      link.attempts = attempts + 1
      link.nextTryAt = this.now() + (isVain ? HOPELESS_MS : wait)
      const tile = this.tiles.get(id)
      if (tile && failed) tile.failed = failed
    }
  }

  private release(id: string): void {
    const link = this.links.get(id)
    const connection = link?.connection
    if (!link || !connection) return
    link.connection = null
    if (!this.membersOf(connection).length) connection.close()
  }

  private membersOf(connection: Connection): string[] {
    return connection.cameras.filter((id) => this.links.get(id)?.connection === connection)
  }

  /** When the camera's track last moved, or was asked for. */
  private lastSign(id: string): number {
    return Math.max(this.links.get(id)?.since ?? 0, this.tiles.get(id)?.lastSubFrameAt ?? 0)
  }

  private wordOf(id: string) {
    return this.words ? (this.known.get(id)?.state ?? null) : null
  }

  // ------------------------------------------------------------ the main stream

  private tendMain(now: number): void {
    if (!this.main) return
    const { camera, link } = this.main
    const tile = this.tiles.get(camera)
    if (!tile?.isAllowed) return
    const last = Math.max(link.since, tile.lastMainFrameAt ?? 0)
    const isSilent = link.connection?.isBroken || now - last > RECONNECT_MS
    if (link.connection && !link.connection.isOpening && isSilent) this.dropMain(link)
    if (!link.connection && link.nextTryAt <= now) void this.openMain(tile, link)
  }

  private async openMain(tile: Tile, link: Link): Promise<void> {
    const { id, edge } = tile.camera
    const connection = new Connection(this.parts.server, edge, [id], 'main', this.parts.create ?? createPeer)
    Object.assign(link, { connection, since: this.now() })
    try {
      const track = (await connection.open()).get(id)
      link.since = this.now()
      if (track && link.connection === connection && this.main?.link === link) tile.receiveMain(track)
    } catch {
      if (link.connection === connection) this.dropMain(link) // the sub-stream stays, and says what is wrong
    }
  }

  private dropMain(link: Link): void {
    link.connection?.close()
    link.connection = null
    link.nextTryAt = this.now() + backOffMs(link.attempts++, this.random)
  }

  // ------------------------------------------------------------ once a second

  private async second(): Promise<void> {
    for (const tile of this.tiles.values()) tile.mark()
    const connections = [...new Set([...this.links.values()].map((link) => link.connection))]
    await Promise.all(
      connections.map(async (connection) => {
        for (const [id, inbound] of (await connection?.stats().catch(() => null)) ?? []) {
          if (this.links.get(id)?.connection === connection) this.tiles.get(id)?.hear(inbound)
        }
      }),
    )
    const inbound = await this.main?.link.connection?.stats().catch(() => null)
    if (this.main && inbound) {
      const own = inbound.get(this.main.camera)
      if (own) this.tiles.get(this.main.camera)?.hearMain(own)
    }
    this.publish()
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

  // ------------------------------------------------------------ the page comes and goes

  private readonly onVisibility = (): void => {
    clearTimeout(this.hiding)
    if (document.hidden) this.hiding = setTimeout(() => this.suspend(), HIDDEN_MS)
    else this.resume()
  }

  private readonly onPageHide = (): void => this.suspend()
  private readonly onPageShow = (): void => this.resume()

  /** Leave every box; the last pictures stay, marked as old. */
  private suspend(): void {
    this.suspended = true
    for (const id of this.links.keys()) this.release(id)
    this.main?.link.connection?.close()
    if (this.main) this.main.link.connection = null
  }

  private resume(): void {
    if (!this.suspended) return
    this.suspended = false
    for (const link of this.links.values()) Object.assign(link, { attempts: 0, nextTryAt: 0 })
    if (this.main) Object.assign(this.main.link, { attempts: 0, nextTryAt: 0 })
    this.tick()
  }
}
