/** The time line: which part of the day is seen, where instants stand in it, what marks it. */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
export const WIDEST_MS = 24 * HOUR
export const NARROWEST_MS = MINUTE
const TICKS = [SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR]

export interface View {
  start: number
  end: number
}

/** Keep a view inside the day and its width between a minute and the day. */
export function within(view: View, day: View): View {
  const width = Math.min(day.end - day.start, Math.max(NARROWEST_MS, view.end - view.start))
  const start = Math.min(day.end - width, Math.max(day.start, view.start))
  return { start, end: start + width }
}

/** Zoom so that the instant under the pointer stays there; `factor` below 1 goes nearer. */
export function zoomed(view: View, around: number, factor: number, day: View): View {
  const width = Math.min(day.end - day.start, Math.max(NARROWEST_MS, (view.end - view.start) * factor))
  const share = (around - view.start) / (view.end - view.start)
  return within({ start: around - width * share, end: around + width * (1 - share) }, day)
}

export function moved(view: View, by: number, day: View): View {
  return within({ start: view.start + by, end: view.end + by }, day)
}

/** Turn the page when the clock leaves the view. */
export function following(view: View, at: number, day: View): View {
  const width = view.end - view.start
  if (at >= view.start && at <= view.end - 0.02 * width) return view
  return within({ start: at - 0.1 * width, end: at + 0.9 * width }, day)
}

/** Give where an instant stands, 0 to 1 inside the view. */
export function shareOf(view: View, at: number): number {
  return (at - view.start) / (view.end - view.start)
}

export function instantAt(view: View, share: number): number {
  return view.start + (view.end - view.start) * Math.min(1, Math.max(0, share))
}

/** Give the step of the marks so that they stand at least so many pixels apart. */
export function tickStep(view: View, width: number, apart = 90): number {
  const most = Math.max(2, width / apart)
  return TICKS.find((step) => (view.end - view.start) / step <= most) ?? (TICKS.at(-1) as number)
}

/** Give the instants of the marks; whole hours of the site's day are among them. */
export function ticksOf(view: View, width: number, dayStart: number): number[] {
  const step = tickStep(view, width)
  const found: number[] = []
  for (let at = dayStart + Math.ceil((view.start - dayStart) / step) * step; at <= view.end; at += step) found.push(at)
  return found
}

/** Give the view that shows what is there, with a little air. */
export function around(parts: readonly View[], day: View): View {
  if (!parts.length) return day
  const [start, end] = [Math.min(...parts.map((one) => one.start)), Math.max(...parts.map((one) => one.end))]
  const air = Math.max(MINUTE, (end - start) * 0.04)
  return within({ start: start - air, end: end + air }, day)
}
