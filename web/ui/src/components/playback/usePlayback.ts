/** A player in a page: hosts that come and go, a snapshot ten times a second. */

import { onUnmounted, ref, shallowRef } from 'vue'
import { api } from '@/core/api'
import type { Footage, Playback } from '@/core/model'
import type { PlayerSnapshot } from '@/playback/player'
import { Watching, type WatchingEvents } from '@/playback/watching'

export function usePlayback(events: Omit<WatchingEvents, 'onChange'>) {
  const snapshot = shallowRef<PlayerSnapshot | null>(null)
  const isOn = ref(false)
  const hosts = new Map<string, HTMLVideoElement>()
  let watching: Watching | null = null

  function hostReady(camera: string, video: HTMLVideoElement): void {
    hosts.set(camera, video)
  }

  function start(session: Playback, footage: readonly Footage[], at: number, speed = 1): void {
    stop()
    watching = new Watching(api, session, hosts, at, {
      ...events,
      onChange: (now) => (snapshot.value = now),
    })
    isOn.value = true
    watching.load(footage)
    watching.player.setSpeed(speed)
    watching.player.play()
  }

  function stop(): void {
    watching?.close()
    watching = null
    isOn.value = false
    snapshot.value = null
  }

  onUnmounted(stop)
  return {
    snapshot,
    isOn,
    hostReady,
    start,
    stop,
    load: (footage: readonly Footage[]) => watching?.load(footage),
    player: () => watching?.player ?? null,
    session: () => watching?.session ?? null,
  }
}
