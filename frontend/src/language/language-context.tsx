import { createContext, useCallback, useContext, useEffect, useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import { pickLanguage } from './language.ts'
import { en } from './messages.en.ts'
import { fr } from './messages.fr.ts'
import type { Language } from './language.ts'
import type { Messages } from './messages.en.ts'

const MESSAGES: Record<Language, Messages> = { en, fr }
const REMEMBERED_KEY = 'passerelle.language'

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

export function LanguageProvider({ children }: { children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState(initialLanguage)

  useEffect(() => {
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

function initialLanguage(): Language {
  const language = pickLanguage({
    search: window.location.search,
    remembered: sessionStorage.getItem(REMEMBERED_KEY),
    preferred: navigator.languages,
  })
  // The payer comes back from the payment page without `?lang=`, and expects the same language.
  if (new URLSearchParams(window.location.search).has('lang')) remember(language)
  return language
}

function remember(language: Language): void {
  sessionStorage.setItem(REMEMBERED_KEY, language)
}

/** The switch must win over an address that still names the other language when the page is loaded again. */
function dropLanguageFromAddress(): void {
  const url = new URL(window.location.href)
  url.searchParams.delete('lang')
  window.history.replaceState(window.history.state, '', url)
}
