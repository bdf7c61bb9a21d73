import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { alert } from '@/alerts/fakes'
import { api } from '@/core/api'
import type { Alert, ServerEvent } from '@/core/model'
import { useAlerts } from './alerts'
import { type Listener, useLive } from './live'

let listed: Alert[]
let asked: number
let listener: Listener
let answer: () => Promise<Alert[]>

const event = (data: unknown): ServerEvent => ({ type: 'alert', id: '', at: '', data })
const settle = () => vi.advanceTimersByTimeAsync(0)
const real = { alerts: api.alerts, takeAlert: api.takeAlert }

beforeEach(() => {
  vi.useFakeTimers()
  setActivePinia(createPinia())
  ;[listed, asked] = [[alert('a')], 0]
  answer = async () => listed
  api.alerts = () => {
    asked += 1
    return answer()
  }
  useLive().listen = (given: Listener) => {
    listener = given
    return () => {}
  }
})
afterEach(() => {
  useAlerts().leave()
  Object.assign(api, real)
  vi.useRealTimers()
})

it('what is open is listed once and then followed by events', async () => {
  const alerts = useAlerts()
  alerts.watch()
  await settle()
  listener.onEvent?.(event(alert('b')))
  listener.onEvent?.(event(alert('a', { state: 'taken', taken_by: '李四' })))
  expect(alerts.open.map(({ id, taken_by }) => [id, taken_by])).toEqual([
    ['b', null],
    ['a', '李四'],
  ])
  expect(alerts.waiting).toHaveLength(1)
  listener.onEvent?.(event(alert('b', { state: 'solved' })))
  expect(alerts.open.map(({ id }) => id)).toEqual(['a'])
  expect(asked).toBe(1)
})

it('only what comes in while somebody watches is announced', async () => {
  const alerts = useAlerts()
  alerts.watch()
  await settle()
  expect(alerts.newest).toBeNull()
  listener.onEvent?.(event(alert('b')))
  expect(alerts.newest?.id).toBe('b')
  listener.onEvent?.(event(alert('b', { state: 'delivered' })))
  listener.onEvent?.(event(alert('c', { state: 'taken' })))
  expect(alerts.newest?.id).toBe('b')
})

it('an event that does not tell the whole has the list read anew, once for many', async () => {
  const alerts = useAlerts()
  alerts.watch()
  await settle()
  listed = [alert('a'), alert('b')]
  for (let many = 0; many < 5; many++) listener.onEvent?.(event({ id: 'b' }))
  listener.onResync?.()
  await vi.advanceTimersByTimeAsync(2000)
  expect(alerts.open).toHaveLength(2)
  expect(asked).toBe(2)
})

it('a list that is older than an event does not undo it', async () => {
  const alerts = useAlerts()
  let give: (alerts: Alert[]) => void = () => {}
  answer = () => new Promise((resolve) => (give = resolve))
  alerts.watch()
  listener.onEvent?.(event(alert('b')))
  give([alert('a')])
  answer = async () => [alert('a'), alert('b')]
  await settle()
  expect(alerts.open.map(({ id }) => id)).toEqual(['b'])
  await vi.advanceTimersByTimeAsync(2000)
  expect(alerts.open).toHaveLength(2)
})

it('whoever takes one sees it taken', async () => {
  const alerts = useAlerts()
  api.takeAlert = async (id) => void (listed = [alert(id, { state: 'taken' })])
  alerts.watch()
  await settle()
  await alerts.take('a')
  expect(alerts.waiting).toEqual([])
})

it('nothing is kept of the one who left', async () => {
  const alerts = useAlerts()
  alerts.watch()
  await settle()
  alerts.leave()
  expect(alerts.open).toEqual([])
  await vi.advanceTimersByTimeAsync(5000)
  expect(asked).toBe(1)
})
