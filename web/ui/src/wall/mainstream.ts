/** The one camera that is seen large, by its main stream over the sub-stream. */

import { backOffMs } from '@/core/retry'
import { Connection } from './connection'
import { freshLink, type Link, type LinkParts } from './links'
import { RECONNECT_MS } from './watchdog'

export class MainStream {
  private readonly link: Link
  private isOver = false

  constructor(
    readonly camera: string,
    private readonly parts: LinkParts,
  ) {
    this.link = freshLink(parts.now())
  }

  /** Connect, or connect anew when nothing came. */
  tend(): void {
    const now = this.parts.now()
    const tile = this.parts.tileOf(this.camera)
    if (!tile?.isAllowed) return this.leave()
    const { connection } = this.link
    const isSilent = now - Math.max(this.link.since, tile.lastMainFrameAt ?? 0) > RECONNECT_MS
    if (connection && !connection.isOpening && (connection.isBroken || isSilent)) this.drop()
    if (!this.link.connection && this.link.nextTryAt <= now) void this.open(tile.camera.edge)
  }

  /** Read what has come in, for the tile. */
  async measure(): Promise<void> {
    const inbound = (await this.link.connection?.stats().catch(() => null))?.get(this.camera)
    if (inbound) this.parts.tileOf(this.camera)?.hearMain(inbound)
  }

  /** Close the connection for now. */
  leave(): void {
    this.link.connection?.close()
    this.link.connection = null
  }

  revive(): void {
    Object.assign(this.link, { attempts: 0, nextTryAt: 0 })
  }

  close(): void {
    this.isOver = true
    this.leave()
    this.parts.tileOf(this.camera)?.dropMain()
  }

  private async open(edge: string): Promise<void> {
    const { server, create, now, tileOf } = this.parts
    const connection = new Connection(server, edge, [this.camera], 'main', create)
    Object.assign(this.link, { connection, since: now() })
    try {
      const track = (await connection.open()).get(this.camera)
      this.link.since = now()
      if (track && this.link.connection === connection && !this.isOver) tileOf(this.camera)?.receiveMain(track)
    } catch {
      // The sub-stream stays, and its tile says what is wrong.
      if (this.link.connection === connection) this.drop()
    }
  }

  private drop(): void {
    this.leave()
    this.link.nextTryAt = this.parts.now() + backOffMs(this.link.attempts++, this.parts.random)
  }
}
