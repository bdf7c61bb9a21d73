/** One person's duty on this device: alerts in, acks out, by broker and by server. */

import { ApiError } from '@/core/api'
import type { Alert, PhoneLogin } from '@/core/model'
import { backOffMs } from '@/core/retry'
import { type Ack, AckQueue, type AckState } from './acks'
import { type Book, concerns, type Entry, type Holder, isWaiting, ofHolder, toldOf, withListed, withTold } from './book'
import { keep, restored, type Shelf } from './shelf'
import { type Dial, Line, type LineState } from './line'

/** The part of the server that is used. */
export interface Server {
  addPhone(): Promise<PhoneLogin>
  alerts(): Promise<Alert[]>
  solveAlert(id: string, reason: string): Promise<void>
}

export interface Snapshot {
  line: LineState
  entries: readonly Entry[]
  /** This phone's name at the broker; empty until it has one. */
  phone: string
  /** What is said but not known to have arrived. */
  unsent: readonly Ack[]
  /** What has arrived, before the server's list could show it. */
  settling: readonly Ack[]
  /** When the server last listed the open alerts. */
  listedAt: number | null
  failure: unknown
}

interface DutyTarget {
  onChange(snapshot: Snapshot): void
  /** Something new waits for this person. */
  onRaise(entry: Entry): void
}

/** Without a line the server is asked this often; with one, only to be sure. */
const POLL_MS = 15_000
const SURE_MS = 60_000
const SOON_MS = 250

