/** Whether the page is as narrow as a phone. */

import { onUnmounted, ref } from 'vue'

export function useNarrow(query = '(max-width: 640px)') {
  const media = matchMedia(query)
  const isNarrow = ref(media.matches)
  const onChange = () => (isNarrow.value = media.matches)
  media.addEventListener('change', onChange)
  onUnmounted(() => media.removeEventListener('change', onChange))
  return isNarrow
}
