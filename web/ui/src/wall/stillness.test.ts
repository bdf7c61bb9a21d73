import { expect, it } from 'vitest'
import { Stillness } from './stillness'

let pixels: number[] | null = [1, 2, 3]
const video = document.createElement('video')
const fresh = () => new Stillness(() => pixels && Uint8ClampedArray.from(pixels))

it('tells since when the picture is the same', () => {
  const stillness = fresh()
  pixels = [1, 2, 3]
  stillness.look(video, 1000)
  stillness.look(video, 2000)
  expect(stillness.changedAt).toBe(1000)
  pixels = [1, 2, 4]
  stillness.look(video, 3000)
  expect(stillness.changedAt).toBe(3000)
})

it('says nothing of a picture it cannot read', () => {
  const stillness = fresh()
  pixels = [1, 2, 3]
  stillness.look(video, 1000)
  pixels = null
  stillness.look(video, 2000)
  expect(stillness.changedAt).toBeNull()
})

it('begins anew when it was told to forget', () => {
  const stillness = fresh()
  pixels = [1, 2, 3]
  stillness.look(video, 1000)
  stillness.forget()
  stillness.look(video, 9000)
  expect(stillness.changedAt).toBe(9000)
})
