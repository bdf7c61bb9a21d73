import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { i18n, speak } from '@/core/i18n'
import type { BoxForecast, ForecastDay } from '@/core/model'
import CapacityChart from './CapacityChart.vue'
import CapacityVerdict from './CapacityVerdict.vue'

const GB = 1e9

const day = (date: string, free: number, planned = 0): ForecastDay => ({
  date,
  used_bytes: 90 * GB - free,
  planned_bytes: planned,
  expiring_bytes: 0,
  peak_bytes: 90 * GB - free,
  free_bytes: free,
  shortfall_bytes: Math.max(0, -free),
})

const box = (days: ForecastDay[], more: Partial<BoxForecast> = {}): BoxForecast => ({
  edge: 'box-1',
  total_bytes: 92 * GB,
  capacity_bytes: 90 * GB,
  held_bytes: 0,
  days,
  rates: { recorded: 2 },
  fits: true,
  first_day: null,
  shortfall_bytes: 0,
  options: null,
  ...more,
})

const global = () => ({ plugins: [createPinia(), i18n] })

beforeEach(() => {
  speak('zh-CN')
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }))
})

const full = box([day('2026-11-26', 10 * GB), day('2026-11-27', -2 * GB, 4 * GB), day('2026-11-28', -3 * GB, GB)], {
  fits: false,
  first_day: '2026-11-27',
  shortfall_bytes: 3 * GB,
  options: { fewer_camera_hours: 3.2, other_boxes: [{ edge: 'box-2', free_bytes: 50 * GB }], later: null },
})

describe('a verdict on a disk', () => {
  it('names box, day and shortfall, and every way out, in both languages', () => {
    const shown = mount(CapacityVerdict, { props: { box: full }, global: global() })
    expect(shown.text()).toContain('box-1：11月27日')
    expect(shown.text()).toContain('缺 2.0 GB')
    expect(shown.text()).toContain('最满的一天缺 3.0 GB')
    expect(shown.findAll('li')).toHaveLength(3)
    expect(shown.text()).toContain('减少 4 个摄像机小时')
    expect(shown.text()).toContain('box-2（余 50.0 GB）')
    speak('en')
    expect(mount(CapacityVerdict, { props: { box: full }, global: global() }).text()).toContain('2.0 GB too little')
  })

  it('names the tightest day of one that fits, and says when nothing is known', () => {
    const fits = box([day('2026-11-26', 10 * GB), day('2026-11-27', 4 * GB)])
    expect(mount(CapacityVerdict, { props: { box: fits }, global: global() }).text()).toContain('仍余 4.0 GB')
    const unknown = box([], { fits: null, capacity_bytes: null })
    expect(mount(CapacityVerdict, { props: { box: unknown }, global: global() }).text()).toContain('无法判断')
  })
})

describe('a chart of a disk', () => {
  it('draws a bar a day, marks what does not fit, and says the same in a table', () => {
    const shown = mount(CapacityChart, { props: { box: full }, global: global() })
    expect(shown.findAll('rect.used')).toHaveLength(3)
    expect(shown.findAll('rect.over')).toHaveLength(2)
    expect(shown.get('svg').attributes('aria-label')).toContain('box-1')
    const rows = shown.findAll('tbody tr')
    expect(rows).toHaveLength(3)
    expect(rows[1]?.classes()).toContain('bad')
    expect(rows[1]?.text()).toContain('缺 2.0 GB')
  })

  it('counts what is planned once: used, planned and free are what may be filled', () => {
    const shown = mount(CapacityChart, { props: { box: box([day('2026-11-26', 10 * GB, 30 * GB)]) }, global: global() })
    expect(shown.findAll('tbody td').map((cell) => cell.text())).toEqual(['50.0 GB', '30.0 GB', '10.0 GB'])
  })
})
