/** Where an axis has its numbers: multiples of 1, 2 or 5 times a power of ten. */

const MOST = 5

/** Give at most six values from zero to `top`, evenly spaced and easy to read. */
export function ticksUpTo(top: number): number[] {
  if (!(top > 0)) return [0]
  const power = 10 ** Math.floor(Math.log10(top / MOST))
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => top / each <= MOST) ?? 10 * power
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step)
}
