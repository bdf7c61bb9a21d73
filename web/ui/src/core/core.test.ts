import { describe, expect, it } from 'vitest'
import { homeOf, mayOpen, pagesOf, partsOf } from './access'
import { ServerClock } from './clock'
import { emptyAt, frameOf, holesOf, runsOf, segmentAt } from './coverage'
import type { Recording, Session } from './model'
import { backOffMs } from './retry'
import { SiteTime, spanText } from './time'
import { cameraName, rateText, sizeText } from './words'

describe('the server clock', () => {
  it('takes the message that was least late', () => {
    let local = 1_000_000
    const clock = new ServerClock(() => local)
    clock.hear(new Date(local + 5000 - 300).toISOString())
    clock.hear(new Date(local + 5000 - 20).toISOString())
    clock.hear(new Date(local + 5000 - 900).toISOString())
    expect(clock.offsetMs).toBe(4980)
    local += 10_000
    expect(clock.now()).toBe(local + 4980)
  })

  it('counts half of a round trip', () => {
    const clock = new ServerClock(() => 1_000_000)
    clock.hear(new Date(1_000_000).toISOString(), 200)
    expect(clock.offsetMs).toBe(100)
  })

  it('forgets old messages, so that a corrected clock is followed', () => {
    const clock = new ServerClock(() => 1_000_000)
    clock.hear(new Date(1_900_000).toISOString())
    for (let message = 0; message < 30; message++) clock.hear(new Date(1_000_500).toISOString())
    expect(clock.offsetMs).toBe(500)
  })

  it('does not listen to nonsense', () => {
    const clock = new ServerClock(() => 0)
    clock.hear('soon')
    expect(clock.offsetMs).toBe(0)
  })
})

describe('waiting before the next try', () => {
  it('grows to fifteen seconds', () => {
    expect([0, 1, 2, 3, 4, 9].map((attempt) => backOffMs(attempt, () => 0.5))).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000])
  })

  it('is spread by a fifth to either side', () => {
    expect(backOffMs(0, () => 0)).toBeCloseTo(800)
    expect(backOffMs(0, () => 1)).toBeCloseTo(1200)
  })
})

describe('times', () => {
  const shanghai = new SiteTime('Asia/Shanghai', 'zh-CN')

  it('are those of the site, in 24 hours', () => {
    expect(shanghai.second('2026-11-22T16:05:09Z')).toBe('00:05:09')
    expect(shanghai.date('2026-11-22T16:05:09Z')).toBe('2026-11-23')
    expect(shanghai.full('2026-11-22T01:05:09Z')).toBe('2026-11-22 09:05:09')
    expect(new SiteTime('Asia/Shanghai', 'en').day('2026-11-22T01:00:00Z')).toMatch(/^Sun,? 22 Nov$/)
  })

  it('names the date of a span once where there is one', () => {
    expect(shanghai.span('2026-11-22T01:00:00Z', '2026-11-22T03:30:00Z')).toBe('2026-11-22 09:00–11:30')
    expect(shanghai.span('2026-11-22T15:00:00Z', '2026-11-22T16:30:00Z')).toBe('2026-11-22 23:00 – 2026-11-23 00:30')
  })

  it('begin a day at the site’s midnight', () => {
    expect(new Date(shanghai.startOf('2026-11-23')).toISOString()).toBe('2026-11-22T16:00:00.000Z')
    expect(shanghai.dayAround(Date.parse('2026-11-23T03:00:00Z'))).toEqual({
      from: '2026-11-22T16:00:00.000Z',
      to: '2026-11-23T16:00:00.000Z',
    })
  })

  it('give days of 23 and 25 hours their length', () => {
    const london = new SiteTime('Europe/London', 'en')
    const hours = (day: string) => {
      const { from, to } = london.dayAround(london.startOf(day))
      return (Date.parse(to) - Date.parse(from)) / 3_600_000
    }
    expect(['2026-03-29', '2026-10-25', '2026-11-22'].map(hours)).toEqual([23, 25, 24])
  })

  it('go into a field and come out of it as they were', () => {
    const at = '2026-11-22T16:00:07.000Z'
    expect(shanghai.field(at)).toBe('2026-11-23T00:00:07')
    expect(new Date(shanghai.instantOf(shanghai.field(at))).toISOString()).toBe(at)
  })

  it('of a span are minutes and seconds, hours when there are any', () => {
    expect([7000, 61_000, 4_668_000, -5].map(spanText)).toEqual(['00:07', '01:01', '01:17:48', '00:00'])
  })
})

it('figures are short', () => {
  expect([380_000, 6_310_000].map(rateText)).toEqual(['380 kb/s', '6.3 Mb/s'])
  expect([0, 900, 14_230_000, 412_000_000_000].map(sizeText)).toEqual(['0 B', '900 B', '14.2 MB', '412 GB'])
})

