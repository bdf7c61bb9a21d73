/** How long to wait before trying again. */

const STEPS_MS = [1000, 2000, 4000, 8000, 15_000]
const JITTER = 0.2

/** Give the wait before the given try (0 is the first), spread so that pages do not march in step. */
export function backOffMs(attempt: number, random: () => number = Math.random): number {
  const step = STEPS_MS[Math.min(Math.max(attempt, 0), STEPS_MS.length - 1)] as number
  return step * (1 - JITTER + 2 * JITTER * random())
}
