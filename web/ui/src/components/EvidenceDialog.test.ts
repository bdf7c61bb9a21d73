import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError } from '@/core/api'
import { i18n, speak } from '@/core/i18n'
import type { EvidencePackage } from '@/core/model'
import EvidenceDialog from './EvidenceDialog.vue'

const MADE = { id: 'ev-1', state: 'waiting' } as EvidencePackage
const ESTIMATE = {
  bytes: 3_200_000,
  segments: 2,
  missing: [{ camera: 'cam-1', from: '2026-11-22T01:00:00Z', to: '2026-11-22T01:00:30Z' }],
}

async function open() {
  const dialog = mount(EvidenceDialog, {
    props: {
      modelValue: false,
      rooms: [],
      prefill: { cameras: ['cam-1'], from: '2026-11-22T09:00:00', to: '2026-11-22T09:30:00' },
    },
    global: { plugins: [createPinia(), i18n] },
    attachTo: document.body,
  })
  await dialog.setProps({ modelValue: true })
  await flushPromises()
  return dialog
}

const at = (name: string) => document.querySelector<HTMLElement>(`[data-testid=${name}]`)
const text = () => document.body.textContent ?? ''

async function write(name: string, value: string): Promise<void> {
  const found = at(name)
  const input = (found?.tagName === 'INPUT' ? found : found?.querySelector('input')) as HTMLInputElement
  input.value = value
  input.dispatchEvent(new Event('input'))
  await flushPromises()
}

async function press(name: string): Promise<void> {
  at(name)?.click()
  await flushPromises()
}

async function fill(): Promise<void> {
  await write('ev-request', '附2-2026-0007')
  await write('ev-recipient', '教务处 王敏')
  await write('ev-reason', '成绩复核')
}

beforeEach(() => speak('zh-CN'))
afterEach(() => {
  vi.restoreAllMocks()
  document.body.innerHTML = ''
})

describe('asking for evidence', () => {
  it('asks for what is missing before the server is asked', async () => {
    const estimate = vi.spyOn(api, 'estimateEvidence')
    await open()
    await press('ev-next')
    expect(text()).toContain('请填写申请编号')
    expect(text()).toContain('请填写接收人')
    expect(estimate).not.toHaveBeenCalled()
  })

  it('names what leaves, and makes nothing without the undertaking', async () => {
    const estimate = vi.spyOn(api, 'estimateEvidence').mockResolvedValue(ESTIMATE)
    const make = vi.spyOn(api, 'makeEvidence').mockResolvedValue(MADE)
    const dialog = await open()
    await fill()
    await press('ev-next')
    const span = { cameras: ['cam-1'], from: '2026-11-22T01:00:00.000Z', to: '2026-11-22T01:30:00.000Z' }
    expect(estimate).toHaveBeenCalledWith(span)
    for (const said of ['教务处 王敏', '附2-2026-0007', '3.2 MB', '09:00:00–09:00:30']) expect(text()).toContain(said)
    await press('ev-confirm')
    expect(text()).toContain('未签署承诺书不得导出')
    expect(make).not.toHaveBeenCalled()
    at('ev-undertaking')?.querySelector('input')?.click()
    await flushPromises()
    await press('ev-confirm')
    expect(make).toHaveBeenCalledWith({
      ...span,
      request: '附2-2026-0007',
      recipient: '教务处 王敏',
      requester: '',
      reason: '成绩复核',
      undertaking: true,
    })
    expect(dialog.emitted('made')).toEqual([[MADE]])
  })

  it('says why it was refused', async () => {
    vi.spyOn(api, 'estimateEvidence').mockRejectedValue(new ApiError('expired', 410))
    await open()
    await fill()
    await press('ev-next')
    expect(at('ev-failure')?.textContent).toContain(i18n.global.t('problem.expired'))
  })
})
