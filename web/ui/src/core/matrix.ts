/** Rooms × time of a day: which session stands where, and how it fares. */

import type { CoverageRow, SessionState } from './model'

export type Fare = 'full' | 'gaps' | 'untold' | 'running' | 'planned' | 'cancelled'
export const FARES: readonly Fare[] = ['full', 'gaps', 'untold', 'running', 'planned', 'cancelled']

/** Never a colour alone: each fares under a shape of its own. */
export const FARE_SHAPES: Record<Fare, string> = {
  full: '✓',
  gaps: '▲',
  untold: '◌',
  running: '●',
  planned: '○',
  cancelled: '✕',
}

const HOUR = 3_600_000

export function fareOf(state: SessionState): Fare {
  switch (state) {
    case 'VERIFIED':
      return 'full'
    case 'INCOMPLETE':
      return 'gaps'
    case 'ENDED':
      return 'untold'
    case 'PLANNED':
      return 'planned'
    case 'CANCELLED':
      return 'cancelled'
    default:
      return 'running'
  }
}

/** Recorded of planned in percent, rounded down: only the whole is called 100. */
export function percentText({ planned_seconds: planned, recorded_seconds: recorded }: CoverageRow): string {
  if (!planned || recorded === null) return ''
  const percent = Math.floor((recorded / planned) * 10_000 + 1e-6) / 100
  return `${percent === 100 ? '100' : percent.toFixed(2)} %`
}

export interface MatrixCell {
  row: CoverageRow
  fare: Fare
  start: number
  end: number
}

export interface MatrixRoom {
  room: string
  name: string
  building: string
  cells: MatrixCell[]
}

/** Give the rooms by building and name, each with its sessions by start. */
export function matrixOf(rows: readonly CoverageRow[], building = ''): MatrixRoom[] {
  const rooms = new Map<string, MatrixRoom>()
  for (const row of rows) {
    if (building && row.building !== building) continue
    const room = rooms.get(row.room) ?? { room: row.room, name: row.room_name || row.room, building: row.building, cells: [] }
    room.cells.push({ row, fare: fareOf(row.state), start: Date.parse(row.start), end: Date.parse(row.end) })
    rooms.set(row.room, room)
  }
  for (const room of rooms.values()) room.cells.sort((a, b) => a.start - b.start)
  const byName = (a: string, b: string) => a.localeCompare(b, 'zh-CN', { numeric: true })
  return [...rooms.values()].sort((a, b) => byName(a.building, b.building) || byName(a.name, b.name))
}

/** Give the whole hours around all sessions, and the hours in between. */
export function axisOf(rooms: readonly MatrixRoom[]): { start: number; end: number; hours: number[] } | null {
  const cells = rooms.flatMap((room) => room.cells)
  if (!cells.length) return null
  const start = Math.floor(Math.min(...cells.map((cell) => cell.start)) / HOUR) * HOUR
  const end = Math.max(start + 4 * HOUR, Math.ceil(Math.max(...cells.map((cell) => cell.end)) / HOUR) * HOUR)
  const count = Math.round((end - start) / HOUR)
  const every = Math.max(1, Math.ceil(count / 12))
  return { start, end, hours: Array.from({ length: Math.floor(count / every) + 1 }, (_, n) => start + n * every * HOUR) }
}

/** Give the cell that an arrow leads to: left and right in a room, up and down to the nearest in time. */
export function stepFrom(rooms: readonly MatrixRoom[], session: string, key: string): string | null {
  const at = rooms.findIndex((room) => room.cells.some((cell) => cell.row.session === session))
  const own = rooms[at]?.cells ?? []
  const index = own.findIndex((cell) => cell.row.session === session)
  const cell = own[index]
  if (!cell) return null
  if (key === 'ArrowLeft') return own[index - 1]?.row.session ?? null
  if (key === 'ArrowRight') return own[index + 1]?.row.session ?? null
  const step = key === 'ArrowUp' ? -1 : key === 'ArrowDown' ? 1 : 0
  const other = step ? (rooms[at + step]?.cells ?? []) : []
  if (!other.length) return null
  const far = (one: MatrixCell) => Math.abs(one.start - cell.start)
  return other.reduce((a, b) => (far(b) < far(a) ? b : a)).row.session
}

export function countFares(rooms: readonly MatrixRoom[]): Map<Fare, number> {
  const counts = new Map<Fare, number>()
  for (const { fare } of rooms.flatMap((room) => room.cells)) counts.set(fare, (counts.get(fare) ?? 0) + 1)
  return counts
}
