/** The language of the page. */

import { createI18n } from 'vue-i18n'
import { en } from '@/locales/en'
import { zhCN } from '@/locales/zh-CN'

export const LANGUAGES = { 'zh-CN': '中文', en: 'English' } as const
export type Language = keyof typeof LANGUAGES

const KEY = 'xunkao.language'

export const i18n = createI18n({
  legacy: false,
  locale: remembered(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zhCN, en },
})

/** Change the language here and for the next visit. */
export function speak(language: Language): void {
  i18n.global.locale.value = language
  document.documentElement.lang = language
  try {
    localStorage.setItem(KEY, language)
  } catch {
    // a browser without storage asks again next time
  }
}

/** Chinese first: English only for those who chose it or whose browser wants no Chinese. */
export function remembered(storage: Pick<Storage, 'getItem'> | undefined = safeStorage()): Language {
  const kept = storage?.getItem(KEY)
  if (kept === 'zh-CN' || kept === 'en') return kept
  const wanted = navigator.languages ?? [navigator.language]
  return wanted.some((language) => language.startsWith('zh')) || !wanted.length ? 'zh-CN' : 'en'
}

function safeStorage(): Storage | undefined {
  try {
    return localStorage
  } catch {
    return undefined
  }
}
