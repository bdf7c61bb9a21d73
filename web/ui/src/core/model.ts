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
  /** Of the rule's first article; empty: unknown. */
  category: string
  start: string
  end: string
  courses: Course[]
  headcount: number | null
  invigilators: string[]
}

export type SessionState =
  | 'PLANNED'
  | 'ARMED'
  | 'RUNNING'
  | 'ENDING'
  | 'ENDED'
  | 'VERIFIED'
  | 'INCOMPLETE'
  | 'CANCELLED'

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

/** One day of one disk: `used` at its end, `peak` the most within it, `free` at the peak. */
export interface ForecastDay {
  date: string
  used_bytes: number
  planned_bytes: number
  expiring_bytes: number
  peak_bytes: number
  free_bytes: number | null
  shortfall_bytes: number
}

export interface BoxForecast {
  edge: string
  total_bytes: number | null
  capacity_bytes: number | null
  held_bytes: number
  days: ForecastDay[]
  rates: Partial<Record<'recorded' | 'reported' | 'assumed', number>>
  /** Nothing is known of a box that never told its size. */
  fits: boolean | null
  first_day: string | null
  shortfall_bytes: number
  options: { fewer_camera_hours: number; other_boxes: { edge: string; free_bytes: number }[]; later: string | null } | null
}

