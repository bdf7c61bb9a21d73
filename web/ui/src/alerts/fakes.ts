/** Alerts for tests. */

import type { Alert, AlertTold, Delivery } from '@/core/model'

export const TOLD: AlertTold = {
  id: 'al-1',
  class: 'covered',
  priority: 'high',
  state: 'raised',
  room: 'A101',
  camera: 'cam-1',
  session: 's1',
  raised_at: '2026-11-22T01:42:10Z',
  score: 0.97,
  model: '3fa9',
  text_zh: 'A101',
  text_en: 'A101',
}

export function told(id: string, more: Partial<AlertTold> = {}): AlertTold {
  return { ...TOLD, id, ...more }
}

export function alert(id: string, more: Partial<Alert> = {}): Alert {
  return {
    ...TOLD,
    id,
    active: true,
    room_name: '教A-101',
    edge: 'box-1',
    switch: null,
    first_at: '2026-11-22T01:42:08Z',
    count: 1,
    cameras: 1,
    do_zh: '',
    do_en: '',
    act_within_s: 180,
    taken_by: null,
    taken_at: null,
    solved_by: null,
    solved_at: null,
    reason: '',
    shelved_until: null,
    delivery: [],
    ...more,
  }
}

export function delivery(state: Delivery['state'], more: Partial<Delivery> = {}): Delivery {
  return { phone: 'p1', person: '李四', state, at: '2026-11-22T01:42:11Z', ...more }
}
