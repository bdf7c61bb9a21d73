/** Which pages a role may open. The server decides; this only spares people closed doors. */

import type { Role } from './model'

export type PageName =
  | 'wall'
  | 'alerts'
  | 'sessions'
  | 'timetables'
  | 'recordings'
  | 'evidence'
  | 'references'
  | 'holds'
  | 'devices'
  | 'capacity'
  | 'ledger'
  | 'coverage'
  | 'users'

const MAY: Record<PageName, readonly Role[]> = {
  wall: ['exam_office', 'patrol', 'operator'],
  alerts: ['exam_office', 'patrol', 'operator'],
  sessions: ['exam_office', 'patrol', 'operator'],
  timetables: ['exam_office'],
  recordings: ['exam_office'],
  evidence: ['exam_office'],
  references: ['exam_office', 'patrol', 'operator'],
  devices: ['exam_office', 'operator', 'sys_admin'],
  capacity: ['exam_office', 'sys_admin'],
  ledger: ['auditor'],
  coverage: ['exam_office', 'auditor'],
  holds: ['exam_office', 'auditor'],
  users: ['sys_admin'],
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
