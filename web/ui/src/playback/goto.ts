/** A time of day as people type it. */

const FORM = /^(\d{1,2})[:：]?(\d{2})(?:[:：]?(\d{2})(?:[.,](\d{1,3}))?)?$/

/** Give milliseconds since the day began; null for what is no time: 9:42, 0942, 09:42:05.320. */
export function timeIn(typed: string): number | null {
  const found = FORM.exec(typed.trim())
  if (!found) return null
  const [hours, minutes, seconds] = [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)]
  if (hours > 23 || minutes > 59 || seconds > 59) return null
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + Number((found[4] ?? '').padEnd(3, '0'))
}
