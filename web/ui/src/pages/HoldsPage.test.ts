import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api } from '@/core/api'
import { i18n, speak } from '@/core/i18n'
import type { Hold } from '@/core/model'
import { useSession } from '@/stores/session'
import HoldsPage from './HoldsPage.vue'

const PROPOSED: Hold = {
  id: 'h1',
  kind: 'violation',
  state: 'RELEASE_PROPOSED',
  cameras: ['cam-01'],
  start: '2026-11-22T01:00:00Z',
  end: '2026-11-22T03:00:00Z',
  owner: 'zhang',
  reason: '疑似夹带',
  review_at: '2999-01-22T00:00:00Z',
  lapses_at: null,
  placed_by: 'zhang',
  placed_at: '2026-11-22T04:00:00Z',
  proposed_by: 'li',
  proposed_at: '2026-11-23T04:00:00Z',
  proposed_why: '已结案',
  released_by: null,
  ended_at: null,
  names: {},
  boxes: [],
  covered: { segments: 0, bytes: 0, freed_segments: 0, freed_bytes: 0, over_segments: 0, over_bytes: 0, next_at: null, last_at: null },
}
const total = { segments: 1, bytes: 1e6 }
const none = { segments: 0, bytes: 0 }

async function open() {
  vi.spyOn(api, 'holds').mockResolvedValue([PROPOSED])
  vi.spyOn(api, 'dueDays').mockResolvedValue(['2026-12-22', '2026-12-23'].map((day) => ({ day, due: total, held: none })))
  vi.spyOn(api, 'due').mockResolvedValue({ at: '2026-11-22T04:00:00Z', totals: { due: none, held: none, deferred: none } })
  vi.spyOn(api, 'dueExams').mockResolvedValue({ items: [], left_out: 0 })
  vi.spyOn(api, 'retentionClasses').mockResolvedValue([])
  vi.spyOn(api, 'rooms').mockResolvedValue([])
  const pinia = createPinia()
  useSession(pinia).me = {
    user: 'wang',
    name: '王敏',
    roles: ['exam_office'],
    csrf: 'c',
    site: { name: 'S', timezone: 'Asia/Shanghai' },
    now: '2026-11-22T01:00:00Z',
  }
  const page = mount(HoldsPage, { global: { plugins: [pinia, i18n] }, attachTo: document.body })
  await flushPromises()
  return page
}

beforeEach(() => speak('zh-CN'))
afterEach(() => {
  vi.restoreAllMocks()
  document.body.innerHTML = ''
})

describe('the page of holds', () => {
  it('lets a second person disagree with a release: the hold goes on to its day of review', async () => {
    const extend = vi.spyOn(api, 'extendHold').mockResolvedValue(PROPOSED)
    const page = await open()
    await page.get('[data-testid=keep-hold]').trigger('click')
    await flushPromises()
    const field = document.querySelector<HTMLInputElement>('#dialog-reason')
    if (!field) throw new Error('no field for the reason')
    field.value = '申诉未决'
    field.dispatchEvent(new Event('input'))
    await flushPromises()
    document.querySelector<HTMLElement>('[data-testid=confirm-keep]')?.click()
    await flushPromises()
    expect(extend).toHaveBeenCalledWith('h1', '2999-01-22T00:00:00.000Z', '申诉未决')
    page.unmount()
  })

  it('names the exams of the next day, and of another when that is opened', async () => {
    const page = await open()
    expect(api.dueExams).toHaveBeenCalledTimes(1)
    expect(api.dueExams).toHaveBeenCalledWith({ day: '2026-12-22' })
    await page.findAll('[data-testid=due-day]')[1]?.trigger('click')
    await flushPromises()
    expect(api.dueExams).toHaveBeenLastCalledWith({ day: '2026-12-23' })
    page.unmount()
  })
})