export class Duty {
  private line: Line | null = null
  private lineState: LineState = 'connecting'
  private book: Book = new Map()
  private heard = 0
  private phone = ''
  private listedAt: number | null = null
  private failure: unknown = null
  private isEnded = false
  private isAsking = false
  /** What is asked for while an answer is under way may be newer than that answer. */
  private isAskedAgain = false
  private isFlushing = false
  private isSigningIn = false
  private attempt = 0
  private settling: Ack[] = []
  private poll: ReturnType<typeof setTimeout> | undefined
  private retry: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly person: { user: string; name: string },
    private readonly server: Server,
    private readonly acks: AckQueue,
    private readonly target: DutyTarget,
    private readonly shelf: Shelf | null = null,
    private readonly dial?: Dial,
  ) {
    ;({ book: this.book, listedAt: this.listedAt } = restored(shelf))
    this.change()
    void this.signIn()
    void this.list()
  }

  /** Say where one stands with an alert; it is kept until it has arrived. */
  say(id: string, state: AckState, reason?: string): void {
    if (this.acks.add(reason === undefined ? { id, state } : { id, state, reason })) void this.flush()
    this.change()
  }

  /** The network or the page came back. */
  wake(): void {
    if (this.line) void this.line.check()
    else void this.signIn()
    void this.list()
  }

  /** The network is gone. */
  sleep(): void {
    this.line?.drop()
  }

  async end(): Promise<void> {
    this.isEnded = true
    clearTimeout(this.poll)
    clearTimeout(this.retry)
    await this.line?.end()
  }

  // ------------------------------------------------------------ the broker

  private async signIn(): Promise<void> {
    if (this.isSigningIn || this.line || this.isEnded) return
    this.isSigningIn = true
    clearTimeout(this.retry)
    try {
      this.begin(await this.server.addPhone())
      this.failure = null
    } catch (error) {
      this.failure = error
      this.lineState = 'offline'
      this.signInLater()
    } finally {
      this.isSigningIn = false
    }
    this.change()
  }

  private begin(login: PhoneLogin): void {
    if (this.isEnded) return
    this.phone = login.phone
    const target = {
      onState: (state: LineState) => this.onState(state),
      onMessage: (payload: string) => this.onMessage(payload),
      onRefused: () => this.signInAnew(),
    }
    this.line = new Line(login, target, this.dial)
  }

  private signInAnew(): void {
    void this.line?.end()
    this.line = null
    this.signInLater()
  }

  private signInLater(): void {
    if (this.isEnded) return
    clearTimeout(this.retry)
    this.retry = setTimeout(() => void this.signIn(), backOffMs(this.attempt++))
  }

  private onState(state: LineState): void {
    this.lineState = state
    this.change()
    if (state !== 'online') return this.pollIn(POLL_MS)
    this.attempt = 0
    void this.flush()
    void this.list()
  }

  private onMessage(payload: string): void {
    const told = toldOf(payload)
    if (!told) return
    const known = this.book.get(told.id)
    const wasWaiting = known && concerns(known, this.holder) && isWaiting(known)
    this.book = withTold(this.book, told, ++this.heard)
    if (told.state === 'raised' || told.state === 'delivered') {
      this.say(told.id, 'delivered') // a repeated alert says that our receipt was lost
      if (!wasWaiting) this.raise(told.id)
    }
    this.change()
    this.listSoon()
  }

  // ------------------------------------------------------------ the server

  private async list(): Promise<void> {
    if (this.isEnded) return
    if (this.isAsking) {
      this.isAskedAgain = true
      return
    }
    ;[this.isAsking, this.isAskedAgain] = [true, false]
    let isCurrent = false
    const asked = this.heard
    const settled = this.settling
    try {
      const alerts = await this.server.alerts()
      const waited = new Set(this.entries.filter(isWaiting).map((entry) => entry.id))
      this.book = withListed(this.book, alerts, asked)
      this.settling = this.settling.filter((ack) => !settled.includes(ack))
      this.listedAt = Date.now()
      keep(this.shelf, this.book, this.listedAt)
      for (const entry of this.entries) {
        if (!isWaiting(entry) || waited.has(entry.id)) continue
        if (this.wasSent(entry)) this.say(entry.id, 'delivered')
        this.raise(entry.id)
      }
      isCurrent = true
    } catch {
      // the bar tells it; the list keeps its age
    } finally {
      this.isAsking = false
    }
    if (this.isEnded) return
    this.pollIn(this.isAskedAgain ? SOON_MS : this.lineState === 'online' && isCurrent ? SURE_MS : POLL_MS)
    void this.flush()
    this.change()
  }

  /** Ask for the list anew; an answer that is under way was asked for too early. */
  private listSoon(): void {
    if (this.isAsking) this.isAskedAgain = true
    else this.pollIn(SOON_MS)
  }

  private pollIn(ms: number): void {
    clearTimeout(this.poll)
    if (!this.isEnded) this.poll = setTimeout(() => void this.list(), ms)
  }

  // ------------------------------------------------------------ acks

  /** Send what waits, for each alert in order; what does not arrive is sent again on the next line. */
  private async flush(): Promise<void> {
    if (this.isFlushing) return
    this.isFlushing = true
    const stuck = new Set<string>()
    const next = () => this.acks.all.find(({ id }) => !stuck.has(id))
    for (let ack = next(); ack && !this.isEnded; ack = next()) {
      try {
        await this.send(ack)
        this.acks.done(ack)
        this.settling = [...this.settling, ack]
        this.listSoon()
        this.change()
      } catch {
        stuck.add(ack.id)
      }
    }
    this.isFlushing = false
  }

  /** The server alone takes a reason; who may not give one there still says that it is solved. */
  private async send({ id, state, reason }: Ack): Promise<void> {
    if (reason !== undefined) {
      try {
        await this.server.solveAlert(id, reason)
        return
      } catch (error) {
        if (!(error instanceof ApiError) || isPassing(error)) throw error
      }
    }
    if (!this.line) throw new Error('offline')
    await this.line.say(JSON.stringify({ id, state }))
  }

  // ------------------------------------------------------------ what is seen

  private get holder(): Holder {
    return { phone: this.phone, ...this.person }
  }

  private get entries(): Entry[] {
    return ofHolder(this.book, this.holder)
  }

  private wasSent(entry: Entry): boolean {
    return entry.delivery?.some(({ phone }) => phone === this.phone) ?? false
  }

  private raise(id: string): void {
    const entry = this.book.get(id)
    if (entry && !this.acks.has(id, 'taken')) this.target.onRaise(entry)
  }

  private change(): void {
    if (this.isEnded) return
    const { lineState: line, entries, phone, settling, listedAt, failure } = this
    this.target.onChange({ line, entries, phone, unsent: this.acks.all, settling, listedAt, failure })
  }
}

/** True for what another try may mend. */
function isPassing({ code, status }: ApiError): boolean {
  return code === 'unreachable' || code === 'not_logged_in' || code === 'csrf' || status === 429 || status >= 500
}
