/** Figures as people read them. */

import type { Room } from './model'

/** 6.3 Mb/s */
export function rateText(bps: number): string {
  if (bps >= 1e6) return `${(bps / 1e6).toFixed(1)} Mb/s`
  return `${Math.round(bps / 1e3)} kb/s`
}

/** 14.2 MB */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1)
  const value = bytes / 1000 ** step
  return `${step && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[step]}`
}

/** Name a camera as its room is called: people know rooms. */
export function cameraName(rooms: readonly Room[], camera: string): string {
  const room = rooms.find(({ cameras }) => cameras.includes(camera))
  return room ? `${room.name} · ${camera}` : camera
}
