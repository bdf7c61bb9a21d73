/** The viewer's name and the time over a picture: whoever films the screen films this too. */

const ANGLE = (-20 * Math.PI) / 180
const FONT_PX = 15
const GAP_X = 90
const GAP_Y = 78
const DRIFT_PX_PER_S = 4
/** Light letters with a dark rim: one of both shows on any picture. */
const LIGHT = 'rgba(255,255,255,0.16)'
const DARK = 'rgba(0,0,0,0.14)'

export type Paint = (canvas: HTMLCanvasElement, text: string, seconds: number) => boolean

export class Watermark {
  private canvas: HTMLCanvasElement

  constructor(
    private readonly host: HTMLElement,
    private readonly text: () => string,
    private readonly paint: Paint = paintText,
    private readonly seconds: () => number = () => performance.now() / 1000,
  ) {
    this.canvas = this.lay()
  }

  /** Draw anew; put back what was taken away. False when it cannot be shown. */
  renew(): boolean {
    if (!this.isInPlace()) {
      this.canvas.remove()
      this.canvas = this.lay()
    }
    return this.paint(this.canvas, this.text(), this.seconds()) && this.isInPlace()
  }

  /** Put an element into the host below the watermark. */
  under(element: HTMLElement): void {
    this.host.insertBefore(element, this.canvas.parentNode === this.host ? this.canvas : null)
  }

  close(): void {
    this.canvas.remove()
  }

  private lay(): HTMLCanvasElement {
    const canvas = document.createElement('canvas')
    canvas.className = 'watermark'
    canvas.setAttribute('aria-hidden', 'true')
    this.host.append(canvas)
    return canvas
  }

  /** On top, and not made invisible by a style. A host that is not in the page shows nothing anyway. */
  private isInPlace(): boolean {
    if (this.canvas.parentNode !== this.host || this.host.lastElementChild !== this.canvas) return false
    if (!this.host.isConnected) return true
    const style = getComputedStyle(this.canvas)
    return (
      style.display !== 'none' &&
      style.visibility !== 'hidden' &&
      Number(style.opacity || 1) > 0.9 &&
      (style.clipPath || 'none') === 'none' &&
      (style.filter || 'none') === 'none' &&
      (style.transform || 'none') === 'none'
    )
  }
}

/** Tile the text over the canvas, slanted, slowly drifting. */
export const paintText: Paint = (canvas, text, seconds) => {
  const ratio = Math.min(globalThis.devicePixelRatio || 1, 2)
  const width = canvas.clientWidth
  const height = canvas.clientHeight
  if (!width || !height) return true // not laid out: nothing of the picture is seen either
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio)
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio)
  const context = canvas.getContext('2d')
  if (!context) return false
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  context.font = `600 ${FONT_PX}px system-ui, "Noto Sans CJK SC", sans-serif`
  context.textBaseline = 'middle'
  context.fillStyle = LIGHT
  context.strokeStyle = DARK
  context.lineWidth = 2
  context.translate(width / 2, height / 2)
  context.rotate(ANGLE)
  for (const [x, y] of places(width, height, context.measureText(text).width, seconds)) {
    context.strokeText(text, x, y)
    context.fillText(text, x, y)
  }
  return true
}

/** Give where the text stands around the middle, so that the turned canvas is covered at any time. */
export function places(width: number, height: number, textWidth: number, seconds: number): [number, number][] {
  const reach = Math.hypot(width, height) / 2
  const stepX = textWidth + GAP_X
  const drift = (seconds * DRIFT_PX_PER_S) % stepX
  const found: [number, number][] = []
  let row = 0
  for (let y = -reach; y <= reach; y += GAP_Y, row++) {
    const shift = (row % 2) * (stepX / 2) + drift
    for (let x = -reach - 2 * stepX + shift; x <= reach; x += stepX) found.push([x, y])
  }
  return found
}
