import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ALERT_CLASSES } from '@/core/model'
import { alertAt, alertOf, alertToTake, nextAlert, ordered, placeOf, reasonsOf, standingOf, whereOf, withAlert } from './alerts'
import { alert, delivery } from './fakes'
import { stepsOf } from './steps'

const ids = (alerts: { id: string }[]) => alerts.map(({ id }) => id)
const camera = (id: string, edge = 'box-1', hangsOn = '') => ({ id, edge, switch: hangsOn })

describe('the order of alerts', () => {
  it('is: what nobody took, the grave, the old', () => {
    const listed = [
      alert('taken', { state: 'taken' }),
      alert('young', { raised_at: '2026-11-22T01:50:00Z' }),
      alert('medium', { priority: 'medium' }),
      alert('old'),
    ]
    expect(ids(ordered(listed))).toEqual(['old', 'young', 'medium', 'taken'])
  })

  it('has what is said of many before the many', () => {
    const listed = [
      alert('blurred', { class: 'defocused', priority: 'medium' }),
      alert('flood', { class: 'flood', priority: 'medium', raised_at: '2026-11-22T01:50:00Z' }),
      alert('covered'),
    ]
    expect(ids(ordered(listed))).toEqual(['covered', 'flood', 'blurred'])
  })

  it('is walked round by the key for the next one', () => {
    const listed = [alert('a'), alert('b')]
    expect(nextAlert(listed, null)?.id).toBe('a')
    expect(nextAlert(listed, 'a')?.id).toBe('b')
    expect(nextAlert(listed, 'b')?.id).toBe('a')
    expect(nextAlert([], 'a')).toBeNull()
  })
})

describe('the alert of a camera', () => {
  it('is its gravest', () => {
    const listed = [alert('dim', { class: 'dark', priority: 'medium' }), alert('hidden'), alert('else', { camera: 'cam-2' })]
    expect(alertAt(listed, camera('cam-1'))?.id).toBe('hidden')
    expect(alertAt(listed, camera('cam-3'))).toBeNull()
  })

  it('is its box when that is lost', () => {
    const lost = alert('box', { class: 'box_lost', camera: null })
    expect(alertAt([lost], camera('cam-9'))?.id).toBe('box')
    expect(alertAt([lost], camera('cam-9', 'box-2'))).toBeNull()
  })

  it('is its switch when that is down', () => {
    const down = alert('switch', { class: 'switch_down', camera: null, switch: 'sw-A2' })
    expect(alertAt([down], camera('cam-9', 'box-2', 'sw-A2'))?.id).toBe('switch')
    expect(alertAt([down], camera('cam-9', 'box-1', 'sw-A3'))).toBeNull()
  })

  it('is none while it is shelved', () => {
    expect(alertAt([alert('a', { state: 'shelved' })], camera('cam-1'))).toBeNull()
  })
})

describe('the alert somebody means to take', () => {
  const listed = [alert('a'), alert('b', { camera: 'cam-2' }), alert('c', { state: 'taken', camera: 'cam-3' })]

  it('is the chosen one, else the focused camera’s, else the first', () => {
    expect(alertToTake(listed, 'b', camera('cam-1'))?.id).toBe('b')
    expect(alertToTake(listed, null, camera('cam-2'))?.id).toBe('b')
    expect(alertToTake(listed, null, null)?.id).toBe('a')
  })

  it('is never one that is taken', () => {
    expect(alertToTake(listed, 'c', camera('cam-3'))?.id).toBe('a')
    expect(alertToTake([listed[2] as never], 'c', null)).toBeNull()
  })
})

describe('an alert', () => {
  it('says how it stands by the best that a phone said', () => {
    expect(standingOf(alert('a'))).toBe('unsent')
    expect(standingOf(alert('a', { delivery: [delivery('sent')] }))).toBe('waiting')
    expect(standingOf(alert('a', { delivery: [delivery('undelivered')] }))).toBe('undelivered')
    expect(standingOf(alert('a', { delivery: [delivery('undelivered'), delivery('read')] }))).toBe('read')
    expect(standingOf(alert('a', { state: 'taken', delivery: [delivery('undelivered')] }))).toBe('taken')
  })

  it('leaves the open ones when it is solved', () => {
    const open = withAlert(new Map(), alert('a'))
    expect([...open.keys()]).toEqual(['a'])
    expect(withAlert(open, alert('a', { state: 'solved' })).size).toBe(0)
  })

  it('is read from an event only when it is whole', () => {
    expect(alertOf(alert('a'))?.id).toBe('a')
    expect(alertOf({ id: 'a', state: 'taken' })).toBeNull()
    expect(alertOf(null)).toBeNull()
  })

  it('is somewhere, by the name people know', () => {
    expect(placeOf(alert('a'))).toBe('教A-101')
    expect(placeOf({ room: null, camera: null, edge: 'box-1' })).toBe('box-1')
    expect(placeOf({ room: null, camera: null, edge: 'box-1', switch: 'sw-A2' })).toBe('sw-A2')
  })

  it('says how many cameras are behind it, or how many alerts', () => {
    const t = (key: string, named: Record<string, unknown>) => [key, ...Object.values(named)].join(' ')
    const where = (more: object) => whereOf(alert('a', { room: null, room_name: null, camera: null, edge: null, ...more }), t)
    expect(where({ class: 'switch_down', switch: 'sw-A2', cameras: 12 })).toBe('alert.where.cameras sw-A2 12')
    expect(where({ class: 'flood', cameras: 14 })).toBe('alert.where.more 14')
    expect(where({ class: 'nobody_reachable', cameras: 3 })).toBe('alert.where.duty')
    expect(where({ class: 'covered', room_name: '教A-101' })).toBe('教A-101')
  })

  it('has a history in the order of time', () => {
    const taken = alert('a', {
      delivery: [delivery('taken', { at: '2026-11-22T01:42:30Z' }), delivery('declined', { person: '王五' })],
      taken_by: '李四',
      taken_at: '2026-11-22T01:42:30Z',
      solved_at: '2026-11-22T01:45:00Z',
      reason: 'cleared',
    })
    expect(stepsOf(taken).map(({ step, person }) => [step, person])).toEqual([
      ['began', ''],
      ['raised', ''],
      ['declined', '王五'],
      ['taken', '李四'],
      ['solved', ''],
    ])
  })
})

it('every class of the server is known, and has its reasons', () => {
  const source = readFileSync(join(__dirname, '../../../..', 'orchestrator/alerts/classes.py'), 'utf8')
  const classes = [...(source.match(/^Kind = Literal\[[^\]]*\]/m)?.[0] ?? '').matchAll(/"(\w+)"/g)].map((match) => match[1])
  expect(classes.length).toBeGreaterThan(9)
  expect([...ALERT_CLASSES].sort()).toEqual(classes.sort())
  expect(ALERT_CLASSES.filter((kind) => !reasonsOf(kind).includes('false'))).toEqual([])
})
