import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { i18n, speak } from '@/core/i18n'
import type { PlannedSession, TimetableRow, Verdict } from '@/core/model'
import RowVerdicts from './RowVerdicts.vue'
import TimetableDifference from './TimetableDifference.vue'

const planned = (room: string, more: Partial<PlannedSession> = {}): PlannedSession => ({
  id: room,
  room,
  room_name: room.toUpperCase(),
  campus: '',
  category: '',
  start: '2026-11-22T01:00:00Z',
  end: '2026-11-22T03:00:00Z',
  courses: [{ code: 'MATH', name: '线性代数' }],
  headcount: 45,
  invigilators: [],
  ...more,
})

const row = (number: number, verdict: Verdict): TimetableRow => ({
  sheet: 'Sheet1',
  row: number,
  verdict,
  code: verdict,
  message_zh: `第${number}行`,
  message_en: `row ${number}`,
})

const global = () => ({ plugins: [createPinia(), i18n] })

beforeEach(() => speak('zh-CN'))

describe('a difference', () => {
  const difference = {
    added: [],
    removed: [planned('b2')],
    changed: [{ before: planned('a1'), after: planned('a1', { headcount: 60 }) }],
    unchanged: 12,
  }

  it('counts what is added, changed, cancelled and unchanged', () => {
    const shown = mount(TimetableDifference, { props: { difference }, global: global() })
    expect(shown.findAll('.count').map((count) => count.text())).toEqual(['0新增', '1变更', '1取消', '12不变'])
  })

  it('begins with what there is, and marks what differs', () => {
    const shown = mount(TimetableDifference, { props: { difference }, global: global() })
    expect(shown.get('[data-testid=difference]').text()).toContain('变更前')
    expect(shown.findAll('.differs').map((part) => part.text())).toEqual(['60 人'])
  })

  it('names the category, and marks it where it changes', () => {
    const after = planned('a1', { category: '国家教育考试' })
    const changed = [{ before: planned('a1'), after }]
    const shown = mount(TimetableDifference, { props: { difference: { ...difference, changed } }, global: global() })
    expect(shown.findAll('.differs').map((part) => part.text())).toEqual(['国家教育考试'])
  })

  it('shows the others on demand', async () => {
    const shown = mount(TimetableDifference, { props: { difference }, global: global() })
    await shown.get('[data-testid=count-removed]').trigger('click')
    expect(shown.get('[data-testid=difference]').text()).toContain('B2')
    await shown.get('[data-testid=count-added]').trigger('click')
    expect(shown.get('[data-testid=difference]').text()).toBe('没有场次')
  })

  it('says when nothing would change', () => {
    const same = { added: [], removed: [], changed: [], unchanged: 3 }
    const shown = mount(TimetableDifference, { props: { difference: same }, global: global() })
    expect(shown.text()).toContain('与现有安排一致')
  })

  it('does not call a file without any exam the same', () => {
    const same = { added: [], removed: [], changed: [], unchanged: 0 }
    const shown = mount(TimetableDifference, { props: { difference: same, isEmpty: true }, global: global() })
    expect(shown.text()).toContain('没有读到任何考试')
    expect(shown.text()).not.toContain('一致')
  })
})

describe('the rows of a file', () => {
  const rows = [row(2, 'ok'), row(3, 'warn'), row(4, 'reject'), row(5, 'ok')]
  const told = (shown: ReturnType<typeof mount>) =>
    shown.findAll('.el-table__body tbody tr').map((line) => line.findAll('td').map((cell) => cell.text()).join('|'))

  it('show what needs a person first, in the language of the page', async () => {
    const shown = mount(RowVerdicts, { props: { rows }, global: global(), attachTo: document.body })
    await vi.waitFor(() => expect(told(shown)).toEqual(['Sheet1 3|▲ 警告|第3行', 'Sheet1 4|✕ 拒绝|第4行']))
    speak('en')
    await vi.waitFor(() => expect(told(shown)).toEqual(['Sheet1 3|▲ Warning|row 3', 'Sheet1 4|✕ Rejected|row 4']))
    shown.unmount()
  })

  it('show every row when none needs anybody', async () => {
    const shown = mount(RowVerdicts, { props: { rows: [row(2, 'ok')] }, global: global(), attachTo: document.body })
    await vi.waitFor(() => expect(told(shown)).toEqual(['Sheet1 2|● 正常|第2行']))
    shown.unmount()
  })
})
