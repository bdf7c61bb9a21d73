import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { paintText, places, Watermark } from './watermark'

let host: HTMLElement
const painted: string[] = []
const paint = (_: HTMLCanvasElement, text: string) => painted.push(text) > 0

beforeEach(() => {
  painted.length = 0
  host = document.body.appendChild(document.createElement('div'))
  host.append(document.createElement('video'))
})
afterEach(() => {
  host.remove()
  document.head.querySelectorAll('style').forEach((style) => style.remove())
})

const canvas = () => host.querySelector('canvas')

describe('a watermark', () => {
  it('lies on top and says the text of the moment', () => {
    let second = 0
    const mark = new Watermark(host, () => `张三 09:43:0${second++}`, paint)
    expect(mark.renew()).toBe(true)
    expect(mark.renew()).toBe(true)
    expect(painted).toEqual(['张三 09:43:00', '张三 09:43:01'])
    expect(host.lastElementChild).toBe(canvas())
  })

  it('comes back when it was taken away', () => {
    const mark = new Watermark(host, () => 'x', paint)
    canvas()?.remove()
    expect(mark.renew()).toBe(true)
    expect(host.querySelectorAll('canvas')).toHaveLength(1)
  })

  it('comes back on top when something was laid over it', () => {
    const mark = new Watermark(host, () => 'x', paint)
    host.append(document.createElement('div'))
    expect(mark.renew()).toBe(true)
    expect(host.lastElementChild).toBe(canvas())
  })

  it('is made anew when it was made invisible', () => {
    const mark = new Watermark(host, () => 'x', paint)
    const before = canvas()
    before?.style.setProperty('opacity', '0')
    expect(mark.renew()).toBe(true)
    expect(canvas()).not.toBe(before)
  })

  it('says so when a style of the page hides every one', () => {
    const mark = new Watermark(host, () => 'x', paint)
    const style = document.head.appendChild(document.createElement('style'))
    style.textContent = 'canvas { display: none }'
    expect(mark.renew()).toBe(false)
    style.remove()
    expect(mark.renew()).toBe(true)
  })

  it('says so when it cannot be painted', () => {
    expect(new Watermark(host, () => 'x', () => false).renew()).toBe(false)
  })

  it('leaves room below itself', () => {
    const mark = new Watermark(host, () => 'x', paint)
    const video = document.createElement('video')
    mark.under(video)
    expect(video.nextElementSibling).toBe(canvas())
  })

  it('goes with its tile', () => {
    new Watermark(host, () => 'x', paint).close()
    expect(canvas()).toBeNull()
  })
})

describe('the text', () => {
  it('covers the whole picture, whatever the time', () => {
    const reach = Math.hypot(640, 360) / 2
    for (const seconds of [0, 17, 4000, 1e6]) {
      const found = places(640, 360, 150, seconds)
      const rows = new Set(found.map(([, y]) => y))
      expect(Math.min(...rows)).toBe(-reach)
      expect(Math.max(...rows)).toBeGreaterThan(reach - 80)
      for (const row of rows) {
        const starts = found.filter(([, y]) => y === row).map(([x]) => x)
        expect(Math.min(...starts)).toBeLessThanOrEqual(-reach)
        expect(Math.max(...starts)).toBeGreaterThan(reach - 150 - 90)
      }
    }
  })

  it('drifts', () => {
    expect(places(640, 360, 150, 0)[0]).not.toEqual(places(640, 360, 150, 5)[0])
  })

  it('is drawn slanted, light with a dark rim', () => {
    const calls: string[] = []
    const context = new Proxy({} as Record<string, unknown>, {
      get: (target, name: string) =>
        target[name] ?? (name === 'measureText' ? () => ({ width: 150 }) : (...args: unknown[]) => calls.push(`${name} ${args[0]}`)),
      set: (target, name: string, value) => (target[name] = value) !== undefined,
    })
    const element = document.createElement('canvas')
    Object.defineProperties(element, { clientWidth: { value: 640 }, clientHeight: { value: 360 } })
    vi.spyOn(element, 'getContext').mockReturnValue(context as never)
    expect(paintText(element, '张三', 0)).toBe(true)
    expect(calls.some((call) => call.startsWith('rotate -0.349'))).toBe(true)
    expect(calls.filter((call) => call === 'fillText 张三').length).toBeGreaterThan(8)
    expect(calls.filter((call) => call === 'strokeText 张三').length).toBeGreaterThan(8)
    expect([context.fillStyle, context.strokeStyle]).toEqual(['rgba(255,255,255,0.16)', 'rgba(0,0,0,0.14)'])
  })

  it('cannot be drawn without a context', () => {
    const element = document.createElement('canvas')
    Object.defineProperties(element, { clientWidth: { value: 640 }, clientHeight: { value: 360 } })
    vi.spyOn(element, 'getContext').mockReturnValue(null)
    expect(paintText(element, '张三', 0)).toBe(false)
  })
})
