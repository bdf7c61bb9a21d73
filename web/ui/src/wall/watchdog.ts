/** What a tile may claim, decided from what was seen. A frozen picture never looks live. */

import type { CameraState } from '@/core/model'

/** A picture older than this is marked: with the tick of 0.1 s the mark stands within 2 s. */
export const STALE_MS = 1800
export const RECONNECT_MS = 4000
export const OFFLINE_MS = 15_000
export const LATE_MS = 1500
/** Frames that come but show the very same picture for longer than this: it is frozen. */
export const FROZEN_MS = 3000
/** Frames held back this long by the receiver: the picture is behind, whatever the cause. */
export const BUFFER_MS = 1000

export type TileState = 'connecting' | 'ok' | 'late' | 'stalled' | 'offline' | 'closed'
export const TILE_STATES: readonly TileState[] = ['ok', 'late', 'stalled', 'offline', 'connecting', 'closed']

export interface Evidence {
  /** A look is allowed now. */
  allowed: boolean
  /** What the box says of the camera; null while the server cannot be heard. */
  word: CameraState | null
  /** Since when a picture is wanted. */
  since: number
  lastFrameAt: number | null
  /** When the picture was last seen to change; null while nobody can tell. */
  changedAt: number | null
  latencyMs: number | null
  bufferMs: number | null
  /** Why the last try failed, until a frame comes. */
  failed: string | null
}

/** Decide a tile's state; of what the box says and what arrives here, the worse counts. */
export function judge(now: number, seen: Evidence): TileState {
  if (!seen.allowed) return 'closed'
  if (seen.word === 'lost' || seen.word === 'refused') return 'offline'
  if (seen.lastFrameAt === null) {
    return seen.failed !== null || now - seen.since > OFFLINE_MS ? 'offline' : 'connecting'
  }
  const silent = now - seen.lastFrameAt
  if (silent > OFFLINE_MS) return 'offline'
  if (silent > STALE_MS || seen.word === 'stalled') return 'stalled'
  if (isFrozen(now, seen)) return 'stalled'
  if ((seen.latencyMs ?? 0) > LATE_MS || (seen.bufferMs ?? 0) > BUFFER_MS) return 'late'
  return 'ok'
}

/** True when frames come and all show the same. */
export function isFrozen(now: number, { lastFrameAt, changedAt }: Pick<Evidence, 'lastFrameAt' | 'changedAt'>): boolean {
  if (lastFrameAt === null || changedAt === null) return false
  return now - lastFrameAt <= STALE_MS && now - changedAt > FROZEN_MS
}

/** True when a camera gives nothing, so that asking again soon would bring nothing. */
export function isHopeless(word: CameraState | null): boolean {
  return word === 'lost' || word === 'refused' || word === 'off'
}
