/** What a key means on the wall. */

import { LAYOUTS, type Layout } from './layout'

export type WallAct =
  | { act: 'layout'; layout: Layout }
  | { act: 'move'; key: string }
  | { act: 'enlarge' | 'shrink' | 'next' | 'patrol' | 'pause' | 'search' | 'diagnose' | 'help' | 'alert' | 'take' }

const NAMED: Record<string, WallAct> = {
  Escape: { act: 'shrink' },
  n: { act: 'next' },
  p: { act: 'patrol' },
  ' ': { act: 'pause' },
  '/': { act: 'search' },
  i: { act: 'diagnose' },
  a: { act: 'alert' },
  k: { act: 'take' },
  '?': { act: 'help' },
}

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey' | 'target'>

/** Give what a key press asks for; nothing while somebody writes or holds a modifier. */
export function actOf(pressed: Pressed, areKeysOn: boolean): WallAct | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return null
  const target = pressed.target instanceof Element ? pressed.target : null
  if (target?.closest('input, textarea, select, [contenteditable], [role=dialog], [role=listbox], [role=combobox]')) return null
  const isNowhere = target === null || target === document.body // the grid's current tile is meant
  if (pressed.key.startsWith('Arrow')) return isNowhere || target.closest('[role=grid]') ? { act: 'move', key: pressed.key } : null
  if (pressed.key === 'Enter') return isNowhere || target.matches('[role=gridcell]') ? { act: 'enlarge' } : null
  if (pressed.key === 'Escape') return NAMED.Escape ?? null
  if (!areKeysOn || (pressed.key === ' ' && target?.closest('button, a'))) return null
  const layout = LAYOUTS[Number(pressed.key) - 1]
  if (layout) return { act: 'layout', layout }
  return NAMED[pressed.key.toLowerCase()] ?? null
}
