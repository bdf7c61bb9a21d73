/** The open alerts, as every page of the console sees them. */

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { alertOf, type Alerts, isWaiting, ordered, withAlert } from '@/alerts/alerts'
import { api } from '@/core/api'
import type { Alert, ServerEvent } from '@/core/model'
import { useLive } from './live'

/** Many pages hear the same event: they do not all ask in the same moment. */
const SPREAD_MS = 500

export const useAlerts = defineStore('alerts', () => {
  const live = useLive()
  const byId = shallowRef<Alerts>(new Map())
  const isLoaded = ref(false)
  const failure = shallowRef<unknown>(null)
  /** The newest that has come in, for whoever announces it. */
  const newest = shallowRef<Alert | null>(null)
  const open = computed(() => ordered(byId.value.values()))
  const waiting = computed(() => open.value.filter(isWaiting))
  let soon: ReturnType<typeof setTimeout> | undefined
  let stopListening: (() => void) | null = null
  let heard = 0

  function watch(): void {
    stopListening ??= live.listen({ onEvent, onResync: loadSoon })
    void load()
  }

  function leave(): void {
    stopListening?.()
    stopListening = null
    clearTimeout(soon)
    soon = undefined
    byId.value = new Map()
    isLoaded.value = false
    newest.value = null
  }

  async function load(): Promise<void> {
    const before = heard
    try {
      const alerts = await api.alerts()
      if (heard !== before) return loadSoon() // the answer may be older than what we heard meanwhile
      become(new Map(alerts.map((alert) => [alert.id, alert])))
      failure.value = null
    } catch (error) {
      failure.value = error
    }
  }

  function loadSoon(): void {
    soon ??= setTimeout(() => {
      soon = undefined
      if (stopListening) void load()
    }, SPREAD_MS * (0.2 + Math.random()))
  }

  function onEvent(event: ServerEvent): void {
    if (event.type !== 'alert') return
    heard += 1
    const alert = alertOf(event.data)
    if (!alert) return loadSoon()
    become(withAlert(byId.value, alert))
  }

  function become(alerts: Alerts): void {
    const fresh = isLoaded.value ? ordered(alerts.values()).find((each) => isWaiting(each) && !byId.value.has(each.id)) : null
    byId.value = alerts
    isLoaded.value = true
    if (fresh) newest.value = fresh
  }

  async function take(id: string): Promise<void> {
    await api.takeAlert(id)
    await load()
  }

  async function solve(id: string, reason: string): Promise<void> {
    await api.solveAlert(id, reason)
    await load()
  }

  async function shelve(id: string, minutes: number, reason: string): Promise<void> {
    await api.shelveAlert(id, minutes, reason)
    await load()
  }

  return { open, waiting, newest, isLoaded, failure, watch, leave, load, take, solve, shelve }
})
