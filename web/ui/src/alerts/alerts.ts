/** What can be said of alerts: their order, their counts, whose they are. */

import type { Alert, AlertClass, Camera, Priority } from '@/core/model'

export type Alerts = ReadonlyMap<string, Alert>

/** How an alert stands, in one word. */
export type Standing = 'waiting' | 'unsent' | 'undelivered' | 'delivered' | 'read' | 'taken' | 'shelved' | 'solved'

export const PRIORITY_SHAPES: Record<Priority, string> = { high: '▲', medium: '◆', low: '●' }

const RANK: Record<Priority, number> = { high: 0, medium: 1, low: 2 }
const ABOUT_ALERTS: readonly AlertClass[] = ['flood', 'nobody_reachable']

export const isOpen = (alert: Alert): boolean => alert.state !== 'solved'
/** Nobody has said yet that they take care of it. */
export const isWaiting = (alert: Alert): boolean => alert.state === 'raised' || alert.state === 'delivered'

/** True for whoever took it or was sent it: the server lets these look back and nobody else. */
export const mayReplay = (alert: Alert, name: string): boolean =>
  isOpen(alert) && Boolean(alert.camera) && (alert.taken_by === name || alert.delivery.some((one) => one.person === name))

/** Give how grave it is, the gravest least; what is said of many comes before the many. */
export const rankOf = ({ class: kind, priority }: Pick<Alert, 'class' | 'priority'>): number =>
  RANK[priority] - (ABOUT_ALERTS.includes(kind) ? 0.5 : 0)

/** Give the alerts, the untaken and grave first, then the older ones. */
export function ordered(alerts: Iterable<Alert>): Alert[] {
  return [...alerts].sort(
    (a, b) =>
      Number(isWaiting(b)) - Number(isWaiting(a)) ||
      rankOf(a) - rankOf(b) ||
      Date.parse(a.raised_at) - Date.parse(b.raised_at) ||
      (a.id < b.id ? -1 : 1),
  )
}

/** Give the alerts with one more, or with its newer state; a solved one goes. */
export function withAlert(alerts: Alerts, alert: Alert): Alerts {
  const next = new Map(alerts)
  if (isOpen(alert)) next.set(alert.id, alert)
  else next.delete(alert.id)
  return next
}

/** Read an alert from an event; null where the event only says that something changed. */
export function alertOf(data: unknown): Alert | null {
  const alert = data as Partial<Alert> | null
  const isWhole = alert && alert.id && alert.class && alert.state && alert.raised_at && Array.isArray(alert.delivery)
  return isWhole ? (alert as Alert) : null
}

export function standingOf(alert: Alert): Standing {
  if (alert.state === 'taken' || alert.state === 'shelved' || alert.state === 'solved') return alert.state
  // in a flood, or with nobody on duty, there is nobody it was sent to
  if (!alert.delivery.length) return 'unsent'
  const states = alert.delivery.map((delivery) => delivery.state)
  if (states.includes('read')) return 'read'
  if (states.includes('delivered') || alert.state === 'delivered') return 'delivered'
  return states.includes('undelivered') ? 'undelivered' : 'waiting'
}

type Place = Pick<Camera, 'id' | 'edge' | 'switch'>

function concerns(alert: Alert, camera: Place): boolean {
  if (alert.class === 'box_lost') return alert.edge === camera.edge
  if (alert.class === 'switch_down') return alert.switch === camera.switch
  return alert.camera === camera.id
}

/** Give the gravest alert that concerns a camera, through its box or switch too. */
export function alertAt(alerts: readonly Alert[], camera: Place): Alert | null {
  const own = alerts.filter((alert) => alert.state !== 'shelved' && concerns(alert, camera))
  return ordered(own)[0] ?? null
}

/** Give the alert after the one somebody stands at, and the first after the last. */
export function nextAlert(alerts: readonly Alert[], current: string | null): Alert | null {
  const index = alerts.findIndex((alert) => alert.id === current)
  return alerts[index + 1] ?? alerts[0] ?? null
}

/** Give the alert somebody means to take: the chosen one, the focused camera's, or the first. */
export function alertToTake(
  alerts: readonly Alert[],
  chosen: string | null,
  focused: Place | null,
): Alert | null {
  const waiting = ordered(alerts.filter(isWaiting))
  return waiting.find((alert) => alert.id === chosen) ?? (focused && alertAt(waiting, focused)) ?? waiting[0] ?? null
}

/** Where an alert is, as people say it. */
export function placeOf(alert: Pick<Alert, 'room' | 'camera'> & Partial<Pick<Alert, 'room_name' | 'edge' | 'switch'>>): string {
  return alert.room_name || alert.room || alert.camera || alert.switch || alert.edge || ''
}

type Translate = (key: string, named: Record<string, unknown>) => string

/** Where an alert is and how much hangs on it, in the reader's language. */
export function whereOf(alert: Parameters<typeof placeOf>[0] & Pick<Alert, 'class'> & Partial<Alert>, t: Translate): string {
  const { class: kind, cameras: count } = alert
  if (kind === 'nobody_reachable') return t('alert.where.duty', {})
  if (kind === 'flood') return count ? t('alert.where.more', { count }) : t('alert.where.duty', {})
  const isOfMany = kind === 'switch_down' || kind === 'box_lost'
  return isOfMany && count ? t('alert.where.cameras', { place: placeOf(alert), count }) : placeOf(alert)
}

/** Reasons people give when an alert is over, the likely ones of its class first. */
export const REASONS = ['cleared', 'turned', 'focused', 'lights', 'restarted', 'network', 'disk', 'replaced', 'synced', 'secured', 'identified', 'recorded', 'handled', 'called', 'permitted', 'false'] as const
export type ReasonKey = (typeof REASONS)[number]

const LIKELY: Record<AlertClass, readonly ReasonKey[]> = {
  covered: ['cleared', 'permitted', 'false'],
  black: ['cleared', 'restarted', 'lights', 'false'],
  moved: ['turned', 'permitted', 'false'],
  frozen: ['restarted', 'network', 'false'],
  white: ['cleared', 'turned', 'lights', 'false'],
  defocused: ['focused', 'cleared', 'false'],
  dark: ['lights', 'permitted', 'false'],
  camera_down: ['network', 'restarted', 'permitted', 'false'],
  recording_stopped: ['restarted', 'network', 'false'],
  switch_down: ['network', 'restarted', 'permitted', 'false'],
  box_lost: ['network', 'restarted', 'permitted', 'false'],
  flood: ['handled', 'false'],
  disk_low: ['disk', 'permitted', 'false'],
  disk_full: ['disk', 'restarted', 'false'],
  footage_changed: ['secured', 'permitted', 'false'],
  footage_unknown: ['identified', 'secured', 'false'],
  write_failed: ['replaced', 'restarted', 'false'],
  wrong_volume: ['replaced', 'restarted', 'false'],
  second_away: ['disk', 'replaced', 'permitted', 'false'],
  clock_untrusted: ['synced', 'network', 'restarted', 'false'],
  archive_away: ['network', 'disk', 'permitted', 'false'],
  session_incomplete: ['recorded', 'permitted', 'false'],
  deletion_late: ['network', 'restarted', 'false'],
  nobody_reachable: ['called', 'network', 'false'],
}

export function reasonsOf(kind: AlertClass): readonly ReasonKey[] {
  return LIKELY[kind] ?? REASONS
}
