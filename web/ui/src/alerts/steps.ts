/** What became of an alert, step by step, as far as it is known here. */

import type { Alert, AlertTold, Delivery } from '@/core/model'

export type Told = AlertTold & Partial<Omit<Alert, keyof AlertTold>>

export interface Step {
  step: 'began' | 'raised' | 'solved' | Delivery['state']
  at: string
  person: string
  reason: string
}

/** Give the steps in the order of time. A delivery is known by its latest state only. */
export function stepsOf(alert: Told): Step[] {
  const steps: Step[] = [step('raised', alert.raised_at)]
  if (alert.first_at && alert.first_at !== alert.raised_at) steps.push(step('began', alert.first_at))
  const deliveries = (alert.delivery ?? []).filter(({ state }) => state !== 'taken')
  steps.push(...deliveries.map(({ state, at, person }) => step(state, at, person)))
  if (alert.taken_at) steps.push(step('taken', alert.taken_at, alert.taken_by ?? ''))
  if (alert.solved_at) steps.push(step('solved', alert.solved_at, alert.solved_by ?? '', alert.reason))
  return steps.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

function step(name: Step['step'], at: string, person = '', reason = ''): Step {
  return { step: name, at, person, reason }
}
