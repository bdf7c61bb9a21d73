/** The only module that talks to the server over HTTP. */

import type {
  Alert,
  Applied,
  Camera,
  Coverage,
  CoverageRow,
  Edge,
  Footage,
  FootageBytes,
  EvidenceEstimate,
  EvidencePackage,
  EvidenceSpan,
  EvidenceWish,
  Covered,
  Due,
  DueDay,
  DueExams,
  Hold,
  Forecast,
  Invitation,
  LedgerRow,
  List,
  LiveAnswer,
  Me,
  NewHold,
  NewOutage,
  Outage,
  PhoneLogin,
  Playback,
  Recording,
  Reference,
  RetentionClass,
  Role,
  Room,
  SegmentIndex,
  Session,
  Silence,
  StagedTimetable,
  Stream,
  User,
} from './model'

const BASE = '/api/v1'
const TIMEOUT_MS = 15_000
const MEDIA_TIMEOUT_MS = 30_000
const LARGEST_PAGE = 1000

/** A refusal or a failure; `code` is the server's word, or `unreachable` when there was no answer. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly status = 0,
    readonly detail = '',
    readonly retryAfterS = 0,
  ) {
    super(detail ? `${code}: ${detail}` : code)
    this.name = 'ApiError'
  }
}

type Query = Record<string, string | number | undefined>

interface Options {
  query?: Query
  body?: unknown
  keepalive?: boolean
  signal?: AbortSignal
  headers?: Record<string, string>
}

export class Api {
  /** Called when the server no longer knows who we are. */
  onLoggedOut: () => void = () => {}
  private csrf = ''

  constructor(private readonly fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis)) {}

  async logIn(user: string, password: string, device: 'console' | 'phone' = 'console'): Promise<void> {
    const body = device === 'console' ? { user, password } : { user, password, device }
    this.csrf = (await this.json<{ csrf: string }>('POST', '/login', { body })).csrf
  }

  async logOut(): Promise<void> {
    await this.call('POST', '/logout')
    this.csrf = ''
  }

  async me(): Promise<Me> {
    const me = await this.json<Me>('GET', '/me')
    this.csrf = me.csrf
    return me
  }

  rooms = (): Promise<Room[]> => this.all<Room>('/rooms')
  cameras = (): Promise<Camera[]> => this.all<Camera>('/cameras')
  forecast = (): Promise<Forecast> => this.json('GET', '/forecast')

  edges = (): Promise<Edge[]> => this.all<Edge>('/edges')
  users = (): Promise<User[]> => this.all<User>('/users')

  sessions(from: string, to: string): Promise<Session[]> {
    return this.all<Session>('/sessions', { from, to })
  }

  recordings(camera: string, from: string, to: string): Promise<Recording[]> {
    return this.all<Recording>('/recordings', { camera, from, to })
  }

  /** Give what of an exam is recorded and what is missing, up to now. */
  coverage(session: string): Promise<Coverage> {
    return this.json('GET', `/coverage/${encodeURIComponent(session)}`)
  }

  /** Give a span's sessions with what their certificates say. */
  covered(from: string, to: string): Promise<CoverageRow[]> {
    return this.all<CoverageRow>('/coverage', { from, to })
  }

  /** Say whether anything was recorded outside windows. */
  silence(from: string, to: string): Promise<Silence> {
    return this.json('GET', '/coverage/silence', { query: { from, to } })
  }

  /** Give where a certificate on paper is. */
  paperUrl(session: string, lang: 'zh' | 'en'): string {
    return `${BASE}/coverage/${encodeURIComponent(session)}.pdf?${new URLSearchParams({ lang })}`
  }

  /** Give where a certificate with all its signatures is. */
  certificateUrl(session: string): string {
    return `${BASE}/coverage/${encodeURIComponent(session)}/certificate`
  }

  /** Give one part of the ledger, oldest first. */
  ledger(after: string): Promise<List<LedgerRow>> {
    return this.json('GET', '/ledger', { query: { limit: LARGEST_PAGE, after: after || undefined } })
  }

  addUser(user: { user: string; name: string; password: string; roles: Role[] }): Promise<User> {
    return this.json('POST', '/users', { body: user })
  }

  inviteEdge(edge: string): Promise<Invitation> {
    return this.json('POST', `/edges/${encodeURIComponent(edge)}/invite`, { body: {} })
  }

  async revokeEdge(edge: string, reason: string): Promise<void> {
    await this.call('POST', `/edges/${encodeURIComponent(edge)}/revoke`, { body: { reason } })
  }

  timetable(id: string): Promise<StagedTimetable> {
    return this.json('GET', `/timetables/${encodeURIComponent(id)}`)
  }

  applyTimetable(id: string, reason: string, override = false): Promise<Applied> {
    return this.json('POST', `/timetables/${encodeURIComponent(id)}/apply`, { body: { reason, override } })
  }

  /** Give the alerts that are not solved yet. */
  alerts = (): Promise<Alert[]> => this.all<Alert>('/alerts', { state: 'open' })

  /** Give one part of the solved alerts. */
  async solvedAlerts(): Promise<Alert[]> {
    const query = { state: 'closed', limit: LARGEST_PAGE }
    return (await this.json<List<Alert>>('GET', '/alerts', { query })).items
  }

  async takeAlert(id: string): Promise<void> {
    await this.call('POST', `/alerts/${encodeURIComponent(id)}/take`, { body: {} })
  }

  async solveAlert(id: string, reason: string): Promise<void> {
    await this.call('POST', `/alerts/${encodeURIComponent(id)}/solve`, { body: { reason } })
  }

  async shelveAlert(id: string, minutes: number, reason: string): Promise<void> {
    await this.call('POST', `/alerts/${encodeURIComponent(id)}/shelve`, { body: { minutes, reason } })
  }

  /** Make this device a duty phone; what comes back is its log-in at the broker. */
  addPhone(): Promise<PhoneLogin> {
    return this.json('POST', '/phones', { body: {} })
  }

  /** Give holds, those in force first of all. */
  holds = (state: 'open' | 'all'): Promise<Hold[]> => this.all<Hold>('/holds', { state })

  /** Give the notices of outage that touch a span. */
  async outages(from: string, to: string): Promise<Outage[]> {
    const found = await this.json<{ items: Outage[] }>('GET', '/outages', { query: { from, to } })
    return found.items
  }

  fileOutage(outage: NewOutage): Promise<Outage> {
    return this.json('POST', '/outages', { body: outage })
  }

  withdrawOutage(id: string, reason: string): Promise<Outage> {
    return this.json('POST', `/outages/${encodeURIComponent(id)}/withdraw`, { body: { reason } })
  }

  placeHold(hold: NewHold): Promise<Hold> {
    return this.json('POST', '/holds', { body: hold })
  }

  /** Give what a hold of these rooms and this span would cover. */
  coverOf(rooms: string[], from: string, to: string): Promise<Covered> {
    return this.json('GET', '/holds/cover', { query: { rooms: rooms.join(','), from, to } })
  }

  /** Propose that a hold ends, or agree with the one who did. */
  releaseHold(id: string, reason: string): Promise<Hold> {
    return this.json('POST', `/holds/${encodeURIComponent(id)}/release`, { body: { reason } })
  }

  extendHold(id: string, review_at: string, reason: string): Promise<Hold> {
    return this.json('POST', `/holds/${encodeURIComponent(id)}/extend`, { body: { review_at, reason } })
  }

  async dueDays(days: number): Promise<DueDay[]> {
    return (await this.json<{ items: DueDay[] }>('GET', '/retention/days', { query: { days } })).items
  }

  /** Whose footage goes on a day of the site, or is kept by a hold. */
  dueExams(of: { day: string } | { hold: string }): Promise<DueExams> {
    return this.json('GET', '/retention/exams', { query: of })
  }

  due(at?: string): Promise<Due> {
    return this.json('GET', '/retention/due', { query: { at } })
  }

  async retentionClasses(): Promise<RetentionClass[]> {
    return (await this.json<{ items: RetentionClass[] }>('GET', '/retention/classes')).items
  }

  setRetentionClass(category: string, days: number, reason: string): Promise<RetentionClass> {
    return this.json('POST', '/retention/classes', { body: { category, days, reason } })
  }

  references = (): Promise<Reference[]> => this.all<Reference>('/references')

  /** Give where a camera's reference view is. */
  referenceUrl(camera: string, sha256: string): string {
    return `${BASE}/references/${encodeURIComponent(camera)}/picture?${new URLSearchParams({ sha256 })}`
  }

  async approveReference(camera: string, sha256: string): Promise<void> {
    await this.call('POST', `/references/${encodeURIComponent(camera)}/approve`, { body: { sha256 } })
  }

  /** Have the box take the view anew; the picture comes later. */
  async takeReference(camera: string): Promise<void> {
    await this.call('POST', `/references/${encodeURIComponent(camera)}/take`, { body: {} })
  }

  /** Upload a timetable; `onProgress` hears the part sent, 0 to 1. */
  stageTimetable(file: File, onProgress: (part: number) => void): Promise<StagedTimetable> {
    const form = new FormData()
    form.append('file', file)
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest() // fetch tells nothing of an upload's progress
      request.open('POST', `${BASE}/timetables`)
      request.setRequestHeader('X-CSRF-Token', this.csrf)
      request.upload.onprogress = (event) => {
        if (event.lengthComputable) onProgress(event.loaded / event.total)
      }
      request.onload = () => {
        if (request.status < 300) resolve(JSON.parse(request.responseText) as StagedTimetable)
        else reject(this.refused(problemOf(request.status, parsed(request.responseText))))
      }
      request.onerror = () => reject(new ApiError('unreachable'))
      request.send(form)
    })
  }

  /** Ask a box for pictures; the look is on the ledger before the answer comes. */
  async openLive(edge: string, cameras: { id: string; stream: Stream }[], sdp: string): Promise<LiveAnswer> {
    const response = await this.call('POST', '/live', { body: { edge, cameras, sdp } })
    const answer = (await response.json()) as Omit<LiveAnswer, 'location'>
    return { ...answer, location: response.headers.get('Location') ?? '' }
  }

  /** End a look; works while the page is being left. */
  async closeLive(location: string): Promise<void> {
    await this.send('DELETE', location, { keepalive: true })
  }

  /** Give the days of the site, 2026-11-22, on which a camera has recordings. */
  async recordedDays(camera: string, from: string, to: string): Promise<string[]> {
    return (await this.json<{ days: string[] }>('GET', '/recordings/days', { query: { camera, from, to } })).days
  }

  /** Begin to watch; the reason is on the ledger before the answer comes. */
  openPlayback(cameras: string[], from: number, to: number, reason: string): Promise<Playback> {
    const body = { cameras, from: new Date(from).toISOString(), to: new Date(to).toISOString(), reason }
    return this.json('POST', '/playbacks', { body })
  }

  /** Begin to watch what led to an open alert. */
  replayAlert(alert: string): Promise<Playback> {
    return this.json('POST', `/alerts/${encodeURIComponent(alert)}/replay`, { body: {} })
  }

  async footage(playback: string): Promise<Footage[]> {
    return (await this.json<List<Footage>>('GET', `/playbacks/${encodeURIComponent(playback)}/recordings`)).items
  }

  segmentIndex(play: string, recording: string, signal: AbortSignal): Promise<SegmentIndex> {
    return this.json('GET', `/recordings/${encodeURIComponent(recording)}/index`, { query: { play }, signal: inTime(signal) })
  }

  /** Fetch bytes of a recording, `from` up to before `to`. */
  async media(play: string, recording: string, from: number, to: number, signal: AbortSignal): Promise<FootageBytes> {
    const headers = { Range: `bytes=${from}-${to - 1}` }
    const path = `/recordings/${encodeURIComponent(recording)}/media`
    return bytesOf(await this.call('GET', path, { query: { play }, signal: inTime(signal), headers }))
  }

  /** Fetch the key pictures of a part of a recording. */
  async keyPictures(play: string, recording: string, from: number, to: number, signal: AbortSignal): Promise<FootageBytes> {
    const query = { play, from: new Date(from).toISOString(), to: new Date(to).toISOString() }
    const path = `/recordings/${encodeURIComponent(recording)}/keyframes`
    return bytesOf(await this.call('GET', path, { query, signal: inTime(signal) }))
  }

  /** Tell what was shown and how fast; the last time the session ends, also while the page is being left. */
  async reportPlayed(
    playback: string,
    played: { camera: string; from: number; to: number; speed: number }[],
    ended = false,
  ): Promise<void> {
    const items = played.map(({ camera, from, to, speed }) => ({
      camera,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      speed,
    }))
    const body = { items, ended }
    await this.call('POST', `/playbacks/${encodeURIComponent(playback)}/intervals`, { body, keepalive: ended })
  }

  /** Give the newest evidence packages. */
  async evidence(): Promise<EvidencePackage[]> {
    return (await this.json<List<EvidencePackage>>('GET', '/evidence')).items
  }

  evidencePackage(id: string): Promise<EvidencePackage> {
    return this.json('GET', `/evidence/${encodeURIComponent(id)}`)
  }

  /** Say how large a package would be, and what is missing. */
  estimateEvidence(span: EvidenceSpan): Promise<EvidenceEstimate> {
    return this.json('POST', '/evidence/estimate', { body: span })
  }

  makeEvidence(wish: EvidenceWish): Promise<EvidencePackage> {
    return this.json('POST', '/evidence', { body: wish })
  }

  async cancelEvidence(id: string): Promise<void> {
    await this.call('DELETE', `/evidence/${encodeURIComponent(id)}`)
  }

  /** Give an address that opens the package once. */
  async evidenceLink(id: string): Promise<string> {
    return (await this.json<{ url: string }>('POST', `/evidence/${encodeURIComponent(id)}/link`, { body: {} })).url
  }

  async evidenceKey(): Promise<string> {
    return (await this.json<{ public: string }>('GET', '/evidence/key')).public
  }

  private async all<T>(path: string, query: Query = {}): Promise<T[]> {
    const items: T[] = []
    let after: string | undefined
    do {
      const page: List<T> = await this.json('GET', path, { query: { ...query, limit: LARGEST_PAGE, after } })
      items.push(...page.items)
      after = page.next ?? undefined
    } while (after)
    return items
  }

  private async json<T>(method: string, path: string, options: Options = {}): Promise<T> {
    return (await (await this.call(method, path, options)).json()) as T
  }

  private call(method: string, path: string, options: Options = {}): Promise<Response> {
    return this.send(method, BASE + path, options)
  }

  private async send(method: string, path: string, { query, body, keepalive = false, signal, headers: more }: Options): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json', ...more }
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    if (method !== 'GET' && this.csrf) headers['X-CSRF-Token'] = this.csrf
    let response: Response
    try {
      response = await this.fetch(path + queryText(query), {
        method,
        headers,
        keepalive,
        credentials: 'same-origin',
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: keepalive ? undefined : (signal ?? AbortSignal.timeout(TIMEOUT_MS)),
      })
    } catch {
      throw new ApiError('unreachable')
    }
    if (response.ok) return response
    throw this.refused(problemOf(response.status, parsed(await response.text()), response.headers.get('Retry-After')))
  }

  private refused(error: ApiError): ApiError {
    if (error.code === 'not_logged_in') this.onLoggedOut()
    return error
  }
}

/** Read problem details (RFC 9457); an answer that carries none is named by its status. */
export function problemOf(status: number, body: unknown, retryAfter: string | null = null): ApiError {
  const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown }
  return new ApiError(
    typeof code === 'string' && code ? code : `http_${status}`,
    status,
    typeof detail === 'string' ? detail : '',
    Number(retryAfter) || 0,
  )
}

const inTime = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(MEDIA_TIMEOUT_MS)])

async function bytesOf(response: Response): Promise<FootageBytes> {
  const isCopy = response.headers.get('X-Footage-Source') === 'archive'
  try {
    return { data: await response.arrayBuffer(), isCopy }
  } catch {
    throw new ApiError('unreachable') // torn on the way: the server never ends short
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function queryText(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined)
  return pairs.length ? `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}` : ''
}

export const api = new Api()
