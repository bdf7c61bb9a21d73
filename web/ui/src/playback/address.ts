/** What is watched, as it stands in the address: a page can be bookmarked and sent. */

export const MOST_CAMERAS = 4

export interface Address {
  cameras: string[]
  /** 2026-11-22 in the site's zone. */
  day: string | null
  /** The instant. */
  at: number | null
  speed: number
}

type Query = Record<string, unknown>

const first = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Read an address; what makes no sense in it is left out. */
export function read(query: Query): Address {
  const named = first(query.cameras) || first(query.camera)
  const cameras = [...new Set(named.split(',').filter((id) => /^[\w.-]{1,64}$/.test(id)))].slice(0, MOST_CAMERAS)
  const day = first(query.day)
  const at = Date.parse(first(query.at))
  const speed = Number(first(query.speed) || 1)
  return {
    cameras,
    day: /^\d{4}-\d\d-\d\d$/.test(day) ? day : null,
    at: Number.isNaN(at) ? null : at,
    speed: [0.5, 1, 2, 4, 8, 16].includes(speed) ? speed : 1,
  }
}

/** Write an address; what goes without saying is left out. */
export function write({ cameras, day, at, speed }: Address): Record<string, string> {
  const said: Record<string, string> = {}
  if (cameras.length) said.cameras = cameras.join(',')
  if (day) said.day = day
  if (at !== null) said.at = new Date(at).toISOString()
  if (speed !== 1) said.speed = String(speed)
  return said
}

/** Give where an export of a selection is asked for. */
export function exportAddress(cameras: readonly string[], from: number, to: number): string {
  const query = new URLSearchParams({
    cameras: cameras.join(','),
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
  })
  return `/evidence?${query}`
}
