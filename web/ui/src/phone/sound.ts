/** Making oneself heard: two tones and a vibration. */

const TONES_HZ = [880, 660]
const TONE_S = 0.22
const LOUDNESS = 0.35
const VIBRATION_MS = [300, 120, 300, 120, 500]

let context: AudioContext | null = null

/** Ask for leave to sound; browsers grant it only within a tap or a key press. */
export async function unlock(): Promise<boolean> {
  try {
    context ??= new AudioContext()
    // without a tap the promise never settles
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 300))])
  } catch {
    return false
  }
  return isUnlocked()
}

export const isUnlocked = (): boolean => context?.state === 'running'

/** Sound and vibrate once, as far as the device lets us. */
export function ring(): void {
  navigator.vibrate?.(VIBRATION_MS)
  if (!context || !isUnlocked()) return
  const begin = context.currentTime
  TONES_HZ.concat(TONES_HZ).forEach((pitch, index) => tone(context as AudioContext, pitch, begin + index * TONE_S))
}

function tone(audio: AudioContext, pitch: number, at: number): void {
  const volume = new GainNode(audio, { gain: 0 })
  volume.gain.setValueAtTime(0, at)
  volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02)
  volume.gain.linearRampToValueAtTime(0, at + TONE_S - 0.02)
  const source = new OscillatorNode(audio, { type: 'triangle', frequency: pitch })
  source.connect(volume).connect(audio.destination)
  source.start(at)
  source.stop(at + TONE_S)
}
