import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api } from '@/core/api'
import { i18n, speak } from '@/core/i18n'
import type { DueExam } from '@/core/model'
import DueExams from './DueExams.vue'

const none = { segments: 0, bytes: 0 }
const EXAM: DueExam = {
  session: 's1',
  courses: [{ code: 'MA1', name: '高等数学' }],
  room: 'A101',
  room_name: '教一 101',
  start: '2026-10-28T00:30:00Z',
  end: '2026-10-28T02:30:00Z',
  first_at: '2026-11-27T02:45:00Z',
  last_at: '2026-11-27T02:45:00Z',
  due: { segments: 240, bytes: 1.2e9 },
  held: none,
}

async function open(props: { day?: string; hold?: string; changes?: unknown }, ...items: DueExam[]) {
  const asked = vi.spyOn(api, 'dueExams').mockResolvedValue({ items, left_out: 0 })
  const page = mount(DueExams, { props, global: { plugins: [createPinia(), i18n] } })
  await flushPromises()
  return { page, asked }
}

beforeEach(() => speak('zh-CN'))
afterEach(() => vi.restoreAllMocks())

describe('exams whose footage goes', () => {
  it('are named by room, exam and hour', async () => {
    const { page, asked } = await open({ day: '2026-11-27' }, EXAM)
    expect(asked).toHaveBeenCalledWith({ day: '2026-11-27' })
    const text = page.text()
    for (const word of ['教一 101', '高等数学', '10:45 删除', '2026-10-28 08:30–10:30', '240 段录像，1.2 GB']) expect(text).toContain(word)
  })

  it('under a hold say the day, too, and those that stay say so', async () => {
    const stays = { ...EXAM, session: '', courses: [], room_name: 'cam-9', due: none, held: { segments: 2, bytes: 2e6 } }
    const { page, asked } = await open({ hold: 'h1' }, EXAM, stays)
    expect(asked).toHaveBeenCalledWith({ hold: 'h1' })
    expect(page.text()).toMatch(/11月27日.* 10:45 删除/)
    const [, second] = page.findAll('li').map((line) => line.text())
    expect(second).toContain('已保全')
    expect(second).toContain('非考试时段')
    expect(second).not.toContain('删除')
  })

  it('are many, and all are shown on demand', async () => {
    const many = Array.from({ length: 30 }, (_, index) => ({ ...EXAM, room_name: `教一 ${100 + index}` }))
    const { page } = await open({ day: '2026-11-27' }, ...many)
    expect(page.findAll('li')).toHaveLength(20)
    await page.get('[data-testid=all-exams]').trigger('click')
    expect(page.findAll('li')).toHaveLength(30)
  })

  it('are read again when the day or the hold changed', async () => {
    const { page, asked } = await open({ day: '2026-11-27', changes: 1 }, EXAM)
    await page.setProps({ changes: 2 })
    expect(asked).toHaveBeenCalledTimes(2)
  })
})