export interface Forecast {
  at: string
  timezone: string
  boxes: BoxForecast[]
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
  /** What it does to the disks; `edge` is the first box that does not fit because of it. */
  capacity?: { fits: boolean; edge: string | null; boxes: BoxForecast[] } | null
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

/** A file that may be watched; `growing` while it is being written. */
export interface Footage {
  id: string
  camera: string
  start: string
  end: string
  bytes: number
  growing?: boolean
}

/** A play session. */
export interface Playback {
  id: string
  cameras: string[]
  from: string
  to: string
  until: string
  alert: string | null
}

/** Where each picture of a recording stands; times are 90 kHz from its start. */
export interface SegmentIndex {
  start: string
  codec: string
  init: number
  bytes: number
  growing: boolean
  /** Read from the archive's copy, because its box could not be asked. */
  copied?: boolean
  fragments: { at: number; size: number; begin: number; end: number; times: number[]; keys: number[] }[]
}

/** Bytes of a recording, and whether they are the archive copy's. */
export interface FootageBytes {
  data: ArrayBuffer
  isCopy: boolean
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

export interface CameraCoverage {
  camera: string
  planned_seconds: number
  recorded_seconds: number
  missing: Missing[]
  /** From then on it is being recorded, into a file that is not sealed yet. */
  growing_since: string | null
}

export interface CertifiedStream {
  stream: Stream
  planned_us: number
  recorded_us: number
  seams_us: number
  gaps: { start: string; end: string; us: number; cause: string; detail: string }[]
  segments: { id: string }[]
  chain_head: string
  untrusted: number
  worst_offset_ms: number | null
  copies: { where: 'box' | 'archive'; name: string; segments: number; at: string | null; verified_at: string | null }[]
  statements: { edge: string; differs: string[] }[]
}

/** Something that was done outside every window, or by a clock nobody trusts. */
export interface Outside {
  kind: 'recording' | 'contact'
  start: string
  end: string
  camera: string
  stream: string
  edge: string
}

/** Whether anything was recorded, or a camera asked for pictures, outside windows. */
export interface Silence {
  start: string
  end: string
  silent: boolean
  cameras: number
  segments: number
  contacts: number
  exceptions: Outside[]
  untrusted: Outside[]
  unproved: { edge: string; start: string; end: string; why: 'not_heard' | 'no_record' }[]
}

export interface Certificate {
  edition: number
  issued_at: string
  ledger: { id: number; hash: string }
  content: {
    verdict: 'VERIFIED' | 'INCOMPLETE'
    reasons: { code: string; camera: string; stream: string }[]
    planned_us: number
    recorded_us: number
    seams_us: number
    missing_us: number
    cameras: { camera: string; edge: string; streams: CertifiedStream[] }[]
    silence: Silence
  }
}

export interface Coverage {
  at: string
  session: string
  window_start: string
  window_end: string
  cameras: CameraCoverage[]
  state: SessionState
  certificate: Certificate | null
  editions: { edition: number; issued_at: string; verdict: string }[]
}

/** A session in the list of coverage; seconds of all its cameras together. */
export interface CoverageRow {
  session: string
  room: string
  room_name: string
  building: string
  start: string
  end: string
  window_start: string
  window_end: string
  state: SessionState
  courses: Course[]
  edition: number | null
  planned_seconds: number | null
  recorded_seconds: number | null
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
  'disk_low',
  'disk_full',
  'footage_changed',
  'footage_unknown',
  'write_failed',
  'wrong_volume',
  'second_away',
  'clock_untrusted',
  'archive_away',
  'session_incomplete',
  'deletion_late',
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
  /** How many cameras it concerns; of a flood and of nobody reachable, how many alerts. */
  cameras: number
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

export interface EvidenceSpan {
  cameras: string[]
  from: string
  to: string
}

export interface EvidenceWish extends EvidenceSpan {
  reason: string
  request: string
  recipient: string
  requester: string
  undertaking: boolean
}

export interface EvidenceEstimate {
  bytes: number
  segments: number
  missing: { camera: string; from: string; to: string }[]
}

export type EvidenceState = 'waiting' | 'making' | 'made' | 'failed' | 'cancelled' | 'removed'

export interface EvidencePackage extends EvidenceSpan {
  id: string
  state: EvidenceState
  reason: string
  request: string
  requester: string
  approved_by: string[]
  recipient: string
  asked_by: string
  asked_at: string
  expected_bytes: number
  done_bytes: number
  /** Code of the refusal that ended it. */
  problem: string
  sha256: string | null
  bytes: number | null
  made_at: string | null
  retain_until: string | null
  fetched_at: string | null
  /** Made by command: there is no file to fetch here. */
  handed_out: boolean
}

export interface ServerEvent {
  type: string
  id: string
  at: string
  data: unknown
}

export const HOLD_KINDS = ['violation', 'incident', 'authority', 'integrity'] as const
export type HoldKind = (typeof HOLD_KINDS)[number] | 'request'
export type HoldState = 'PLACED' | 'ACTIVE' | 'REVIEW_DUE' | 'RELEASE_PROPOSED' | 'RELEASED' | 'LAPSED'

/** What a hold covers, and what would be deleted if it ended now. */
export interface Covered {
  segments: number
  bytes: number
  freed_segments: number
  freed_bytes: number
  over_segments: number
  over_bytes: number
  next_at: string | null
  last_at: string | null
}

export interface Hold {
  id: string
  kind: HoldKind
  state: HoldState
  cameras: string[]
  start: string
  end: string
  owner: string
  reason: string
  review_at: string
  lapses_at: string | null
  placed_by: string
  placed_at: string
  proposed_by: string | null
  proposed_at: string | null
  proposed_why: string | null
  released_by: string | null
  ended_at: string | null
  /** Of the accounts named here: how people know them. */
  names: Record<string, string>
  boxes: { edge: string; confirmed: boolean }[]
  covered: Covered
}

/** How long footage of a category of exams is kept. */
export interface RetentionClass {
  category: string
  days: number
  set_by: string
  set_at: string | null
}

/** A notice of outage. */
export interface Outage {
  id: string
  rooms: string[]
  start: string
  end: string
  reason: string
  contact: string
  override: string
  filed_by: string
  filed_at: string
  withdrawn_by: string | null
  withdrawn_at: string | null
}

export type NewOutage = Pick<Outage, 'rooms' | 'start' | 'end' | 'reason' | 'contact' | 'override'>

export interface NewHold {
  rooms: string[]
  start: string
  end: string
  kind: HoldKind
  owner: string
  reason: string
  review_at: string
}

interface Total {
  segments: number
  bytes: number
}

export interface DueDay {
  day: string
  due: Total
  held: Total
}

/** One room's footage of one exam, and when it goes. */
export interface DueExam {
  /** Empty: it shows no exam that stands in the timetables. */
  session: string
  courses: Course[]
  room: string
  room_name: string
  start: string
  end: string
  first_at: string
  last_at: string
  due: Total
  held: Total
}

export interface DueExams {
  items: DueExam[]
  left_out: number
}

export interface Due {
  at: string
  totals: Record<'due' | 'held' | 'deferred', Total>
}
