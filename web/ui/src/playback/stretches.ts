/** Stretches of time, apart and in order. */

export interface Stretch {
  start: number
  end: number
}

/** Add a stretch; what overlaps or touches becomes one. */
export function add(stretches: readonly Stretch[], more: Stretch): Stretch[] {
  const apart = stretches.filter((one) => one.end < more.start - 1 || one.start > more.end + 1)
  const joined = stretches.filter((one) => !apart.includes(one))
  const start = Math.min(more.start, ...joined.map((one) => one.start))
  const end = Math.max(more.end, ...joined.map((one) => one.end))
  return [...apart, { start, end }].sort((a, b) => a.start - b.start)
}

/** Take a stretch away. */
export function remove(stretches: readonly Stretch[], from: number, to: number): Stretch[] {
  return stretches
    .flatMap((one) => [
      { start: one.start, end: Math.min(one.end, from) },
      { start: Math.max(one.start, to), end: one.end },
    ])
    .filter((one) => one.end > one.start)
}

/** Give up to where it is covered from an instant on; the instant itself where it is not. */
export function coveredFrom(stretches: readonly Stretch[], at: number, slack: number): number {
  const over = stretches.find((one) => one.start <= at + slack && one.end > at + slack)
  return over ? over.end : at
}
