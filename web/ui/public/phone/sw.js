// The phone page's own files, for when there is no network: the shell and what carries a hash in its name.
// Never anything of the API, never a picture.
const KEPT = 'xunkao-phone'
const SHELL = '/phone/'

self.addEventListener('install', (event) => event.waitUntil(first().then(() => self.skipWaiting())))
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  if (request.mode === 'navigate' && pathname.startsWith(SHELL)) event.respondWith(shell(request))
  else if (pathname.startsWith('/assets/')) event.respondWith(asset(request))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(
    self.clients.matchAll({ type: 'window' }).then(([page]) => page?.focus() ?? self.clients.openWindow(SHELL)),
  )
})

// The page that brought us was loaded without us.
async function first() {
  const [cache, answer] = await Promise.all([caches.open(KEPT), fetch(SHELL)])
  await cache.addAll((await answer.clone().text()).match(/\/assets\/[^"]+/g) ?? [])
  await cache.put(SHELL, answer)
}

// The newest there is; without network the last one. A new one has new files: the old go.
async function shell(request) {
  const cache = await caches.open(KEPT)
  try {
    const answer = await fetch(request)
    if (!answer.ok) return answer
    const [text, old] = await Promise.all([answer.clone().text(), cache.match(SHELL).then((kept) => kept?.text())])
    if (old !== undefined && old !== text) for (const key of await cache.keys()) await cache.delete(key)
    await cache.put(SHELL, answer.clone())
    return answer
  } catch {
    return (await cache.match(SHELL)) ?? Response.error()
  }
}

async function asset(request) {
  const cache = await caches.open(KEPT)
  const kept = await cache.match(request)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok) await cache.put(request, answer.clone())
  return answer
}
