import type { Language } from './language.ts'

const LOCALE: Record<Language, string> = { fr: 'fr-FR', en: 'en-GB' }

/**
 * A calendar day such as 2026-12-24, written out; with the whole weekday for a sentence. A day of the venue is the same day
 * for every reader.
 */
export function formatDay(day: string, language: Language, weekday: 'short' | 'long' = 'short'): string {
  const format = new Intl.DateTimeFormat(LOCALE[language], {
    weekday,
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  })
  return format.format(new Date(`${day}T00:00:00Z`))
}

/** A moment with its time zone named: the venue's when it is known, else the reader's. */
export function formatMoment(iso: string, language: Language, timeZone?: string): string {
  const format = new Intl.DateTimeFormat(LOCALE[language], {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone,
  })
  return format.format(new Date(iso))
}

/** The clock time of a moment, for a deadline that is near; in a sentence, with its time zone named as in `formatMoment`. */
export function formatClock(iso: string, language: Language, timeZone: string): string {
  const format = new Intl.DateTimeFormat(LOCALE[language], {
    weekday: 'long',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone,
  })
  return format.format(new Date(iso))
}

/** Today's date where the tour takes place, as 2026-12-24. */
export function todayIn(timeZone: string, nowMs: number): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(nowMs)
  const part = (type: string): string => parts.find((candidate) => candidate.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')}`
}

/** The calendar day `days` after another. */
export function addDays(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + days)
  return date.toISOString().slice(0, 10)
}
