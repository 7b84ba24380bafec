import { createContext, useCallback, useContext, useLayoutEffect, useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import { REMEMBERED_COOKIE, cookieOf, isLanguage, pickLanguage } from './language.ts'
import { en } from './messages.en.ts'
import { fr } from './messages.fr.ts'
import type { Language } from './language.ts'
import type { Messages } from './messages.en.ts'

export const MESSAGES: Record<Language, Messages> = { en, fr }
const REMEMBERED_SECONDS = 365 * 24 * 60 * 60

type LanguageState = {
  readonly language: Language
  readonly messages: Messages
  readonly choose: (language: Language) => void
}

const LanguageContext = createContext<LanguageState>({
  language: 'en',
  messages: en,
  choose: () => undefined,
})

type ProviderProps = {
  /** What the page was made in; without it the browser is asked. */
  readonly initial?: Language
  readonly children: ReactNode
}

export function LanguageProvider({ initial, children }: ProviderProps): ReactNode {
  const [language, setLanguage] = useState(() => initial ?? chosenLanguage())

  // Before the paint: no sentence is read out in the other language's voice.
  useLayoutEffect(() => {
    document.documentElement.lang = language
  }, [language])

  const choose = useCallback((chosen: Language) => {
    remember(chosen)
    dropLanguageFromAddress()
    setLanguage(chosen)
  }, [])

  const state = useMemo(() => ({ language, messages: MESSAGES[language], choose }), [language, choose])
  return <LanguageContext value={state}>{children}</LanguageContext>
}

export function useLanguage(): LanguageState {
  return useContext(LanguageContext)
}

/** The language of this page: the one it came in, where a server made it, else what the payer wants. */
export function chosenLanguage(isServed = false): Language {
  const { lang } = document.documentElement
  if (isServed && isLanguage(lang)) return lang
  const language = pickLanguage({
    search: window.location.search,
    remembered: cookieOf(document.cookie, REMEMBERED_COOKIE),
    preferred: navigator.languages,
  })
  // The payer comes back from the payment page without `?lang=`, and expects the same language.
  if (new URLSearchParams(window.location.search).has('lang')) remember(language)
  return language
}

/** In a cookie, so that the server makes its pages in it. */
function remember(language: Language): void {
  document.cookie = `${REMEMBERED_COOKIE}=${language}; path=/; samesite=lax; max-age=${REMEMBERED_SECONDS}`
}

/** The switch must win over an address that still names the other language when the page is loaded again. */
function dropLanguageFromAddress(): void {
  const url = new URL(window.location.href)
  url.searchParams.delete('lang')
  window.history.replaceState(window.history.state, '', url)
}
