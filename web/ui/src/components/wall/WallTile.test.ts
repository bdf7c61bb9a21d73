import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { serverClock } from '@/core/clock'
import { i18n, speak } from '@/core/i18n'
import type { WallEngine } from '@/wall/engine'
import type { Place } from '@/wall/rooms'
import type { TileSnapshot } from '@/wall/tile'
import WallTile from './WallTile.vue'

const PLACE: Place = {
  name: 'A103',
  room: { id: 'a103', name: 'A103', building: 'A', campus: '', capacity: null, cameras: ['cam'] },
  camera: {
    id: 'cam',
    room: 'a103',
    room_name: 'A103',
    edge: 'box-1',
    switch: '',
    state: 'streaming',
    cause: '',
    last_frame_at: null,
    recording: true,
    bitrate_bps: 0,
    live: true,
  },
  session: {
    id: 's',
    room: 'a103',
    room_name: 'A103',
    campus: '',
    category: '',
    start: '2026-11-22T01:00:00Z',
    end: '2026-11-22T03:00:00Z',
    window_start: '2026-11-22T00:30:00Z',
    window_end: '2026-11-22T03:15:00Z',
    state: 'RUNNING',
    courses: [{ code: 'MATH', name: '线性代数' }],
    headcount: 45,
    invigilators: ['张伟', '李芳'],
  },
}

const SNAPSHOT: TileSnapshot = {
  camera: 'cam',
  state: 'ok',
  silentMs: 0,
  isFrozen: false,
  lastPictureAt: Date.parse('2026-11-22T01:43:12Z'),
  latencyMs: null,
  bps: 400_000,
  fps: 15,
  downBps: 400_000,
  failed: null,
  isMain: false,
  isBlanked: false,
}

function tile(snapshot: Partial<TileSnapshot>, place: Partial<Place> = {}, isDiagnosed = false) {
  const engine = { mount: vi.fn() } as unknown as WallEngine
  return mount(WallTile, {
    props: {
      place: { ...PLACE, ...place },
      alert: null,
      snapshot: { ...SNAPSHOT, ...snapshot },
      engine,
      isEnlarged: false,
      isDiagnosed,
    },
    global: { plugins: [createPinia(), i18n] },
  })
}

beforeEach(() => speak('zh-CN'))

describe('a tile', () => {
  it('says room, state, course, candidates and invigilators', () => {
    const shown = tile({})
    expect(shown.text()).toContain('A103')
    expect(shown.text()).toContain('正常')
    expect(shown.text()).toContain('线性代数 · 45 人 · 张伟、李芳')
    expect(shown.attributes()).toMatchObject({ 'data-camera': 'cam', 'data-state': 'ok' })
    expect(shown.attributes('aria-label')).toContain('A103 正常')
  })

  it('has a shape and a word for every state', () => {
    const marks = (['ok', 'late', 'stalled', 'offline', 'connecting', 'closed'] as const).map((state) =>
      tile({ state }).get('.mark').text(),
    )
    expect(marks).toEqual(['●正常', '◐延迟', '◌停滞', '○离线', '◔连接中', '▢未开放'])
  })

  it('says for how long the picture has stalled', () => {
    expect(tile({ state: 'stalled', silentMs: 7400 }).get('[data-testid=stale]').text()).toBe('画面停滞 00:07')
    const frozen = tile({ state: 'stalled', silentMs: 7400, isFrozen: true })
    expect(frozen.get('[data-testid=stale]').text()).toBe('画面冻结 00:07')
  })

  it('goes by the box’s word where its own eyes see frames', () => {
    vi.spyOn(serverClock, 'now').mockReturnValue(Date.parse('2026-11-22T01:00:12Z'))
    const camera = { ...PLACE.camera, last_frame_at: '2026-11-22T01:00:00Z' }
    expect(tile({ state: 'stalled' }, { camera }).get('[data-testid=stale]').text()).toBe('画面停滞 00:12')
  })

  it('says when the last picture was, and why there is none', () => {
    const text = tile({ state: 'offline', failed: 'box_unreachable' }).text()
    expect(text).toContain('最后画面 09:43:12')
    expect(text).toContain('无法连接该考场的边缘盒')
  })

  it('calls the time outside exams no error, and says when it opens', () => {
    const text = tile({ state: 'closed' }).text()
    expect(text).toContain('未到考试时段')
    expect(text).toContain('08:30')
    expect(tile({ state: 'closed' }, { session: null }).text()).toContain('近期无考试安排')
  })

  it('says that a picture without its watermark is covered', () => {
    expect(tile({ isBlanked: true }).text()).toContain('水印无法显示，画面已遮蔽')
  })

  it('shows figures on demand, and a dash for what is not known', () => {
    expect(tile({}).text()).not.toContain('fps')
    expect(tile({}, {}, true).text()).toContain('子码流 · 延迟 - · 15 fps · 400 kb/s · box-1')
    expect(tile({ isMain: true, latencyMs: 81.4 }, {}, true).text()).toContain('主码流 · 延迟 81 ms')
  })

  it('is enlarged by double click', async () => {
    const shown = tile({})
    await shown.trigger('dblclick')
    expect(shown.emitted('enlarge')).toHaveLength(1)
  })
})
