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
  /** What it hangs on; empty: unknown. */
  switch: string
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

export const ALERT_CLASSES = [
  'covered',
  'black',
  'moved',
  'frozen',
  'white',
  'defocused',
  'dark',
  'camera_down',
  'recording_stopped',
  'switch_down',
  'box_lost',
  'flood',
  'nobody_reachable',
] as const
export type AlertClass = (typeof ALERT_CLASSES)[number]
export type AlertState = 'raised' | 'delivered' | 'taken' | 'solved' | 'shelved'
export type Priority = 'high' | 'medium' | 'low'

/** How an alert fared with one duty phone. */
export interface Delivery {
  phone: string
  person: string
  state: 'sent' | 'undelivered' | 'delivered' | 'read' | 'taken' | 'declined'
  at: string
}

/** What the broker carries of an alert to a phone. */
export interface AlertTold {
  id: string
  class: AlertClass
  priority: Priority
  state: AlertState
  room: string | null
  camera: string | null
  session: string | null
  raised_at: string
  score: number | null
  model: string
  text_zh: string
  text_en: string
}

export interface Alert extends AlertTold {
  /** The condition still holds. */
  active: boolean
  room_name: string | null
  edge: string | null
  /** Where it is a switch that is down. */
  switch: string | null
  first_at: string
  count: number
  do_zh: string
  do_en: string
  act_within_s: number
  taken_by: string | null
  taken_at: string | null
  solved_by: string | null
  solved_at: string | null
  reason: string
  shelved_until: string | null
  delivery: Delivery[]
}

/** A duty phone's log-in at the broker, and the only topics it has there. */
export interface PhoneLogin {
  phone: string
  user: string
  password: string
  url: string
  subscribe: string
  text: string
  ack: string
  presence: string
}

export interface Reference {
  camera: string
  room: string
  room_name: string
  state: 'none' | 'candidate' | 'approved'
  /** The picture that waits, or the approved one. */
  sha256: string | null
  taken_at: string | null
  /** The approved picture, where another one waits. */
  approved: string | null
  approved_by: string | null
  approved_at: string | null
}

export interface ServerEvent {
  type: string
  id: string
  at: string
  data: unknown
}
