import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { i18n, speak } from '@/core/i18n'
import type { Hold } from '@/core/model'
import HoldCard from './HoldCard.vue'

const HOLD: Hold = {
  id: 'h1',
  kind: 'violation',
  state: 'ACTIVE',
  cameras: ['cam-01', 'cam-99'],
  start: '2026-11-22T01:00:00Z',
  end: '2026-11-22T03:00:00Z',
  owner: '教务处',
  reason: '疑似夹带',
  review_at: '2027-01-22T00:00:00Z',
  lapses_at: null,
  placed_by: 'zhang',
  placed_at: '2026-11-22T04:00:00Z',
  proposed_by: null,
  proposed_at: null,
  proposed_why: null,
  released_by: null,
  ended_at: null,
  names: { zhang: '张伟' },
  boxes: [
    { edge: 'box-1', confirmed: true },
    { edge: 'box-2', confirmed: false },
  ],
  covered: { segments: 3, bytes: 3e9, freed_segments: 3, freed_bytes: 3e9, over_segments: 0, over_bytes: 0, next_at: null, last_at: null },
}

function card(change: Partial<Hold> = {}, user = 'zhang', mayAct = true) {
  const names = new Map([['cam-01', '教一 101']])
  const props = { hold: { ...HOLD, ...change }, names, mayAct, user }
  const stubs = { ElButton: { template: '<button v-bind="$attrs"><slot /></button>', inheritAttrs: false } }
  return mount(HoldCard, { props, global: { plugins: [createPinia(), i18n], stubs } })
}

beforeEach(() => speak('zh-CN'))

describe('a hold', () => {
  it('says which boxes confirmed it and which have not', () => {
    const text = card().text()
    expect(text).toContain('box-1 已确认')
    expect(text).toContain('box-2 尚未确认')
  })

  it('names rooms where it can, and cameras where not', () => {
    expect(card().text()).toContain('教一 101、cam-99')
  })

  it('that was proposed for release can be kept: taken back by one, disagreed with by another', async () => {
    const proposed = { state: 'RELEASE_PROPOSED', proposed_by: 'zhang', proposed_why: '已结案' } as const
    const mine = card(proposed)
    expect(mine.get('[data-testid=keep-hold]').text()).toBe('撤回…')
    expect(mine.find('[data-testid=extend-hold]').exists()).toBe(false)
    await mine.get('[data-testid=keep-hold]').trigger('click')
    expect(mine.emitted('keep')).toHaveLength(1)
    expect(card(proposed, 'li').get('[data-testid=keep-hold]').text()).toBe('不同意…')
  })

  it('that is over says who released it, and why', () => {
    const over = { state: 'RELEASED', ended_at: '2026-12-01T00:00:00Z', proposed_by: 'zhang', proposed_why: '已结案', released_by: 'li' } as const
    expect(card(over).text()).toContain('张伟 提出（已结案），li 同意')
  })

  it('names people as people know them', () => {
    const text = card({ owner: 'zhang', state: 'RELEASE_PROPOSED', proposed_by: 'li', proposed_why: '已结案' }).text()
    expect(text).toContain('申请方张伟')
    expect(text).toContain('张伟 · ')
    expect(text).toContain('li 提出解除')
  })

  it('cannot be released by the one who proposed it', () => {
    const proposed = { state: 'RELEASE_PROPOSED', proposed_by: 'zhang', proposed_why: '已结案' } as const
    expect(card(proposed).get('[data-testid=release-hold]').attributes('disabled')).toBeDefined()
    expect(card(proposed).text()).toContain('须由考试中心另一人同意')
    expect(card(proposed, 'li').get('[data-testid=release-hold]').attributes('disabled')).toBeUndefined()
  })

  it('of a request, or of one who may only read, has no buttons', () => {
    expect(card({ kind: 'request' }).find('footer').exists()).toBe(false)
    expect(card({}, 'auditor', false).find('footer').exists()).toBe(false)
  })

  it('that is over says when it ended', () => {
    expect(card({ state: 'RELEASED', ended_at: '2026-12-01T00:00:00Z' }).text()).toContain('结束时间')
  })
})
