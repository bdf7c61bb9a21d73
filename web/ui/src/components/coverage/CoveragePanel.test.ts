import { flushPromises, mount, RouterLinkStub } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { api } from '@/core/api'
import { i18n, speak } from '@/core/i18n'
import type { CameraCoverage, Coverage, CoverageRow, Me } from '@/core/model'
import { useSession } from '@/stores/session'
import CoveragePanel from './CoveragePanel.vue'

const WINDOW = { window_start: '2026-11-22T01:00:00Z', window_end: '2026-11-22T03:00:00Z' }
const ROW = { session: 's-1', room: 'A101', start: WINDOW.window_start, end: WINDOW.window_end, state: 'RUNNING', edition: null, ...WINDOW } as CoverageRow
const LOST = { start: '2026-11-22T01:10:00Z', end: '2026-11-22T01:11:00Z', seconds: 60, cause: 'lost' }
const CAMERA: CameraCoverage = {
  camera: 'A101-1',
  planned_seconds: 1740,
  recorded_seconds: 1680,
  missing: [LOST],
  growing_since: '2026-11-22T01:29:00Z',
}

async function panel(camera: CameraCoverage) {
  const found = { session: 's-1', at: '2026-11-22T01:30:00Z', cameras: [camera], state: 'RUNNING', certificate: null, editions: [], ...WINDOW } as Coverage
  vi.spyOn(api, 'coverage').mockResolvedValue(found)
  const pinia = createPinia()
  useSession(pinia).me = { user: 'zhao', name: '赵', roles: ['exam_office'], site: { name: 'S', timezone: 'Asia/Shanghai' } } as unknown as Me
  const made = mount(CoveragePanel, {
    props: { row: ROW, changed: 0 },
    global: { plugins: [pinia, i18n], stubs: { RouterLink: RouterLinkStub } },
  })
  await flushPromises()
  return made
}

beforeEach(() => speak('zh-CN'))
afterEach(() => vi.restoreAllMocks())

it('says of a file that grows that it is being recorded, and counts it as neither', async () => {
  const shown = await panel(CAMERA)
  expect(shown.get('[data-testid=growing]').text()).toContain('09:29:00 起正在录像')
  expect(shown.text()).toContain('60.0 秒')
  expect(shown.find('.growing').attributes('style')).toContain('left: 24.16')
  shown.unmount()
})

it('leads to what was recorded beside a gap, and nowhere where nothing was', async () => {
  const shown = await panel(CAMERA)
  const at = (one: typeof shown) =>
    one.findAllComponents(RouterLinkStub).map((link) => (link.props('to') as { query: { at: string } }).query.at)
  expect(at(shown)).toEqual(['2026-11-22T01:09:57.000Z'])
  shown.unmount()
  const nothing = { ...LOST, start: WINDOW.window_start }
  const empty = await panel({ ...CAMERA, recorded_seconds: 0, missing: [nothing], growing_since: null })
  expect(at(empty)).toEqual([])
  empty.unmount()
})
