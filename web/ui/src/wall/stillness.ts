/** Frames may come and show nothing new: whether the picture itself still changes. */

const WIDTH = 64
const HEIGHT = 36

/** Give a picture's pixels, made small; null while they cannot be read. */
export type Sample = (video: HTMLVideoElement) => Uint8ClampedArray | null

export class Stillness {
  private before: Uint8ClampedArray | null = null
  /** When the picture was last seen to be another one; null before the first look. */
  changedAt: number | null = null

  constructor(private readonly sample: Sample = sampler()) {}

  /** Look once; a real camera's picture never stays the same to the last bit: there is always noise. */
  look(video: HTMLVideoElement, now: number): void {
    const pixels = this.sample(video)
    if (!pixels) return this.forget()
    if (this.before && isSame(this.before, pixels)) return
    this.before = pixels
    this.changedAt = now
  }

  /** Begin anew: what was seen says nothing of what comes. */
  forget(): void {
    this.before = this.changedAt = null
  }
}

/** Give a sampler with a canvas of its own, made when it is first needed. */
function sampler(): Sample {
  let context: CanvasRenderingContext2D | null | undefined
  return (video) => {
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null
    context ??= newContext()
    if (!context) return null
    context.drawImage(video, 0, 0, WIDTH, HEIGHT)
    return context.getImageData(0, 0, WIDTH, HEIGHT).data
  }
}

function newContext(): CanvasRenderingContext2D | null {
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT })
  const context = canvas.getContext('2d', { willReadFrequently: true })
  // Averages over all pixels, so that a second's digit in a corner counts too.
  if (context) context.imageSmoothingQuality = 'medium'
  return context
}

function isSame(one: Uint8ClampedArray, other: Uint8ClampedArray): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index])
}
