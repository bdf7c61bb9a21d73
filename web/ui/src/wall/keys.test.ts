import { expect, it } from 'vitest'
import { actOf } from './keys'

function press(key: string, target: Element | null = null, more: object = {}) {
  return { key, target, ctrlKey: false, altKey: false, metaKey: false, ...more }
}

function element(html: string, selector: string): Element {
  document.body.innerHTML = html
  return document.querySelector(selector) as Element
}

it('digits choose the layout', () => {
  expect(['1', '2', '3', '4'].map((key) => actOf(press(key), true))).toEqual(
    [1, 4, 9, 16].map((layout) => ({ act: 'layout', layout })),
  )
  expect(actOf(press('5'), true)).toBeNull()
  expect(actOf(press('0'), true)).toBeNull()
})

it('letters act in either case', () => {
  expect(actOf(press('N'), true)).toEqual({ act: 'next' })
  expect(actOf(press('p'), true)).toEqual({ act: 'patrol' })
  expect(actOf(press('i'), true)).toEqual({ act: 'diagnose' })
  expect(actOf(press('A'), true)).toEqual({ act: 'alert' })
  expect(actOf(press('k'), true)).toEqual({ act: 'take' })
  expect(actOf(press('/'), true)).toEqual({ act: 'search' })
  expect(actOf(press('?'), true)).toEqual({ act: 'help' })
})

it('nothing acts while somebody writes, chooses or reads a dialog', () => {
  for (const html of ['<input>', '<select></select>', '<div role="dialog"><p></p></div>']) {
    expect(actOf(press('n', element(html, 'body > *')), true)).toBeNull()
  }
})

it('the browser keeps its own keys', () => {
  expect(actOf(press('p', null, { ctrlKey: true }), true)).toBeNull()
  expect(actOf(press('1', null, { metaKey: true }), true)).toBeNull()
})

it('single keys can be switched off, the way out cannot', () => {
  expect(actOf(press('n'), false)).toBeNull()
  expect(actOf(press('1'), false)).toBeNull()
  expect(actOf(press('Escape'), false)).toEqual({ act: 'shrink' })
})

it('arrows and Enter belong to the grid', () => {
  const cell = element('<div role="grid"><div role="gridcell"><button></button></div></div>', '[role=gridcell]')
  expect(actOf(press('ArrowLeft', cell), true)).toEqual({ act: 'move', key: 'ArrowLeft' })
  expect(actOf(press('Enter', cell), true)).toEqual({ act: 'enlarge' })
  expect(actOf(press('Enter', cell.firstElementChild), true)).toBeNull()
  const link = element('<a href="/"></a>', 'a')
  expect(actOf(press('ArrowLeft', link), true)).toBeNull()
  expect(actOf(press('Enter', link), true)).toBeNull()
})

it('arrows and Enter go to the grid while nothing has the focus', () => {
  expect(actOf(press('ArrowDown', document.body), true)).toEqual({ act: 'move', key: 'ArrowDown' })
  expect(actOf(press('Enter', document.body), true)).toEqual({ act: 'enlarge' })
})

it('the space bar presses a button where one has the focus', () => {
  const button = element('<button></button>', 'button')
  expect(actOf(press(' ', button), true)).toBeNull()
  expect(actOf(press(' ', document.body), true)).toEqual({ act: 'pause' })
})
