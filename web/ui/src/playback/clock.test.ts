import { describe, expect, it } from 'vitest'
import { correctedRate, MasterClock, mustJump } from './clock'
import { Hand } from './fakes'

describe('the clock', () => {
  it('stands until it is to move, and then moves at its speed', () => {
    const hand = new Hand()
    const clock = new MasterClock(1000, hand.read)
    hand.now = 500
    expect(clock.at).toBe(1000)
    clock.play()
    hand.now = 700
    expect(clock.at).toBe(1200)
    clock.setSpeed(4)
    hand.now = 800
    expect(clock.at).toBe(1600)
    clock.pause()
    hand.now = 9000
    expect(clock.at).toBe(1600)
  })

  it('waits for pictures without forgetting that it is to move', () => {
    const hand = new Hand()
    const clock = new MasterClock(0, hand.read)
    clock.play()
    hand.now = 100
    clock.hold(true)
    hand.now = 900
    expect([clock.at, clock.isPlaying, clock.isRunning]).toEqual([100, true, false])
    clock.hold(false)
    hand.now = 1000
    expect(clock.at).toBe(200)
  })
})

describe('a picture that is off', () => {
  it('comes back within the 100 ms that cameras may differ, at every speed', () => {
    for (const rate of [0.5, 1, 2, 4]) {
      for (const start of [-390, -150, 150, 390]) {
        let ahead = start
        for (let tick = 0; tick < 40; tick++) ahead += (correctedRate(rate, ahead) - rate) * 100
        expect(Math.abs(ahead), `${start} at ${rate}`).toBeLessThan(50)
      }
    }
  })

  it('by little is left alone, by much it jumps', () => {
    expect(correctedRate(1, 10)).toBe(1)
    expect(mustJump(1, 390)).toBe(false)
    expect(mustJump(1, -500)).toBe(true)
  })

  it('never asks for a rate that browsers refuse', () => {
    for (const ahead of [-4000, 0, 4000]) {
      expect(correctedRate(16, ahead)).toBeLessThanOrEqual(16)
      expect(correctedRate(0.5, ahead)).toBeGreaterThanOrEqual(0.0625)
    }
  })
})
