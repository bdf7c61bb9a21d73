/** What the server says and takes, field by field. Instants are ISO 8601 text with an offset. */

export type Role = 'exam_office' | 'patrol' | 'operator' | 'sys_admin' | 'auditor'
export const ROLES: readonly Role[] = ['exam_office', 'patrol', 'operator', 'sys_admin', 'auditor']

export interface List<T> {
  items: T[]
  next: string | null
}

export interface Me {
  user: string
  name: string
  roles: Role[]
  csrf: string
  site: { name: string; timezone: string }
  now: string
}

export interface Room {
  id: string
  name: string
  building: string
  campus: string
  capacity: number | null
  cameras: string[]
}

export type CameraState = 'off' | 'connecting' | 'streaming' | 'stalled' | 'refused' | 'lost' | 'unknown'

export interface Camera {
  id: string
  room: string
  room_name: string
  edge: string
  state: CameraState
  cause: string
  last_frame_at: string | null
  recording: boolean
  bitrate_bps: number
  /** A look is allowed now. */
  live: boolean
}

export interface Edge {
  id: string
  state: string
  at: string | null
  epoch: number
  revision: number
  clock_trusted: boolean
  free_bytes: number | null
  enrolled_at: string | null
  revoked_at: string | null
  cameras: string[]
}

export interface Course {
  code: string
  name: string
}

export interface PlannedSession {
  id: string
  room: string
  room_name: string
  campus: string
  start: string
  end: string
  courses: Course[]
  headcount: number | null
  invigilators: string[]
}

export type SessionState = 'PLANNED' | 'ARMED' | 'RUNNING' | 'ENDING' | 'ENDED' | 'CANCELLED'

export interface Session extends PlannedSession {
  window_start: string
  window_end: string
  state: SessionState
}

export type Verdict = 'ok' | 'warn' | 'reject'

export interface TimetableRow {
  sheet: string
  row: number
  verdict: Verdict
  code: string
  message_zh: string
  message_en: string
}

export interface StagedTimetable {
  id: string
  rows: TimetableRow[]
  diff: {
    added: PlannedSession[]
    removed: PlannedSession[]
    changed: { before: PlannedSession; after: PlannedSession }[]
    unchanged: number
  }
  columns: Record<string, string>
}

export interface Applied {
  added: number
  removed: number
  changed: number
}

export interface Recording {
  id: string
  camera: string
  start: string
  end: string
  bytes: number
  root: string
  retain_until: string
  held: boolean
}

export interface LedgerRow {
  id: number
  at: string
  actor: string
  action: string
  object: string
  reason: string
  result: string
  source: string
  hash: string
}

export interface User {
  user: string
  name: string
  roles: Role[]
  disabled: boolean
}

export interface Invitation {
  code: string
  expires_at: string
}

/** Planned seconds that are not recorded, and what the box said of them. */
export interface Missing {
  start: string
  end: string
  seconds: number
  cause: string
}

export interface Coverage {
  session: string
  cameras: { camera: string; missing: Missing[] }[]
}

export type Stream = 'main' | 'sub'

export interface LiveAnswer {
  sdp: string
  tracks: { mid: string; camera: string }[]
  /** Cameras that cannot be shown, and why. */
  refused: { camera: string; code: string }[]
  /** Where the look is ended. */
  location: string
}

export interface ServerEvent {
  type: string
  id: string
  at: string
  data: unknown
}
