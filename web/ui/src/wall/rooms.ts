/** Which cameras stand on the wall, in which order, and the exams they belong to. */

import type { Camera, Room, Session } from '@/core/model'

/** A camera with all that its tile says. */
export interface Place {
  camera: Camera
  room: Room
  /** The room's name; with a number where the room has several cameras. */
  name: string
  /** The exam whose window is open, or else the next one. */
  session: Session | null
}

export interface Sitting {
  /** `start/end`, as it stands in the address. */
  id: string
  start: string
  end: string
  rooms: number
}

export interface WallFilter {
  /** '' all rooms, 'now' those with an open window, or a sitting's id. */
  sitting: string
  building: string
}

export interface Building {
  name: string
  places: Place[]
}

/** Give every camera with its room and exam, those that may be seen now first. */
export function placesOf(
  rooms: readonly Room[],
  cameras: readonly Camera[],
  sessions: readonly Session[],
  now: number,
): Place[] {
  const roomById = new Map(rooms.map((room) => [room.id, room]))
  const places = cameras.map((camera) => {
    const room = roomById.get(camera.room) ?? strangeRoom(camera)
    const number = room.cameras.length > 1 ? ` ·${room.cameras.indexOf(camera.id) + 1}` : ''
    return { camera, room, name: room.name + number, session: sessionAt(sessions, room.id, now) }
  })
  return places.sort((a, b) => Number(b.camera.live) - Number(a.camera.live) || byPlace(a, b))
}

/** Give the exam of a room whose window is open, the running one first, or else the next. */
export function sessionAt(sessions: readonly Session[], room: string, now: number): Session | null {
  const own = sessions
    .filter((session) => session.room === room && session.state !== 'CANCELLED' && Date.parse(session.window_end) > now)
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start))
  const running = own.find((session) => Date.parse(session.start) <= now && now < Date.parse(session.end))
  return running ?? own[0] ?? null
}

/** Give the places a filter leaves. */
export function filtered(
  places: readonly Place[],
  filter: WallFilter,
  sessions: readonly Session[],
): Place[] {
  const inSitting = new Set(
    sessions
      .filter((session) => session.state !== 'CANCELLED' && sittingId(session) === filter.sitting)
      .map((session) => session.room),
  )
  return places.filter((place) => {
    if (filter.building && place.room.building !== filter.building) return false
    if (filter.sitting === 'now') return place.camera.live
    return !filter.sitting || inSitting.has(place.room.id)
  })
}

/** Give the sittings (same start, same end) in the order of time. */
export function sittingsOf(sessions: readonly Session[]): Sitting[] {
  const found = new Map<string, Sitting>()
  for (const session of sessions) {
    if (session.state === 'CANCELLED') continue
    const id = sittingId(session)
    const sitting = found.get(id) ?? { id, start: session.start, end: session.end, rooms: 0 }
    sitting.rooms += 1
    found.set(id, sitting)
  }
  return [...found.values()].sort((a, b) => a.start.localeCompare(b.start) || a.end.localeCompare(b.end))
}

/** Give the places by building, those that match a search. */
export function treeOf(places: readonly Place[], search: string): Building[] {
  const words = search.trim().toLowerCase()
  const found = new Map<string, Place[]>()
  for (const place of [...places].sort(byPlace)) {
    const text = [place.name, place.room.id, place.room.building, place.room.campus, coursesOf(place.session)]
    if (words && !text.join(' ').toLowerCase().includes(words)) continue
    found.set(place.room.building, [...(found.get(place.room.building) ?? []), place])
  }
  return [...found].map(([name, own]) => ({ name, places: own }))
}

/** Name the courses of an exam. */
export function coursesOf(session: Session | null): string {
  return session?.courses.map((course) => course.name || course.code).join(' / ') ?? ''
}

/** Give the next instant after `now` at which an exam or its window begins or ends. */
export function nextTurn(sessions: readonly Session[], now: number): number | null {
  const turns = sessions
    .flatMap(({ window_start, start, end, window_end }) => [window_start, start, end, window_end])
    .map((turn) => Date.parse(turn))
    .filter((turn) => turn > now)
  return turns.length ? Math.min(...turns) : null
}

function sittingId(session: Session): string {
  return `${session.start}/${session.end}`
}

function byPlace(a: Place, b: Place): number {
  const compare = (left: string, right: string) => left.localeCompare(right, 'zh-CN', { numeric: true })
  return compare(a.room.building, b.room.building) || compare(a.name, b.name) || compare(a.camera.id, b.camera.id)
}

function strangeRoom(camera: Camera): Room {
  const name = camera.room_name || camera.room
  return { id: camera.room, name, building: '', campus: '', capacity: null, cameras: [camera.id] }
}
