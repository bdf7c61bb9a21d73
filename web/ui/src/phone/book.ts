/** The alerts a duty phone knows: what the broker told and what the server lists, one entry an id. */

import { rankOf } from '@/alerts/alerts'
import type { Alert, AlertState, AlertTold } from '@/core/model'

export interface Entry extends AlertTold, Partial<Omit<Alert, keyof AlertTold>> {
  /** It was sent to this phone. */
  isTold: boolean
  /** Count of the broker's messages when this one came; 0: only listed. */
  heard: number
}

export type Book = ReadonlyMap<string, Entry>

/** Who holds the phone: alerts are sent to a phone and told of persons by name. */
export interface Holder {
  phone: string
  user: string
  name: string
}

const KEPT_SOLVED = 10
const STATES: readonly AlertState[] = ['raised', 'delivered', 'taken', 'shelved', 'solved']

/** Give the book with a message in it; a later message with the id replaces the earlier. */
export function withTold(book: Book, told: AlertTold, heard: number): Book {
  const next = new Map(book)
  next.set(told.id, { ...book.get(told.id), ...told, isTold: true, heard })
  return trimmed(next)
}

/**
 * Give the book with the server's list of open alerts in it.
 *
 * The list was asked for when `asked` messages had come: what came later is newer than the list.
 */
export function withListed(book: Book, listed: readonly Alert[], asked: number): Book {
  const next = new Map<string, Entry>()
  for (const alert of listed) {
    const known = book.get(alert.id)
    const kept = known && known.heard > asked ? { state: known.state } : {}
    next.set(alert.id, { ...alert, ...kept, isTold: known?.isTold ?? false, heard: known?.heard ?? 0 })
  }
  for (const [id, known] of book) {
    if (next.has(id)) continue
    next.set(id, known.heard > asked || known.state === 'solved' ? known : { ...known, state: 'solved' })
  }
  return trimmed(next)
}

/** Give the entries that concern the holder: what waits for somebody first, the grave before the rest, the newer first. */
export function ofHolder(book: Book, holder: Holder): Entry[] {
  return [...book.values()]
    .filter((entry) => concerns(entry, holder))
    .sort((a, b) => rank(a) - rank(b) || graveness(a) - graveness(b) || Date.parse(b.raised_at) - Date.parse(a.raised_at) || (a.id < b.id ? -1 : 1))
}

/** True for what was sent to this phone or person, what they took, and what reached nobody at all. */
export function concerns(entry: Entry, holder: Holder): boolean {
  if (entry.isTold || isMine(entry, holder)) return true
  const delivery = entry.delivery ?? []
  if (!delivery.length) return entry.state === 'raised'
  return delivery.some(({ phone, person }) => phone === holder.phone || person === holder.name || person === holder.user)
}

/** True when the holder took it. */
export function isMine(entry: Entry, holder: Holder): boolean {
  return !!entry.taken_by && (entry.taken_by === holder.name || entry.taken_by === holder.user)
}

/** Nobody has said yet that they take care of it. */
export const isWaiting = (entry: Pick<Entry, 'state'>): boolean => entry.state === 'raised' || entry.state === 'delivered'

/** Read a message of the broker; anything else is null. */
export function toldOf(payload: string): AlertTold | null {
  try {
    const told = JSON.parse(payload) as Partial<AlertTold> | null
    const isWhole = told && told.id && told.class && told.raised_at && STATES.includes(told.state as AlertState)
    return isWhole ? (told as AlertTold) : null
  } catch {
    return null
  }
}

/** What nobody need go to any more stands by its time alone. */
const graveness = (entry: Entry): number => (isWaiting(entry) ? rankOf(entry) : 0)

function rank(entry: Entry): number {
  return isWaiting(entry) ? 0 : entry.state === 'solved' ? 2 : 1
}

function trimmed(book: Map<string, Entry>): Book {
  const solved = [...book.values()]
    .filter((entry) => entry.state === 'solved')
    .sort((a, b) => Date.parse(b.raised_at) - Date.parse(a.raised_at))
  for (const entry of solved.slice(KEPT_SOLVED)) book.delete(entry.id)
  return book
}
