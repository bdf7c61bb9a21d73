import { describe, expect, it } from 'vitest'
import { alert, delivery, told } from '@/alerts/fakes'
import { type Book, concerns, isMine, ofHolder, toldOf, withListed, withTold } from './book'

const HOLDER = { phone: 'p1', user: 'lisi', name: '李四' }
const none: Book = new Map()
const ids = (entries: { id: string }[]) => entries.map(({ id }) => id)

describe('the book', () => {
  it('has one entry an alert, however it was heard of', () => {
    let book = withTold(none, told('a'), 1)
    book = withListed(book, [alert('a', { room_name: '教A-101' })], 1)
    book = withTold(book, told('a', { state: 'taken' }), 2)
    expect(book.size).toBe(1)
    expect(book.get('a')).toMatchObject({ state: 'taken', room_name: '教A-101', isTold: true })
  })

  it('keeps what the broker told after the list was asked for', () => {
    let book = withTold(none, told('a', { state: 'taken' }), 2)
    book = withTold(book, told('b'), 3)
    book = withListed(book, [alert('a', { state: 'raised', taken_by: null })], 1)
    expect(book.get('a')?.state).toBe('taken')
    expect(book.get('b')?.state).toBe('raised')
  })

  it('takes what the list does not name any more for solved', () => {
    let book = withTold(none, told('a'), 1)
    book = withListed(book, [], 1)
    expect(book.get('a')?.state).toBe('solved')
  })

  it('keeps the last solved ones only', () => {
    let book = none
    for (let number = 0; number < 30; number++) {
      const raised_at = new Date(Date.UTC(2026, 10, 22, 1, number)).toISOString()
      book = withTold(book, told(`a${number}`, { state: 'solved', raised_at }), number)
    }
    expect([...book.keys()]).toEqual(Array.from({ length: 10 }, (_, index) => `a${index + 20}`))
  })

  it('is read with what waits first, the newest before the older', () => {
    let book = withTold(none, told('done', { state: 'solved' }), 1)
    book = withTold(book, told('taken', { state: 'taken' }), 2)
    book = withTold(book, told('old'), 3)
    book = withTold(book, told('new', { raised_at: '2026-11-22T01:50:00Z' }), 4)
    expect(ids(ofHolder(book, HOLDER))).toEqual(['new', 'old', 'taken', 'done'])
  })
})

it('the grave stands before the rest, and a flood before what it counts', () => {
  let book = withTold(none, told('covered', { priority: 'high' }), 1)
  book = withTold(book, told('flood', { class: 'flood', priority: 'medium', raised_at: '2026-11-22T01:50:00Z' }), 2)
  book = withTold(book, told('blurred', { class: 'defocused', priority: 'medium', raised_at: '2026-11-22T01:55:00Z' }), 3)
  expect(ids(ofHolder(book, HOLDER))).toEqual(['covered', 'flood', 'blurred'])
})

describe('an alert concerns the holder', () => {
  const entry = (more: object) => withListed(none, [alert('a', more)], 0).get('a') as never

  it('when it was sent to the phone or the person', () => {
    expect(concerns(entry({ delivery: [delivery('sent', { person: '王五' })] }), HOLDER)).toBe(true)
    expect(concerns(entry({ delivery: [delivery('sent', { phone: 'old', person: '李四' })] }), HOLDER)).toBe(true)
    expect(concerns(entry({ delivery: [delivery('sent', { phone: 'p2', person: '王五' })] }), HOLDER)).toBe(false)
  })

  it('when they took it, on whatever device', () => {
    expect(isMine(entry({ state: 'taken', taken_by: '李四' }), HOLDER)).toBe(true)
    expect(concerns(entry({ state: 'taken', taken_by: '李四' }), HOLDER)).toBe(true)
    expect(concerns(entry({ state: 'taken', taken_by: '王五' }), HOLDER)).toBe(false)
  })

  it('when it reached nobody', () => {
    expect(concerns(entry({}), HOLDER)).toBe(true)
  })
})

it('what is no alert is not heard', () => {
  expect(toldOf(JSON.stringify(told('a')))?.id).toBe('a')
  for (const payload of ['', 'null', '{}', '{"id":"a"}', JSON.stringify({ ...told('a'), state: 'strange' })]) {
    expect(toldOf(payload)).toBeNull()
  }
})
