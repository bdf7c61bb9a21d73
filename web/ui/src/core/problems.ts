/** What a failure is called in the language of the page. */

import { ApiError } from './api'

interface Words {
  t: (key: string, named?: Record<string, unknown>) => string
  te: (key: string) => boolean
}

/** Give a sentence for any error: by its code, else by the kind of its status. */
export function messageOf(error: unknown, { t, te }: Words): string {
  if (!(error instanceof ApiError)) return t('problem.unexpected')
  const known = `problem.${error.code}`
  const sentence = te(known) ? t(known) : t(error.status >= 500 ? 'problem.internal' : 'problem.bad_request')
  return error.retryAfterS ? `${sentence} ${t('problem.wait', { seconds: error.retryAfterS })}` : sentence
}
