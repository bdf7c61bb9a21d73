import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api } from '@/core/api'
import { i18n, speak } from '@/core/i18n'
import type { Me, Outage, Room, Session } from '@/core/model'
import { useSession } from '@/stores/session'
import OutagesDialog from './OutagesDialog.vue'

const ROOM = { id: 'A101', name: '教一 101' } as Room
const NOTICE: Outage = {
  id: 'o-1',
  rooms: ['A101'],
  start: '2099-11-28T01:00:00Z',
  end: '2099-11-28T03:00:00Z',
  reason: '更换交换机',
  contact: '刘师傅',
  override: '',
  filed_by: 'exam_office',
  filed_at: '2026-11-22T01:00:00Z',
  withdrawn_by: null,
  withdrawn_at: null,
}

async function open(roles: Me['roles'], notices: Outage[] = [NOTICE]) {
  vi.spyOn(api, 'rooms').mockResolvedValue([ROOM])
  vi.spyOn(api, 'outages').mockResolvedValue(notices)
  const pinia = createPinia()
  useSession(pinia).me = { user: 'zhao', name: '赵', roles, site: { name: 'S', timezone: 'Asia/Shanghai' } } as Me
  const dialog = mount(OutagesDialog, {
    props: { modelValue: false },
    global: { plugins: [pinia, i18n] },
    attachTo: document.body,
  })
  await dialog.setProps({ modelValue: true })
  await flushPromises()
  return dialog
}

const at = (name: string) => document.querySelector<HTMLElement>(`[data-testid=${name}]`)
const text = () => document.body.textContent ?? ''

beforeEach(() => speak('zh-CN'))
afterEach(() => {
  vi.restoreAllMocks()
  document.body.innerHTML = ''
})

describe('notices of outage', () => {
  it('are named by room and span; withdrawing one says what then holds', async () => {
    const withdraw = vi.spyOn(api, 'withdrawOutage').mockResolvedValue(NOTICE)
    await open(['exam_office'])
    expect(at('outage')?.textContent).toContain('教一 101')
    expect(at('outage')?.textContent).toContain('更换交换机 · 刘师傅')
    at('withdraw-outage')?.click()
    await flushPromises()
    expect(text()).toContain('教一 101 在 2099-11-28 09:00–11:00 将不再停用')
    expect(withdraw).not.toHaveBeenCalled()
  })

  it('that have begun end now when they are withdrawn, and keep what they explained', async () => {
    await open(['exam_office'], [{ ...NOTICE, start: '2026-11-22T01:00:00Z' }])
    at('withdraw-outage')?.click()
    await flushPromises()
    expect(text()).toContain('自现在起不再停用：教一 101，2026-11-22 09:00 – 2099-11-28 11:00')
  })

  it('are only read by those who may not file them', async () => {
    await open(['patrol'])
    expect(at('outage')).not.toBeNull()
    expect(at('withdraw-outage')).toBeNull()
    expect(at('file-outage')).toBeNull()
  })

  it('that are over or withdrawn cannot be withdrawn', async () => {
    const past = { ...NOTICE, id: 'o-2', start: '2020-01-01T00:00:00Z', end: '2020-01-01T01:00:00Z' }
    const gone = { ...NOTICE, id: 'o-3', withdrawn_by: 'zhao', withdrawn_at: '2026-11-22T02:00:00Z' }
    await open(['exam_office'], [past, gone])
    expect(document.querySelectorAll('[data-testid=outage]')).toHaveLength(2)
    expect(at('withdraw-outage')).toBeNull()
    expect(text()).toContain('zhao 于')
  })

  it('over an exam name it and need a reason before the server is asked', async () => {
    const exam = { room: 'A101', room_name: '教一 101', start: NOTICE.start, end: NOTICE.end, state: 'PLANNED', courses: [] }
    vi.spyOn(api, 'sessions').mockResolvedValue([exam as unknown as Session])
    const file = vi.spyOn(api, 'fileOutage').mockResolvedValue(NOTICE)
    const dialog = await open(['exam_office'], [])
    const inside = dialog.vm as unknown as { form: Record<string, unknown>; file(): Promise<void> }
    Object.assign(inside.form, { rooms: ['A101'], from: '2099-11-28 09:00', to: '2099-11-28 11:00', reason: '更换交换机' })
    await vi.waitFor(() => expect(text()).toContain('该时段有 1 场考试：教一 101'))
    at('file-outage')?.click()
    await flushPromises()
    expect(text()).toContain('请写明仍要停用的理由')
    expect(file).not.toHaveBeenCalled()
    inside.form.override = '考试已改在机房'
    await flushPromises()
    at('file-outage')?.click()
    await flushPromises()
    expect(file).toHaveBeenCalledWith(expect.objectContaining({ rooms: ['A101'], override: '考试已改在机房' }))
  })
})
