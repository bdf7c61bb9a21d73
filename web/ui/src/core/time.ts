/** Instants as people of the site read them: 24 hours, the site's own time zone. */

const MINUTE = 60_000
const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

type Instant = string | number

export class SiteTime {
  private readonly formats = new Map<string, Intl.DateTimeFormat>()

  constructor(
    readonly timezone: string,
    private readonly language: string,
  ) {}

  /** 09:43 */
  minute = (at: Instant): string => this.format(at, { hour: '2-digit', minute: '2-digit' })

  /** 09:43:12 */
  second = (at: Instant): string => this.format(at, { hour: '2-digit', minute: '2-digit', second: '2-digit' })

  /** Day of the month and of the week. */
  day = (at: Instant): string => this.format(at, { month: 'short', day: 'numeric', weekday: 'short' })

  /** Day, with the year when it is not the year of `now`. */
  dayOf = (at: Instant, now: Instant): string =>
    this.date(at).slice(0, 4) === this.date(now).slice(0, 4)
      ? this.day(at)
      : this.format(at, { year: 'numeric', month: 'short', day: 'numeric', weekday: 'short' })

  /** Day and minute together. */
  dayAndMinute = (at: Instant): string => `${this.day(at)} ${this.minute(at)}`

  /** Date, with the year, and seconds. */
  full = (at: Instant): string => `${this.date(at)} ${this.second(at)}`

  /** Date, with the year, and minute; what `typed` reads. */
  dateAndMinute = (at: Instant): string => `${this.date(at)} ${this.minute(at)}`

  /** From when to when, to the minute; the date stands twice only where there are two. */
  span = (start: Instant, end: Instant): string => {
    const [first, last] = [this.date(start), this.date(end)]
    return first === last
      ? `${first} ${this.minute(start)}–${this.minute(end)}`
      : `${first} ${this.minute(start)} – ${last} ${this.minute(end)}`
  }

  /** 2026-11-22 in the site's zone. */
  date(at: Instant): string {
    return this.formatter('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(at))
  }

  /** Give the instant at which a date of the site begins. */
  startOf = (date: string): number => this.instantOf(`${date}T00:00:00`)

  /** 2026-11-22T09:43:12 in the site's zone, as fields for date and time take it. */
  field = (at: Instant): string => `${this.date(at)}T${this.second(at)}`

  /** Give the instant of such a field. */
  instantOf(field: string): number {
    const guess = Date.parse(`${field}Z`)
    return guess - this.offsetAt(guess - this.offsetAt(guess))
  }

  /** What was typed as date and time of the site, as an instant; NaN: nothing was. */
  typed(text: string): number {
    if (!text) return Number.NaN
    const [date, time = '00:00'] = text.split(' ')
    return this.instantOf(`${date}T${time}:00`)
  }

  /** Give the first and the last instant of the day that holds `at`. */
  dayAround(at: number): { from: string; to: string } {
    const start = this.startOf(this.date(at))
    const end = this.startOf(this.date(start + DAY + 2 * HOUR))
    return { from: new Date(start).toISOString(), to: new Date(end).toISOString() }
  }

  private offsetAt(at: number): number {
    const parts = this.formatter('en-CA', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    }).formatToParts(at)
    const part = (type: string) => Number(parts.find((each) => each.type === type)?.value)
    return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - at
  }

  private format(at: Instant, options: Intl.DateTimeFormatOptions): string {
    return this.formatter(this.language === 'en' ? 'en-GB' : this.language, options).format(new Date(at))
  }

  private formatter(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const key = language + JSON.stringify(options)
    let format = this.formats.get(key)
    if (!format) {
      format = new Intl.DateTimeFormat(language, { timeZone: this.timezone, hourCycle: 'h23', ...options })
      this.formats.set(key, format)
    }
    return format
  }
}

/** Give a span that people keep to: which words, and the number in them. */
export function roundSpan(seconds: number): { key: 'minutes' | 'hours'; count: number } {
  const isLong = seconds >= 7200
  return { key: isLong ? 'hours' : 'minutes', count: Math.round(seconds / (isLong ? 3600 : 60)) }
}

/** 00:07, or 01:17:48 from an hour on. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const two = (value: number) => String(value).padStart(2, '0')
  const minutes = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return seconds >= 3600 ? `${two(Math.floor(seconds / 3600))}:${minutes}` : minutes
}
