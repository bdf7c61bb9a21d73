import { describe, expect, it } from 'vitest'
import type { Camera, Room, Session } from '@/core/model'
import { coursesOf, filtered, nextTurn, placesOf, sessionAt, sittingsOf, treeOf } from './rooms'

const NOON = Date.parse('2026-11-22T12:00:00Z')
const at = (minutes: number) => new Date(NOON + minutes * 60_000).toISOString()

const room = (id: string, building: string, cameras = [`cam-${id}`]): Room => ({
  id,
  name: id.toUpperCase(),
  building,
  campus: '',
  capacity: null,
  cameras,
})

const camera = (id: string, of: string, live = true): Camera => ({
  id,
  room: of,
  room_name: of.toUpperCase(),
  edge: 'box',
  switch: '',
  state: 'streaming',
  cause: '',
  last_frame_at: null,
  recording: live,
  bitrate_bps: 0,
  live,
})

const session = (of: string, from: number, to: number, more: Partial<Session> = {}): Session => ({
  id: `${of}-${from}`,
  room: of,
  room_name: of.toUpperCase(),
  campus: '',
  category: '',
  start: at(from),
  end: at(to),
  window_start: at(from - 30),
  window_end: at(to + 15),
  state: 'RUNNING',
  courses: [{ code: 'MATH', name: '线性代数' }],
  headcount: 45,
  invigilators: [],
  ...more,
})

const ROOMS = [room('a2', 'A'), room('a10', 'A'), room('b1', 'B', ['cam-b1', 'cam-b1x'])]
const CAMERAS = [camera('cam-a10', 'a10'), camera('cam-a2', 'a2'), camera('cam-b1', 'b1'), camera('cam-b1x', 'b1')]
const names = (places: { name: string }[]) => places.map((place) => place.name)

describe('places', () => {
  it('stand by building and room, numbers as people count', () => {
    expect(names(placesOf(ROOMS, CAMERAS, [], NOON))).toEqual(['A2', 'A10', 'B1 ·1', 'B1 ·2'])
  })

  it('begin with those that may be seen now', () => {
    const cameras = CAMERAS.map((each) => ({ ...each, live: each.room === 'b1' }))
    expect(names(placesOf(ROOMS, cameras, [], NOON))).toEqual(['B1 ·1', 'B1 ·2', 'A2', 'A10'])
  })

  it('keep a camera whose room is not listed', () => {
    expect(names(placesOf([], [camera('cam', 'zz')], [], NOON))).toEqual(['ZZ'])
  })
})

describe('the exam of a room', () => {
  const before = session('a2', -180, -20)
  const running = session('a2', -10, 60)
  const next = session('a2', 90, 150)

  it('is the running one, not the one whose lead-out still lasts', () => {
    expect(sessionAt([{ ...before, window_end: at(5) }, running, next], 'a2', NOON)).toBe(running)
  })

  it('is the next one when none runs', () => {
    expect(sessionAt([before, next], 'a2', NOON)).toBe(next)
  })

  it('is none of another room and none that is cancelled', () => {
    expect(sessionAt([{ ...running, state: 'CANCELLED' }], 'a2', NOON)).toBeNull()
    expect(sessionAt([running], 'a10', NOON)).toBeNull()
  })

  it('is called by its courses, by code where there is no name', () => {
    expect(coursesOf({ ...running, courses: [{ code: 'X1', name: '' }, { code: 'X2', name: '物理' }] })).toBe('X1 / 物理')
    expect(coursesOf(null)).toBe('')
  })
})

describe('filters', () => {
  const sessions = [session('a2', 0, 120), session('b1', 0, 120), session('a10', 180, 240)]
  const places = placesOf(ROOMS, CAMERAS.map((each) => ({ ...each, live: each.room !== 'a10' })), sessions, NOON)

  it('leave all, those of a building, those of a sitting, or those that run', () => {
    expect(filtered(places, { sitting: '', building: '' }, sessions)).toHaveLength(4)
    expect(names(filtered(places, { sitting: '', building: 'A' }, sessions))).toEqual(['A2', 'A10'])
    expect(names(filtered(places, { sitting: `${at(180)}/${at(240)}`, building: '' }, sessions))).toEqual(['A10'])
    expect(names(filtered(places, { sitting: 'now', building: '' }, sessions))).toEqual(['A2', 'B1 ·1', 'B1 ·2'])
  })

  it('offer each sitting once, with its rooms', () => {
    const offered = sittingsOf([...sessions, session('a2', 0, 120, { id: 'x', state: 'CANCELLED' })])
    expect(offered.map((sitting) => [sitting.start, sitting.rooms])).toEqual([
      [at(0), 2],
      [at(180), 1],
    ])
  })
})

describe('the tree', () => {
  const places = placesOf(ROOMS, CAMERAS, [session('a10', 0, 60)], NOON)

  it('groups rooms by building', () => {
    expect(treeOf(places, '').map(({ name, places: own }) => [name, own.length])).toEqual([
      ['A', 2],
      ['B', 2],
    ])
  })

  it('finds by room or by course', () => {
    expect(treeOf(places, 'a10').flatMap((building) => names(building.places))).toEqual(['A10'])
    expect(treeOf(places, '线性').flatMap((building) => names(building.places))).toEqual(['A10'])
    expect(treeOf(places, 'nothing')).toEqual([])
  })
})

it('the next turn is the next instant at which a window or an exam begins or ends', () => {
  const sessions = [session('a2', -60, 20), session('a10', 40, 90)]
  expect(nextTurn(sessions, NOON)).toBe(Date.parse(at(10)))
  expect(nextTurn(sessions, Date.parse(at(10)))).toBe(Date.parse(at(20)))
  expect(nextTurn([], NOON)).toBeNull()
})
