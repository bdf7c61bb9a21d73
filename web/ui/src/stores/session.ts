/** Who is logged in, and how times read to them. */

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api } from '@/core/api'
import { homeOf, type PageName, pagesOf } from '@/core/access'
import { serverClock } from '@/core/clock'
import { i18n } from '@/core/i18n'
import type { Me } from '@/core/model'
import { SiteTime } from '@/core/time'

/** Set while a log-in may last: its cookie cannot be seen from here. */
const LOGGED_IN = 'xunkao.loggedIn'

export const useSession = defineStore('session', () => {
  const me = ref<Me | null>(null)
  const pages = computed<PageName[]>(() => pagesOf(me.value?.roles ?? []))
  const home = computed(() => homeOf(me.value?.roles ?? []))
  const time = computed(() => new SiteTime(me.value?.site.timezone ?? 'Asia/Shanghai', i18n.global.locale.value))

  /** False when nobody logged in from this browser: there is no need to ask the server. */
  const mayBeLoggedIn = () => localStorage.getItem(LOGGED_IN) !== null

  /** Ask the server who we are; raises when nobody is logged in. */
  async function recognise(): Promise<void> {
    const before = performance.now()
    const answer = await api.me()
    serverClock.hear(answer.now, performance.now() - before)
    me.value = answer
  }

  async function logIn(user: string, password: string): Promise<void> {
    await api.logIn(user, password)
    localStorage.setItem(LOGGED_IN, '1')
    await recognise()
  }

  async function logOut(): Promise<void> {
    await api.logOut()
    forget()
  }

  function forget(): void {
    me.value = null
    localStorage.removeItem(LOGGED_IN)
  }

  return { me, pages, home, time, mayBeLoggedIn, recognise, logIn, logOut, forget }
})
