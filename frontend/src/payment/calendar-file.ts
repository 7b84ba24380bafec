import { addDays } from '../language/dates.ts'
import type { KeptTour } from './landing.ts'

export type CalendarEntry = {
  readonly bookingId: string
  readonly tour: KeptTour
  /** In the reader's language. */
  readonly description: string
  readonly url: string
  /** Grows with every change, so that a newer file replaces the entry an older one made. */
  readonly version: number
  readonly changedAt: string
  readonly isCancelled: boolean
}

/**
 * An iCalendar file (RFC 5545) with the tour's day as a whole-day entry: a day without a clock time is the venue's day in
 * every reader's calendar. The same booking has the same UID for ever; a refund makes it a cancelled entry.
 */
export function calendarFile(entry: CalendarEntry): string {
  const { tour } = entry
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Passerelle//Booking//EN',
    'CALSCALE:GREGORIAN',
    `METHOD:${entry.isCancelled ? 'CANCEL' : 'PUBLISH'}`,
    'BEGIN:VEVENT',
    `UID:${escaped(entry.bookingId)}@passerelle`,
    `DTSTAMP:${utcStamp(entry.changedAt)}`,
    `SEQUENCE:${entry.version}`,
    `DTSTART;VALUE=DATE:${compact(tour.date)}`,
    `DTEND;VALUE=DATE:${compact(addDays(tour.date, 1))}`,
    `SUMMARY:${escaped(tour.name)}`,
    `DESCRIPTION:${escaped(entry.description)}`,
    `URL:${entry.url}`,
    `STATUS:${entry.isCancelled ? 'CANCELLED' : 'CONFIRMED'}`,
    'TRANSP:OPAQUE',
    'END:VEVENT',
    'END:VCALENDAR',
  ]
  return lines.map((line) => `${folded(line)}\r\n`).join('')
}

const LINE_OCTETS_MAX = 75

/** The line cut every 75 octets, never inside a character; each continuation begins with a space that counts. */
export function folded(line: string): string {
  const encoder = new TextEncoder()
  let result = ''
  let octets = 0
  for (const character of line) {
    const size = encoder.encode(character).length
    if (octets + size > LINE_OCTETS_MAX) {
      result += '\r\n '
      octets = 1
    }
    result += character
    octets += size
  }
  return result
}

function escaped(text: string): string {
  return text.replaceAll(/[\\;,]/g, String.raw`\$&`).replaceAll(/\r?\n/g, String.raw`\n`)
}

function compact(day: string): string {
  return day.replaceAll('-', '')
}

/** 2026-11-24T10:00:00.000Z as 20261124T100000Z. */
function utcStamp(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}