describe('access', () => {
  it('opens the wall first to those who watch', () => {
    expect([homeOf(['exam_office']), homeOf(['patrol']), homeOf(['operator'])]).toEqual(['wall', 'wall', 'wall'])
  })

  it('shows administrators and auditors no pictures', () => {
    expect(pagesOf(['sys_admin'])).toEqual(['devices', 'capacity', 'users'])
    expect(pagesOf(['auditor'])).toEqual(['ledger', 'coverage', 'holds'])
  })

  it('puts behind "more" what would not stand side by side, and never a single page', () => {
    const [seen, more] = partsOf(pagesOf(['exam_office']))
    expect([...seen, ...more]).toEqual(pagesOf(['exam_office']))
    expect(seen).toContain('evidence')
    expect(more).toEqual(['holds', 'references', 'devices', 'capacity'])
    expect(partsOf(pagesOf(['operator']))[1]).toEqual([])
  })

  it('keeps timetables and recordings to the examination office', () => {
    expect(mayOpen(['patrol', 'operator'], 'timetables')).toBe(false)
    expect(mayOpen(['patrol', 'operator'], 'recordings')).toBe(false)
    expect(mayOpen(['exam_office'], 'recordings')).toBe(true)
    expect(mayOpen(['patrol', 'operator'], 'evidence')).toBe(false)
    expect(mayOpen(['exam_office'], 'evidence')).toBe(true)
  })

  it('gives nobody without a role anything', () => {
    expect(homeOf([])).toBeNull()
  })
})

describe('coverage', () => {
  const segment = (id: string, from: number, to: number): Recording => ({
    id,
    camera: 'cam',
    start: new Date(from * 1000).toISOString(),
    end: new Date(to * 1000).toISOString(),
    bytes: 10,
    root: '',
    retain_until: '',
    held: false,
  })
  const recordings = [segment('c', 200, 260), segment('a', 0, 60), segment('b', 60.4, 120)]

  it('joins what follows without a gap', () => {
    const runs = runsOf(recordings)
    expect(runs.map((run) => [run.start, run.end, run.bytes])).toEqual([
      [0, 120_000, 20],
      [200_000, 260_000, 10],
    ])
    expect(runs[0]?.segments.map((each) => each.id)).toEqual(['a', 'b'])
  })

  it('finds the segment of an instant, or the one after the gap', () => {
    expect(segmentAt(recordings, 70_000)?.id).toBe('b')
    expect(segmentAt(recordings, 150_000)?.id).toBe('c')
    expect(segmentAt(recordings, 300_000)).toBeNull()
  })

  it('names what is missing, at the beginning too, by its cause', () => {
    const told = { start: '1969-12-31T23:59:00Z', end: '1970-01-01T00:00:00Z', seconds: 60, cause: 'started_late' }
    expect(holesOf(runsOf(recordings), [told])).toEqual([
      { start: -60_000, end: 0, cause: 'started_late' },
      { start: 120_000, end: 200_000, cause: '' },
    ])
    const between = { start: '1970-01-01T00:02:00Z', end: '1970-01-01T00:03:20Z', seconds: 80, cause: 'stalled' }
    expect(holesOf(runsOf(recordings), [between])).toEqual([{ start: 120_000, end: 200_000, cause: 'stalled' }])
  })

  it('is drawn in whole hours', () => {
    expect(frameOf(runsOf(recordings))).toEqual({ start: 0, end: 3_600_000 })
    expect(frameOf([])).toBeNull()
  })
})

describe('where nothing is recorded and nothing is called missing', () => {
  const at = (time: string) => Date.parse(`2026-11-22T${time}:00Z`)
  const exam = { room: 'r1', state: 'RUNNING', window_start: '2026-11-22T08:45:00Z', window_end: '2026-11-22T11:15:00Z' } as Session
  const why = (time: string, room = 'r1', sessions = [exam]) => emptyAt(sessions, room, at(time), at('10:00'))

  it('the newest minutes of an exam that runs are being written, older ones are not explained yet', () => {
    expect(why('09:59')).toBe('beingWritten')
    expect(why('09:30')).toBe('notKnown')
  })

  it('nothing was planned before it, in another room, or when it was cancelled', () => {
    expect(why('08:00')).toBe('notOrdered')
    expect(why('09:59', 'r2')).toBe('notOrdered')
    expect(why('09:59', 'r1', [{ ...exam, state: 'CANCELLED' }])).toBe('notOrdered')
  })

  it('and what is yet to come is said to be', () => {
    expect(why('10:30')).toBe('notYet')
  })
})

describe('a camera', () => {
  it('is named as its room is called, and by itself where no room has it', () => {
    const room = { id: 'r1', name: '教A-101', campus: '', building: '', capacity: null, cameras: ['cam-01'] }
    expect(cameraName([room], 'cam-01')).toBe('教A-101 · cam-01')
    expect(cameraName([room], 'cam-02')).toBe('cam-02')
  })
})
