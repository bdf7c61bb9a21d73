/** How tiles share the wall, and which cameras are on which page. */

export const LAYOUTS = [1, 4, 9, 16] as const
export type Layout = (typeof LAYOUTS)[number]

export interface Grid {
  columns: number
  rows: number
}

/** Give the layout a text names, or the fallback. */
export function layoutOf(text: unknown, fallback: Layout = 9): Layout {
  return LAYOUTS.find((layout) => String(layout) === text) ?? fallback
}

/** Give the grid of a layout; a narrow window gets one column, or two from nine tiles on. */
export function gridOf(layout: Layout, narrow: boolean): Grid {
  const columns = narrow ? (layout >= 9 ? 2 : 1) : Math.sqrt(layout)
  return { columns, rows: Math.ceil(layout / columns) }
}

/** Give how many pages there are; an empty wall has one. */
export function pageCount(total: number, layout: Layout): number {
  return Math.max(1, Math.ceil(total / layout))
}

/** Give the page nearest to the one asked for (1-based). */
export function clampPage(page: number, total: number, layout: Layout): number {
  if (!Number.isInteger(page)) return 1
  return Math.min(Math.max(1, page), pageCount(total, layout))
}

/** Give the items of a page (1-based). */
export function pageOf<T>(items: readonly T[], page: number, layout: Layout): T[] {
  return items.slice((page - 1) * layout, page * layout)
}

/** Give the page (1-based) on which the item at an index stands. */
export function pageHolding(index: number, layout: Layout): number {
  return Math.floor(index / layout) + 1
}

/** Give the index an arrow key leads to; at an edge the focus stays. */
export function step(index: number, key: string, count: number, columns: number): number {
  const target = index + (STEPS[key]?.(columns) ?? 0)
  const leavesRow = key === 'ArrowLeft' ? index % columns === 0 : key === 'ArrowRight' && target % columns === 0
  if (target < 0 || target >= count || leavesRow) return index
  return target
}

const STEPS: Record<string, (columns: number) => number> = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (columns) => -columns,
  ArrowDown: (columns) => columns,
}
