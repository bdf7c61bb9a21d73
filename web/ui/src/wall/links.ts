/** Which connection brings which camera's sub-stream; asks again when one brings nothing. */

import { ApiError } from '@/core/api'
import type { CameraState } from '@/core/model'
import { backOffMs } from '@/core/retry'
import { Connection, type LiveServer, MOST_TRACKS, type PeerFactory } from './connection'
import type { Tile } from './tile'
import { isHopeless, OFFLINE_MS, RECONNECT_MS } from './watchdog'

const MOVING_MS = 1000
/** Fed this long, a connection has proved itself and the next failure starts from the first step. */
const PROVED_MS = 10_000
/** Between tries where a try promises nothing. */
const HOPELESS_MS = 60_000
/** Cameras of a box come back one after the other: they are asked for together. */
const GATHER_MS = 400
/** Refusals that a second try will not change soon. */
const VAIN = new Set(['forbidden', 'h265', 'b_frames'])

/** Where a camera stands with its box. */
export interface Link {
  connection: Connection | null
  since: number
  attempts: number
  nextTryAt: number
  /** To be asked for without others. */
  isAlone: boolean
}

export interface LinkParts {
  server: LiveServer
  create: PeerFactory
  now: () => number
  random: () => number
  tileOf: (camera: string) => Tile | undefined
  /** What the box says of a camera, null while that is not to be believed. */
  wordOf: (camera: string) => CameraState | null
}

export function freshLink(now: number): Link {
  return { connection: null, since: now, attempts: 0, nextTryAt: 0, isAlone: false }
}

export class Links {
  private readonly links = new Map<string, Link>()

  constructor(private readonly parts: LinkParts) {}

  add(id: string): void {
    this.links.set(id, freshLink(this.parts.now()))
  }

  remove(id: string): void {
    this.release(id)
    this.links.delete(id)
  }

  /** Leave the camera's connection; the last one out closes it. */
  release(id: string): void {
    const link = this.links.get(id)
    const connection = link?.connection
    if (!link || !connection) return
    link.connection = null
    if (!this.membersOf(connection).length) connection.close()
  }

  releaseAll(): void {
    for (const id of this.links.keys()) this.release(id)
  }

  /** Ask again soon, whatever wait there was. */
  revive(id: string): void {
    const link = this.links.get(id)
    if (!link) return
    link.nextTryAt = this.parts.now() + GATHER_MS
    if (!link.connection) this.parts.tileOf(id)?.waitAnew()
  }

  /** Ask again at once for all, as if nothing had failed. */
  reviveAll(): void {
    for (const link of this.links.values()) Object.assign(link, { attempts: 0, nextTryAt: 0 })
  }

  connectionOf(id: string): Connection | null {
    return this.links.get(id)?.connection ?? null
  }

  connections(): Set<Connection> {
    const all = [...this.links.values()].map((link) => link.connection)
    return new Set(all.filter((connection) => connection !== null))
  }

  /** Group what is due by box, and ask each box once. */
  connect(): void {
    const now = this.parts.now()
    const groups = new Map<string, { ids: string[]; isDue: boolean }>()
    for (const [id, link] of this.links) {
      const tile = this.parts.tileOf(id)
      if (link.connection || !tile?.isAllowed || link.nextTryAt > now + GATHER_MS) continue
      const key = link.isAlone ? `${tile.camera.edge}\n${id}` : tile.camera.edge
      const group = groups.get(key) ?? { ids: [], isDue: false }
      group.ids.push(id)
      group.isDue ||= link.nextTryAt <= now
      groups.set(key, group)
    }
    for (const { ids, isDue } of groups.values()) {
      if (!isDue) continue
      for (let from = 0; from < ids.length; from += MOST_TRACKS) void this.open(ids.slice(from, from + MOST_TRACKS))
    }
  }

  /** Leave connections that bring nothing any more. */
  dropSilent(): void {
    const now = this.parts.now()
    for (const connection of this.connections()) {
      if (connection.isOpening) continue
      const ids = this.membersOf(connection)
      const quiet = (id: string) => now - this.lastSign(id)
      if (connection.isBroken || ids.every((id) => quiet(id) > RECONNECT_MS)) {
        this.drop(ids, null)
        continue
      }
      // The others' pictures come: it is the camera, and its track will move again when it does.
      const lone = ids.filter((id) => quiet(id) > OFFLINE_MS && !isHopeless(this.parts.wordOf(id)))
      if (lone.length) this.drop(lone, null)
      for (const id of ids) {
        const link = this.links.get(id)
        if (link && quiet(id) < MOVING_MS && now - link.since > PROVED_MS) link.attempts = 0
      }
    }
  }

  private async open(ids: readonly string[]): Promise<void> {
    const { server, create, now, tileOf } = this.parts
    const edge = tileOf(ids[0] as string)?.camera.edge ?? ''
    const connection = new Connection(server, edge, ids, 'sub', create)
    for (const id of ids) Object.assign(this.links.get(id) as Link, { connection, since: now() })
    try {
      const tracks = await connection.open()
      for (const id of this.membersOf(connection)) {
        const track = tracks.get(id)
        ;(this.links.get(id) as Link).since = now()
        if (track) tileOf(id)?.receive(track)
        else this.drop([id], connection.refusals.get(id) ?? 'no_track')
      }
    } catch (error) {
      this.refused(connection, error instanceof ApiError ? error.code : 'unexpected')
    }
  }

  private refused(connection: Connection, code: string): void {
    const ids = this.membersOf(connection)
    if (code !== 'outside_window') return this.drop(ids, code)
    for (const id of ids) {
      this.release(id)
      // One camera without an exam refuses the whole offer: each is asked for alone then.
      if (ids.length > 1) (this.links.get(id) as Link).isAlone = true
      else this.parts.tileOf(id)?.shut(HOPELESS_MS)
    }
  }

  private drop(ids: readonly string[], failed: string | null): void {
    const attempts = Math.max(0, ...ids.map((id) => this.links.get(id)?.attempts ?? 0))
    const wait = backOffMs(attempts, this.parts.random)
    for (const id of ids) {
      this.release(id)
      const link = this.links.get(id) as Link
      const isVain = VAIN.has(failed ?? '') || isHopeless(this.parts.wordOf(id))
      link.attempts = attempts + 1
      link.nextTryAt = this.parts.now() + (isVain ? HOPELESS_MS : wait)
      const tile = this.parts.tileOf(id)
      if (tile && failed) tile.failed = failed
    }
  }

  private membersOf(connection: Connection): string[] {
    return connection.cameras.filter((id) => this.links.get(id)?.connection === connection)
  }

  /** When the camera's track last moved, or was asked for. */
  private lastSign(id: string): number {
    return Math.max(this.links.get(id)?.since ?? 0, this.parts.tileOf(id)?.lastSubFrameAt ?? 0)
  }
}
