import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError } from '@/core/api'
import { i18n, speak } from '@/core/i18n'
import type { RetentionClass } from '@/core/model'
import RetentionClasses from './RetentionClasses.vue'

const CLASSES: RetentionClass[] = [
  { category: '', days: 30, set_by: '', set_at: null },
  { category: '招生考试', days: 180, set_by: 'zhao', set_at: '2026-11-22T01:00:00Z' },
]

async function open(mayAct: boolean) {
  vi.spyOn(api, 'retentionClasses').mockResolvedValue(CLASSES)
  const page = mount(RetentionClasses, { props: { mayAct }, global: { plugins: [createPinia(), i18n] }, attachTo: document.body })
  await flushPromises()
  return page
}

const at = (name: string) => document.querySelector<HTMLElement>(`[data-testid=${name}]`)
const text = () => document.body.textContent ?? ''

async function say(reason: string): Promise<void> {
  const field = document.querySelector<HTMLInputElement>('#dialog-reason')
  if (!field) throw new Error('no field for the reason')
  field.value = reason
  field.dispatchEvent(new Event('input'))
  await flushPromises()
  at('set-retention')?.click()
  await flushPromises()
}

beforeEach(() => speak('zh-CN'))
afterEach(() => {
  vi.restoreAllMocks()
  document.body.innerHTML = ''
})

describe('terms by category', () => {
  it('are listed with who set them', async () => {
    const page = await open(false)
    const lines = page.findAll('[data-testid=retention-class]').map((line) => line.text())
    expect(lines[0]).toBe('未注明类别30 天')
    expect(lines[1]).toContain('招生考试180 天zhao')
    expect(at('set-class'), 'only read').toBeNull()
  })

  it('are set after saying what then holds, with a reason', async () => {
    const set = vi.spyOn(api, 'setRetentionClass').mockResolvedValue(CLASSES[1] as RetentionClass)
    const page = await open(true)
    await page.findAll('[data-testid=set-class]')[1]?.trigger('click')
    await flushPromises()
    expect(text()).toContain('“招生考试”的录像由保存 180 天改为 180 天')
    await say('')
    expect(set).not.toHaveBeenCalled()
    await say('上级要求')
    expect(set).toHaveBeenCalledWith('招生考试', 180, '上级要求')
    expect(page.emitted('changed')).toHaveLength(1)
  })

  it('say why they were refused', async () => {
    vi.spyOn(api, 'setRetentionClass').mockRejectedValue(new ApiError('retention_too_short', 400, ''))
    const page = await open(true)
    await page.findAll('[data-testid=set-class]')[0]?.trigger('click')
    await flushPromises()
    await say('上级要求')
    expect(text()).toContain('录像至少保存 30 天')
  })
})
