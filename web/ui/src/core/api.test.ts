import { describe, expect, it } from 'vitest'
import { Api, ApiError, problemOf } from './api'

interface Sent {
  url: string
  method: string
  headers: Record<string, string>
  body: unknown
  keepalive: boolean
}

/** A server that answers in turn, and remembers what it was asked. */
function serverOf(...answers: (Response | Error)[]) {
  const sent: Sent[] = []
  const fetch = async (url: unknown, options: RequestInit = {}) => {
    sent.push({
      url: String(url),
      method: options.method ?? 'GET',
      headers: options.headers as Record<string, string>,
      body: typeof options.body === 'string' ? JSON.parse(options.body) : options.body,
      keepalive: options.keepalive ?? false,
    })
    const answer = answers.shift()
    if (!answer) throw new Error('asked too often')
    if (answer instanceof Error) throw answer
    return answer
  }
  return { sent, api: new Api(fetch as typeof globalThis.fetch) }
}

const json = (body: unknown, status = 200, headers = {}) => new Response(JSON.stringify(body), { status, headers })
const refusal = (code: string, status: number, headers = {}) => json({ type: 'x', title: 'x', status, code }, status, headers)
const failure = (promise: Promise<unknown>) => promise.then(() => null, (error: unknown) => error as ApiError)

describe('asking', () => {
  it('carries the CSRF token of the log-in on what changes something', async () => {
    const { api, sent } = serverOf(json({ csrf: 'secret' }), json({ items: [], next: null }), new Response(null, { status: 204 }))
    await api.logIn('zhang', 'pw')
    await api.rooms()
    await api.logOut()
    expect(sent.map((each) => each.headers['X-CSRF-Token'])).toEqual([undefined, undefined, 'secret'])
    expect(sent[0]).toMatchObject({ url: '/api/v1/login', method: 'POST', body: { user: 'zhang', password: 'pw' } })
  })

  it('reads a list to its end', async () => {
    const { api, sent } = serverOf(json({ items: [1], next: 'x y' }), json({ items: [2], next: null }))
    expect(await api.cameras()).toEqual([1, 2])
    expect(sent.map((each) => each.url)).toEqual(['/api/v1/cameras?limit=1000', '/api/v1/cameras?limit=1000&after=x+y'])
  })

  it('gives where a look is ended, and ends it even while the page is left', async () => {
    const { api, sent } = serverOf(
      json({ sdp: 'answer', tracks: [], refused: [] }, 201, { Location: '/api/v1/live/7' }),
      new Response(null, { status: 204 }),
    )
    const answer = await api.openLive('box', [{ id: 'cam', stream: 'sub' }], 'offer')
    await api.closeLive(answer.location)
    expect(sent[0]?.body).toEqual({ edge: 'box', cameras: [{ id: 'cam', stream: 'sub' }], sdp: 'offer' })
    expect(sent[1]).toMatchObject({ url: '/api/v1/live/7', method: 'DELETE', keepalive: true })
  })

  it('asks for a part of a recording under its play session', async () => {
    const { api, sent } = serverOf(new Response('abc', { status: 206, headers: { 'X-Footage-Source': 'archive' } }))
    const body = await api.media('p1', 'seg/1', 10, 13, new AbortController().signal)
    expect(body.data.byteLength).toBe(3)
    expect(body.isCopy).toBe(true)
    expect(sent[0]).toMatchObject({ url: '/api/v1/recordings/seg%2F1/media?play=p1', method: 'GET' })
    expect(sent[0]?.headers).toMatchObject({ Range: 'bytes=10-12' })
  })
})

describe('a refusal', () => {
  it('carries the code of the problem details', async () => {
    const { api } = serverOf(refusal('outside_window', 403))
    expect(await failure(api.openLive('box', [], ''))).toMatchObject({ code: 'outside_window', status: 403 })
  })

  it('says how long to wait', async () => {
    const { api } = serverOf(refusal('locked', 429, { 'Retry-After': '300' }))
    expect(await failure(api.logIn('a', 'b'))).toMatchObject({ code: 'locked', retryAfterS: 300 })
  })

  it('is unreachable when nobody answers', async () => {
    const { api } = serverOf(new TypeError('network'))
    expect(await failure(api.rooms())).toMatchObject({ code: 'unreachable', status: 0 })
  })

  it('is named by its status when it carries no code', async () => {
    const { api } = serverOf(new Response('<h1>Bad gateway</h1>', { status: 502 }))
    expect(await failure(api.rooms())).toMatchObject({ code: 'http_502' })
    expect(problemOf(400, { code: 7 }).code).toBe('http_400')
  })

  it('tells the page when the log-in has ended', async () => {
    const { api } = serverOf(refusal('not_logged_in', 401), refusal('bad_credentials', 401))
    let told = 0
    api.onLoggedOut = () => told++
    await failure(api.rooms())
    await failure(api.logIn('a', 'b'))
    expect(told).toBe(1)
  })
})
