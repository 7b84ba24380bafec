import type { TimelineEntry } from '@passerelle/contracts/admin'
import { toDecimalText } from '@passerelle/contracts/money'

/** Something that happened to a payment, as its row tells it. */
export type StoredEntry = {
  readonly at: Date
  readonly kind: TimelineEntry['kind']
  readonly id: string
  readonly detail: Detail
}
type Detail = { readonly [field: string]: unknown }

/** An entry as a person reads it: one sentence, and everything its row holds. */
export function timelineEntry({ at, kind, id, detail }: StoredEntry, currency: string): TimelineEntry {
  return {
    at: at.toISOString(),
    kind,
    id,
    what: SENTENCES[kind](detail, currency),
    detail: Object.fromEntries(Object.entries(detail).map(isoTime)),
  }
}

const SENTENCES: Readonly<Record<TimelineEntry['kind'], (it: Detail, currency: string) => string>> = {
  payment: (it) => `payment opened for booking ${text(it['bookingId'])}`,
  attempt: (it) =>
    sentence(
      `attempt ${text(it['number'])} by ${text(it['attemptKind'])} for ${money(it, text(it['currency']))}`,
      it['state'],
      it['closedBecause'] === 'ended' ? null : it['closedBecause'],
    ),
  event: (it) =>
    sentence(
      `${text(it['type'])} received ${delay(it['createdAt'], it['receivedAt'])} after Stripe made it`,
      it['processedAt'] === null
        ? it['status']
        : `${text(it['status'])} ${delay(it['receivedAt'], it['processedAt'])} later`,
      it['reason'] ?? it['errorMessage'],
    ),
  transition: (it) => `${text(it['from'])} → ${text(it['to'])} because of ${text(it['because'])}`,
  delivery: (it) =>
    sentence(
      `booking service owed "${text(it['announces'])}" (version ${text(it['version'])})`,
      it['status'],
      it['status'] === 'delivered' ? null : it['lastError'],
    ),
  delivery_attempt: (it) =>
    sentence(
      `told "${text(it['announces'])}", try ${text(it['number'])}: ${text(it['outcome'])} in ${text(it['durationMs'])} ms`,
      it['responseStatus'],
      it['error'],
    ),
  refund_request: (it, currency) =>
    sentence(
      `refund of ${money(it, currency)} asked for by ${text(it['requestedBy'])}`,
      it['state'],
      it['refusedBecause'] ?? it['reason'],
    ),
  refund: (it) =>
    sentence(
      `refund of ${money(it, text(it['currency']))}`,
      it['status'],
      it['failureReason'] ?? it['reason'],
    ),
  dispute: (it) => sentence(`dispute of ${money(it, text(it['currency']))}`, it['status'], it['reason']),
  ledger: (it) => `posted ${entriesOf(it['entries'], text(it['currency']))}`,
  incident: (it) =>
    sentence(
      `incident ${text(it['incidentKind'])} about ${text(it['subject'])}`,
      it['resolvedAt'] === null ? 'open' : `resolved by ${text(it['resolvedBy'])}`,
      it['resolvedBecause'],
    ),
  audit: (it) => sentence(`${text(it['actor'])}: ${text(it['action'])}`, it['subject'], it['reason']),
}

function sentence(what: string, state: unknown, because: unknown): string {
  const more = [state, because].filter((part) => part !== null && part !== undefined)
  return more.length === 0 ? what : `${what}: ${more.map(text).join(', ')}`
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function money(it: Detail, currency: string): string {
  return `${toDecimalText({ amountMinor: Number(it['amountMinor']), currency })} ${currency}`
}

function entriesOf(entries: unknown, currency: string): string {
  return Object.entries(entries as Record<string, number>)
    .map(([account, amountMinor]) => `${account} ${toDecimalText({ amountMinor, currency })}`)
    .join(', ')
    .concat(` ${currency}`)
}

const SECONDS_PER_MINUTE = 60
const SECONDS_PER_HOUR = 3600

function delay(from: unknown, to: unknown): string {
  const seconds = Math.max((Date.parse(text(to)) - Date.parse(text(from))) / 1000, 0)
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 2 * SECONDS_PER_MINUTE) return `${Math.round(seconds)} s`
  if (seconds < 2 * SECONDS_PER_HOUR) return `${Math.round(seconds / SECONDS_PER_MINUTE)} min`
  return `${Math.round(seconds / SECONDS_PER_HOUR)} h`
}

/** PostgreSQL writes times in JSON with an offset and microseconds; on the wire every time ends in Z. */
function isoTime([field, value]: [string, unknown]): [string, unknown] {
  return [field, field.endsWith('At') && typeof value === 'string' ? new Date(value).toISOString() : value]
}
