import { describe, expect, it } from 'vitest'
import { clampPage, gridOf, LAYOUTS, layoutOf, pageCount, pageHolding, pageOf, step } from './layout'

describe('layout', () => {
  it('is square on a wide window', () => {
    expect(LAYOUTS.map((layout) => gridOf(layout, false))).toEqual([
      { columns: 1, rows: 1 },
      { columns: 2, rows: 2 },
      { columns: 3, rows: 3 },
      { columns: 4, rows: 4 },
    ])
  })

  it('has one column on a phone, and two from nine tiles on', () => {
    expect(gridOf(4, true)).toEqual({ columns: 1, rows: 4 })
    expect(gridOf(9, true)).toEqual({ columns: 2, rows: 5 })
    expect(gridOf(16, true)).toEqual({ columns: 2, rows: 8 })
  })

  it('is read from an address, and anything else is the fallback', () => {
    expect(layoutOf('16')).toBe(16)
    expect(layoutOf('7')).toBe(9)
    expect(layoutOf(undefined, 4)).toBe(4)
  })
})

describe('pages', () => {
  it('hold every camera once', () => {
    const cameras = Array.from({ length: 21 }, (_, index) => index)
    const pages = Array.from({ length: pageCount(21, 9) }, (_, index) => pageOf(cameras, index + 1, 9))
    expect(pages.flat()).toEqual(cameras)
    expect(pages.map((page) => page.length)).toEqual([9, 9, 3])
  })

  it('number at least one', () => {
    expect(pageCount(0, 4)).toBe(1)
  })

  it('are clamped to what there is', () => {
    expect(clampPage(7, 21, 9)).toBe(3)
    expect(clampPage(0, 21, 9)).toBe(1)
    expect(clampPage(Number.NaN, 21, 9)).toBe(1)
  })

  it('say where a camera is', () => {
    expect([0, 8, 9, 20].map((index) => pageHolding(index, 9))).toEqual([1, 1, 2, 3])
  })
})

describe('arrow keys', () => {
  it('move within the grid', () => {
    expect(step(4, 'ArrowLeft', 9, 3)).toBe(3)
    expect(step(4, 'ArrowRight', 9, 3)).toBe(5)
    expect(step(4, 'ArrowUp', 9, 3)).toBe(1)
    expect(step(4, 'ArrowDown', 9, 3)).toBe(7)
  })

  it('stay at the edges', () => {
    expect(step(3, 'ArrowLeft', 9, 3)).toBe(3)
    expect(step(5, 'ArrowRight', 9, 3)).toBe(5)
    expect(step(1, 'ArrowUp', 9, 3)).toBe(1)
    expect(step(5, 'ArrowDown', 7, 3)).toBe(5)
  })
})
