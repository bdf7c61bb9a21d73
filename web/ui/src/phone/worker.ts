/** The page's service worker: it keeps the page's own files, and shows notices while the page is hidden. */

const ADDRESS = '/phone/sw.js'
const SCOPE = '/phone/'

export async function register(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  await navigator.serviceWorker.register(ADDRESS, { scope: SCOPE }).catch(() => {})
}

export const canNotify = (): boolean => 'Notification' in window && 'serviceWorker' in navigator

/** Show a notice outside the page, where the person allowed it. */
export async function notify(title: string, body: string, tag: string): Promise<void> {
  if (!canNotify() || Notification.permission !== 'granted') return
  const worker = await navigator.serviceWorker.getRegistration(SCOPE)
  await worker?.showNotification(title, { body, tag, requireInteraction: true }).catch(() => {})
}
