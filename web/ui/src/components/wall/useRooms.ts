/** Rooms, cameras and exams around now, kept fresh by what the server tells. */

import { onMounted, onUnmounted, ref, shallowRef } from 'vue'
import { api } from '@/core/api'
import { serverClock } from '@/core/clock'
import type { Camera, Room, ServerEvent, Session } from '@/core/model'
import { useLive } from '@/stores/live'
import { nextTurn } from '@/wall/rooms'

const HOUR = 3_600_000
const BACK_MS = 6 * HOUR
const FORTH_MS = 30 * HOUR
/** Many pages hear the same event: they do not all ask in the same moment. */
const SPREAD_MS = 600
const LONGEST_TIMER_MS = HOUR

export function useRooms() {
  const live = useLive()
  const rooms = shallowRef<Room[]>([])
  const cameras = shallowRef<Camera[]>([])
  const sessions = shallowRef<Session[]>([])
  /** The instant the lists were last looked at; exams are chosen by it. */
  const asOf = ref(serverClock.now())
  const isLoaded = ref(false)
  const failure = shallowRef<unknown>(null)
  let soon: ReturnType<typeof setTimeout> | undefined
  let turn: ReturnType<typeof setTimeout> | undefined
  let stopListening = () => {}

  async function load(): Promise<void> {
    const now = serverClock.now()
    try {
      const span = [now - BACK_MS, now + FORTH_MS].map((at) => new Date(at).toISOString()) as [string, string]
      ;[rooms.value, cameras.value, sessions.value] = await Promise.all([
        api.rooms(),
        api.cameras(),
        api.sessions(...span),
      ])
      asOf.value = serverClock.now()
      failure.value = null
      isLoaded.value = true
    } catch (error) {
      failure.value = error
    }
    awaitTurn()
  }

  function loadSoon(): void {
    soon ??= setTimeout(() => {
      soon = undefined
      void load()
    }, SPREAD_MS * (0.2 + Math.random()))
  }

  /** Windows open and close by the clock; look again when one does. */
  function awaitTurn(): void {
    clearTimeout(turn)
    const now = serverClock.now()
    const next = nextTurn(sessions.value, now) ?? now + LONGEST_TIMER_MS
    turn = setTimeout(loadSoon, Math.min(next - now + 200, LONGEST_TIMER_MS))
  }

  function onEvent(event: ServerEvent): void {
    if (event.type === 'camera') cameras.value = merged(cameras.value, event)
    else if (event.type === 'session' || event.type === 'timetable') loadSoon()
  }

  onMounted(() => {
    stopListening = live.listen({ onEvent, onResync: loadSoon })
    void load()
  })
  onUnmounted(() => {
    stopListening()
    clearTimeout(soon)
    clearTimeout(turn)
  })

  return { rooms, cameras, sessions, asOf, isLoaded, failure, load }
}

/** Give the cameras with what an event says of one of them. */
export function merged(cameras: readonly Camera[], { id, data }: ServerEvent): Camera[] {
  return cameras.map((camera) => (camera.id === id ? { ...camera, ...(data as Partial<Camera>), id } : camera))
}
