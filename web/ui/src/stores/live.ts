/** The line to the server: what it tells, to whoever listens. */

import { defineStore } from 'pinia'
import { ref } from 'vue'
import { api } from '@/core/api'
import { serverClock } from '@/core/clock'
import { Events, type Link } from '@/core/events'
import type { ServerEvent } from '@/core/model'

export interface Listener {
  onEvent?: (event: ServerEvent) => void
  /** Something was missed: read everything anew. */
  onResync?: () => void
}

/** A break shorter than this is not worth a banner. */
const PATIENCE_MS = 2000

export const useLive = defineStore('live', () => {
  const link = ref<Link>('connecting')
  /** The line is away for long enough that people should know. */
  const isLost = ref(false)
  const listeners = new Set<Listener>()
  let events: Events | null = null
  let patience: ReturnType<typeof setTimeout> | undefined
  let hasOpened = false

  function open(): void {
    events ??= new Events({ onEvent, onOpen, onLink })
  }

  function close(): void {
    events?.close()
    events = null
    hasOpened = false
    clearTimeout(patience)
    isLost.value = false
  }

  /** Listen until the function given back is called. */
  function listen(listener: Listener): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  function onLink(now: Link): void {
    link.value = now
    clearTimeout(patience)
    if (now === 'open') isLost.value = false
    if (now !== 'lost') return
    patience = setTimeout(() => (isLost.value = true), isLost.value ? 0 : PATIENCE_MS)
    // A log-in that ended closes the line too; only the server can tell which it was.
    api.me().catch(() => {})
  }

  function onOpen(): void {
    if (hasOpened) resync()
    hasOpened = true
  }

  function onEvent(event: ServerEvent): void {
    if (event.type === 'clock' || event.type === 'hello') {
      const { now } = (event.data ?? {}) as { now?: string }
      if (now) serverClock.hear(now)
      return
    }
    if (event.type === 'resync') resync()
    else for (const listener of listeners) listener.onEvent?.(event)
  }

  function resync(): void {
    for (const listener of listeners) listener.onResync?.()
  }

  return { link, isLost, open, close, listen }
})
