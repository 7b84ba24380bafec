export const LANGUAGES = ['fr', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

export type LanguageHints = {
  /** The page's query string. */
  readonly search: string
  /** What was chosen earlier in this tab. */
  readonly remembered: string | null
  /** The browser's own list, most wanted first. */
  readonly preferred: readonly string[]
}

/** The language to speak: the address decides, then the earlier choice, then the browser; English when none fits. */
export function pickLanguage({ search, remembered, preferred }: LanguageHints): Language {
  const wanted = [new URLSearchParams(search).get('lang'), remembered, ...preferred]
  for (const tag of wanted) {
    const found = LANGUAGES.find((language) => language === tag?.toLowerCase().split('-')[0])
    if (found) return found
  }
  return 'en'
}

/** Keeps the choice, readable by the pages' own server too. */
export const REMEMBERED_COOKIE = 'passerelle-language'

export function isLanguage(text: string): text is Language {
  return LANGUAGES.some((language) => language === text)
}

/** The value of one cookie in a Cookie header or `document.cookie`, or null. */
export function cookieOf(cookies: string, name: string): string | null {
  for (const pair of cookies.split(';')) {
    const [key = '', ...value] = pair.trim().split('=')
    if (key === name) return value.join('=')
  }
  return null
}
