/** What a failure is called in the language of the page. */

import { ApiError } from './api'
import type { Hole } from './coverage'
import { spanText } from './time'

interface Words {
  t: (key: string, named?: Record<string, unknown>) => string
  te: (key: string) => boolean
}

/** A server's detail that is written in both languages: Chinese, a stroke, English. */
const BOTH = /^(.*[\u4e00-\u9fff].*?) \/ ([^\u4e00-\u9fff]+)$/s

/** Give what the server says beyond the code, in a language; empty when it says nothing for people. */
export function detailOf(error: unknown, language: string): string {
  const both = error instanceof ApiError ? BOTH.exec(error.detail) : null
  return (language === 'en' ? both?.[2] : both?.[1]) ?? ''
}

/** Give a sentence for any error: by its code, else by the kind of its status. */
export function messageOf(error: unknown, { t, te }: Words): string {
  if (!(error instanceof ApiError)) return t('problem.unexpected')
  const known = `problem.${error.code}`
  const sentence = te(known) ? t(known) : t(error.status >= 500 ? 'problem.internal' : 'problem.bad_request')
  return error.retryAfterS ? `${sentence} ${t('problem.wait', { seconds: error.retryAfterS })}` : sentence
}

/** Give what a box calls the cause of a trouble, in the language of the page; an unknown word as it is. */
export function causeText(cause: string, { t, te }: Words): string {
  return isWord(cause) && te(`cause.${cause}`) ? t(`cause.${cause}`) : cause
}

/** Give how long a hole in the recordings is, and its cause where the box told it. */
export function holeText(hole: Hole, words: Words): string {
  const span = spanText(hole.end - hole.start)
  const cause = causeText(hole.cause, words)
  return cause ? words.t('recording.gapBecause', { span, cause }) : words.t('recording.gap', { span })
}

/** Give the result of an act on the ledger. */
export function resultText(result: string, { t, te }: Words): string {
  return isWord(result) && te(`ledger.results.${result}`) ? t(`ledger.results.${result}`) : result
}

/** Give the reason of an act on the ledger: what people wrote as it is, what the server wrote translated. */
export function reasonText(reason: string, words: Words): string {
  const { t, te } = words
  const dated = /^(.+) \((\S+) by the box's clock\)$/.exec(reason)
  if (dated) return t('ledger.byBoxClock', { reason: reasonText(dated[1] as string, words), at: dated[2] as string })
  const keys = [`ledger.reasons.${reason.replaceAll(' ', '_')}`, `ledger.results.${reason}`]
  const known = /^[a-z_ ]+$/.test(reason) ? keys.find(te) : undefined
  if (known) return t(known)
  const roles = reason.split(/,\s*/)
  return roles.every((role) => isWord(role) && te(`role.${role}`)) ? roles.map((role) => t(`role.${role}`)).join(' / ') : reason
}

const isWord = (text: string) => /^[a-z_]+$/.test(text)
