/** What the phone keeps between two visits: text only, never a picture; emptied at log-out. */

import type { Book, Entry } from './book'

export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

const PREFIX = 'xunkao.phone.'
const BOOK = `${PREFIX}book`
const KEYS = [BOOK, `${PREFIX}acks`, `${PREFIX}person`]

interface Kept {
  book: Book
  listedAt: number | null
}

/** Give the browser's storage, or null where there is none. */
export function browserShelf(): Shelf | null {
  try {
    return localStorage
  } catch {
    return null
  }
}

export function read(shelf: Shelf | null, key: string): unknown {
  try {
    return JSON.parse(shelf?.getItem(key) ?? 'null')
  } catch {
    return null
  }
}

export function write(shelf: Shelf | null, key: string, value: unknown): void {
  try {
    shelf?.setItem(key, JSON.stringify(value))
  } catch {
    // a full or forbidden storage: it lives as long as the page
  }
}

export function clear(shelf: Shelf | null): void {
  for (const key of KEYS) shelf?.removeItem(key)
}

export function keep(shelf: Shelf | null, book: Book, listedAt: number): void {
  write(shelf, BOOK, { entries: [...book.values()], listedAt })
}

/** Give the alerts as they were last known. */
export function restored(shelf: Shelf | null): Kept {
  const kept = read(shelf, BOOK) as { entries?: Entry[]; listedAt?: number } | null
  const entries = Array.isArray(kept?.entries) ? kept.entries : []
  const book = new Map(entries.map((entry) => [entry.id, { ...entry, heard: 0 }]))
  return { book, listedAt: kept?.listedAt ?? null }
}
