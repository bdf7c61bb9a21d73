import { describe, expect, test } from 'vitest'
import { axisOf, countFares, fareOf, matrixOf, percentText, stepFrom } from './matrix'
import type { CoverageRow, SessionState } from './model'

function row(session: string, room: string, hour: number, state: SessionState, more: Partial<CoverageRow> = {}): CoverageRow {
  const at = (hours: number) => new Date(Date.UTC(2026, 10, 22, 0, hours * 60)).toISOString()
  return {
    session,
    room,
    room_name: `教一 ${room}`,
    building: '教一',
    start: at(hour),
    end: at(hour + 2),
    window_start: at(hour - 0.5),
    window_end: at(hour + 2.25),
    state,
    courses: [],
    edition: null,
    planned_seconds: null,
    recorded_seconds: null,
    ...more,
  }
}

const ROWS = [
  row('a2', '101', 6, 'PLANNED'),
  row('a1', '101', 1, 'VERIFIED', { edition: 1, planned_seconds: 9900, recorded_seconds: 9900 }),
  row('b1', '102', 1.5, 'INCOMPLETE', { edition: 2, planned_seconds: 9900, recorded_seconds: 9899.99 }),
  row('c1', '9', 1, 'RUNNING', { building: '实验楼' }),
]

describe('the matrix', () => {
  test('puts rooms in the order of people and sessions in the order of time', () => {
    const rooms = matrixOf(ROWS)
    expect(rooms.map((room) => room.room)).toEqual(['101', '102', '9'])
    expect(rooms[0]?.cells.map((cell) => cell.row.session)).toEqual(['a1', 'a2'])
  })

  test('shows one building alone', () => {
    expect(matrixOf(ROWS, '实验楼').map((room) => room.room)).toEqual(['9'])
  })

  test('calls only the whole 100 percent', () => {
    expect(ROWS.map(percentText)).toEqual(['', '100 %', '99.99 %', ''])
  })

  test('spans whole hours around all sessions', () => {
    const axis = axisOf(matrixOf(ROWS))
    expect(axis && (axis.end - axis.start) / 3_600_000).toBe(7)
    expect(axisOf([])).toBeNull()
  })

  test('names a shape for every state', () => {
    expect(fareOf('ENDED')).toBe('untold')
    expect(fareOf('ARMED')).toBe('running')
    expect(countFares(matrixOf(ROWS)).get('full')).toBe(1)
  })

  test('moves by arrows and stays at its edges', () => {
    const rooms = matrixOf(ROWS)
    expect(stepFrom(rooms, 'a1', 'ArrowRight')).toBe('a2')
    expect(stepFrom(rooms, 'a2', 'ArrowDown')).toBe('b1')
    expect(stepFrom(rooms, 'c1', 'ArrowUp')).toBe('b1')
    expect(stepFrom(rooms, 'a1', 'ArrowLeft')).toBeNull()
    expect(stepFrom(rooms, 'a1', 'ArrowUp')).toBeNull()
  })
})
