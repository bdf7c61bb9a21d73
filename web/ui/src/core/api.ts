/** The only module that talks to the server over HTTP. */

import type {
  Alert,
  Applied,
  Camera,
  Coverage,
  Edge,
  Forecast,
  Invitation,
  LedgerRow,
  List,
  LiveAnswer,
  Me,
  PhoneLogin,
  Recording,
  Reference,
  Role,
  Room,
  Session,
  StagedTimetable,
  Stream,
  User,
} from './model'

const BASE = '/api/v1'
const TIMEOUT_MS = 15_000
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

  /** Give where a recording's bytes are; the reason goes into the ledger. */
  mediaUrl(recording: string, reason: string): string {
    return `${BASE}/recordings/${encodeURIComponent(recording)}/media?${new URLSearchParams({ reason })}`
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

  private async send(method: string, path: string, { query, body, keepalive = false }: Options): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json' }
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
        signal: keepalive ? undefined : AbortSignal.timeout(TIMEOUT_MS),
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
