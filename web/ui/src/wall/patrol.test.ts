import { describe, expect, it } from 'vitest'
import { Patrol } from './patrol'

/** Let seconds pass in quarters; give what was asked for, with its second. */
function walk(patrol: Patrol, seconds: number): string[] {
  const found: string[] = []
  for (let quarter = 1; quarter <= seconds * 4; quarter++) {
    const due = patrol.pass(250)
    if (due) found.push(`${due} ${quarter / 4}`)
  }
  return found
}

describe('a patrol', () => {
  it('makes the next page ready two seconds before it turns', () => {
    expect(walk(new Patrol(10_000), 25)).toEqual(['ahead 8', 'next 10', 'ahead 18', 'next 20'])
  })

  it('waits a minute for a busy person, then gives the page its whole time', () => {
    const patrol = new Patrol(10_000)
    walk(patrol, 9)
    patrol.pause()
    expect(patrol.isPaused).toBe(true)
    expect(patrol.secondsLeft).toBe(60)
    expect(walk(patrol, 60)).toEqual([])
    expect(patrol.isPaused).toBe(false)
    expect(walk(patrol, 10)).toEqual(['ahead 8', 'next 10'])
  })

  it('goes on at once when told to', () => {
    const patrol = new Patrol(10_000)
    patrol.pause()
    patrol.resume()
    expect(walk(patrol, 10)).toEqual(['ahead 8', 'next 10'])
  })

  it('shows how much of the time is over', () => {
    const patrol = new Patrol(20_000)
    walk(patrol, 5)
    expect(patrol.progress).toBeCloseTo(0.25)
    expect(patrol.secondsLeft).toBe(15)
  })
})
