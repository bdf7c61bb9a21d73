/** A play session and its player: opened with a reason or for an alert, closed when nobody looks. */

import type { Api, ApiError } from '@/core/api'
import type { Footage, Playback } from '@/core/model'
import { Player, type PlayerSnapshot } from './player'
import { footageOf, screensIn } from './theatre'

export interface WatchingEvents {
  onChange(snapshot: PlayerSnapshot): void
  onJump(from: number, to: number): void
  onEnd(): void
  onOver(error: ApiError): void
  /** The list of recordings is no longer right. */
  onStale(): void
}

export class Watching {
  readonly player: Player
  private isClosed = false

  constructor(
    private readonly api: Api,
    readonly session: Playback,
    hosts: ReadonlyMap<string, HTMLVideoElement>,
    at: number,
    events: WatchingEvents,
  ) {
    const [origin, end] = [Date.parse(session.from), Date.parse(session.to)]
    // A segment may begin before the session's span: the key picture that leads in does.
    const screens = screensIn(hosts, origin - LEAD_MS, end + LEAD_MS)
    this.player = new Player(session.cameras, at, footageOf(api, session.id), screens, {
      onChange: events.onChange,
      onJump: events.onJump,
      onEnd: events.onEnd,
      onOver: events.onOver,
      onMissing: events.onStale,
      onPlayed: (played, isLast) => void this.api.reportPlayed(session.id, played, isLast).catch(() => {}),
    })
    addEventListener('pagehide', this.close)
  }

  load(footage: readonly Footage[]): void {
    this.player.load(footage)
  }

  /** End it; what was played is told first. */
  close = (): void => {
    if (this.isClosed) return
    this.isClosed = true
    removeEventListener('pagehide', this.close)
    this.player.close()
  }
}

const LEAD_MS = 3_600_000
