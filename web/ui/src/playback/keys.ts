/** What a key means while footage is watched. */

export type PlayAct =
  | { act: 'toggle' | 'pause' | 'mark' | 'goto' | 'help' | 'nearer' | 'farther' }
  | { act: 'step' | 'speed'; by: 1 | -1 }
  | { act: 'move'; ms: number }

const NAMED: Record<string, PlayAct> = {
  ' ': { act: 'toggle' },
  k: { act: 'pause' },
  j: { act: 'move', ms: -10_000 },
  l: { act: 'move', ms: 10_000 },
  ',': { act: 'step', by: -1 },
  '.': { act: 'step', by: 1 },
  '[': { act: 'speed', by: -1 },
  ']': { act: 'speed', by: 1 },
  m: { act: 'mark' },
  g: { act: 'goto' },
  '?': { act: 'help' },
  '+': { act: 'nearer' },
  '=': { act: 'nearer' },
  '-': { act: 'farther' },
}

type Pressed = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey' | 'target'>

/** Give what a key press asks for; nothing while somebody writes, chooses or holds a modifier. */
export function actOf(pressed: Pressed): PlayAct | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return null
  const target = pressed.target instanceof Element ? pressed.target : null
  if (target?.closest('input, textarea, select, [contenteditable], [role=dialog], [role=listbox], [role=combobox]')) return null
  if (pressed.key === 'ArrowLeft' || pressed.key === 'ArrowRight') {
    const ms = pressed.shiftKey ? 30_000 : 5000
    return { act: 'move', ms: pressed.key === 'ArrowLeft' ? -ms : ms }
  }
  if (pressed.key === ' ' && target?.closest('button, a')) return null
  return NAMED[pressed.key.toLowerCase()] ?? null
}
