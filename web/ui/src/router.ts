/** Addresses and who may open them. */

import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { mayOpen, type PageName } from '@/core/access'
import { useSession } from '@/stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    page?: PageName
    title: string
    /** Looks dark: pages of pictures. */
    dark?: boolean
  }
}

const routes: RouteRecordRaw[] = [
  { path: '/login', name: 'login', component: () => import('@/pages/LoginPage.vue'), meta: { title: 'page.login', dark: true } },
  { path: '/', name: 'home', component: () => import('@/pages/MissingPage.vue'), meta: { title: 'page.missing' } },
  page('wall', '/wall', () => import('@/pages/WallPage.vue'), true),
  page('alerts', '/alerts', () => import('@/pages/AlertsPage.vue')),
  page('sessions', '/sessions', () => import('@/pages/SessionsPage.vue')),
  page('timetables', '/timetables/:id?', () => import('@/pages/TimetablePage.vue')),
  page('recordings', '/recordings', () => import('@/pages/RecordingsPage.vue'), true),
  page('evidence', '/evidence', () => import('@/pages/EvidencePage.vue')),
  page('references', '/references', () => import('@/pages/ReferencesPage.vue')),
  page('holds', '/holds', () => import('@/pages/HoldsPage.vue')),
  page('capacity', '/capacity', () => import('@/pages/CapacityPage.vue')),
  page('devices', '/devices', () => import('@/pages/DevicesPage.vue')),
  page('ledger', '/ledger', () => import('@/pages/LedgerPage.vue')),
  page('coverage', '/coverage', () => import('@/pages/CoveragePage.vue')),
  page('users', '/users', () => import('@/pages/UsersPage.vue')),
  { path: '/:rest(.*)*', name: 'missing', component: () => import('@/pages/MissingPage.vue'), meta: { title: 'page.missing' } },
]

export const router = createRouter({ history: createWebHistory(), routes })

router.beforeEach(async (to) => {
  const session = useSession()
  if (to.name === 'login') return true
  if (!session.me) {
    const toLogin = { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
    if (!session.mayBeLoggedIn()) return toLogin
    try {
      await session.recognise()
    } catch {
      return toLogin
    }
  }
  if (to.name === 'home' && session.home) return { name: session.home }
  if (to.meta.page && !mayOpen(session.me?.roles ?? [], to.meta.page)) {
    return { name: 'missing', params: { rest: to.path.slice(1).split('/') } }
  }
  return true
})

function page(name: PageName, path: string, component: RouteRecordRaw['component'], dark = false): RouteRecordRaw {
  return { path, name, component, meta: { page: name, title: `page.${name}`, dark } } as RouteRecordRaw
}
