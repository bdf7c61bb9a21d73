/** The server's time on a page that stays open: over midnight "today" is another day. */

import { onScopeDispose, type Ref, ref } from 'vue'
import { serverClock } from './clock'

const EVERY_MS = 20_000

/** Give the server's time now, kept up as long as whoever asks is there. */
export function useNow(): Readonly<Ref<number>> {
  const now = ref(serverClock.now())
  const timer = setInterval(() => (now.value = serverClock.now()), EVERY_MS)
  onScopeDispose(() => clearInterval(timer))
  return now
}
