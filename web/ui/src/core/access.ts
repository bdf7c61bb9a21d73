/** Which pages a role may open. The server decides; this only spares people closed doors. */

import type { Role } from './model'

export type PageName =
  | 'wall'
  | 'alerts'
  | 'sessions'
  | 'timetables'
  | 'ledger'
  | 'coverage'
  | 'recordings'
  | 'evidence'
  | 'holds'
  | 'references'
  | 'devices'
  | 'capacity'
  | 'users'

const MAY: Record<PageName, readonly Role[]> = {
  wall: ['exam_office', 'patrol', 'operator'],
  alerts: ['exam_office', 'patrol', 'operator'],
  sessions: ['exam_office', 'patrol', 'operator'],
  timetables: ['exam_office'],
  ledger: ['auditor'],
  coverage: ['exam_office', 'auditor'],
  recordings: ['exam_office'],
  evidence: ['exam_office'],
  holds: ['exam_office', 'auditor'],
  references: ['exam_office', 'patrol', 'operator'],
  devices: ['exam_office', 'operator', 'sys_admin'],
  capacity: ['exam_office', 'sys_admin'],
  users: ['sys_admin'],
}

/** So many pages stand side by side in the menu; of more, the last go behind "more". */
const SIDE_BY_SIDE = 7

/** Part a menu's pages into those that are always seen and those that open on demand. */
export function partsOf(pages: readonly PageName[]): [PageName[], PageName[]] {
  if (pages.length <= SIDE_BY_SIDE + 1) return [[...pages], []]
  return [pages.slice(0, SIDE_BY_SIDE), pages.slice(SIDE_BY_SIDE)]
}

/** Give the pages these roles may open, in the order of the menu. */
export function pagesOf(roles: readonly Role[]): PageName[] {
  return (Object.keys(MAY) as PageName[]).filter((page) => mayOpen(roles, page))
}

export function mayOpen(roles: readonly Role[], page: PageName): boolean {
  return MAY[page].some((role) => roles.includes(role))
}

/** Give where these roles begin. */
export function homeOf(roles: readonly Role[]): PageName | null {
  return pagesOf(roles)[0] ?? null
}
