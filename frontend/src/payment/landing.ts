import type { Known } from '@passerelle/client/payment'

/** What a receipt and a calendar say of the tour that is paid for. */
export type KeptTour = {
  readonly name: string
  /** The calendar day at the venue, as 2026-12-24. */
  readonly date: string
  readonly seats: number
  readonly timeZone: string
}

/** Which payment a page is about, and what is known of it at first paint. The address only hints at it. */
export type Landing = {
  /** The lesson's two return pages, or a status link. */
  readonly arrival: 'success' | 'cancel' | 'link'
  readonly bookingId: string | null
  readonly sessionId: string | null
  /** Opens this one payment; in this page's memory and in a cookie no script can read, nowhere else. */
  readonly statusToken: string | null
  /** Until when the open session holds the seats. */
  readonly expiresAt: string | null
  readonly tour: KeptTour | null
  /** Whether this browser is not the one that paid: what is personal is not shown. */
  readonly isMasked: boolean
  readonly known: Known | null
}

type Address = { readonly pathname: string; readonly search: string }

const BOOKING_ID = /^[A-Za-z0-9_-]{1,100}$/
const SESSION_ID = /^[A-Za-z0-9_]{1,255}$/
// What Stripe and we put into a return address. Ids and secrets in an address end up in histories and screenshots.
const RETURN_PARAMETERS = [
  'booking_id',
  'session_id',
  'payment_intent',
  'payment_intent_client_secret',
  'redirect_status',
] as const

/** The ids an address names, as far as they can be ids. */
export function idsOf(query: URLSearchParams): Pick<Landing, 'bookingId' | 'sessionId'> {
  return {
    bookingId: matching(query.get('booking_id'), BOOKING_ID),
    sessionId: matching(query.get('session_id'), SESSION_ID),
  }
}

export function arrivalOf(pathname: string): Landing['arrival'] {
  if (pathname.startsWith('/payment-cancel')) return 'cancel'
  return pathname.startsWith('/payment-success') ? 'success' : 'link'
}

/**
 * The landing named by the address, or by what the history entry kept of it when the page was loaded again, together
 * with the clean address to show. For a browser without our cookie: otherwise the server has done all this.
 */
export function readLanding(
  address: Address,
  historyState: unknown,
): { landing: Landing; cleanAddress: string; kept: Pick<Landing, 'bookingId' | 'sessionId'> } {
  const query = new URLSearchParams(address.search)
  const before = (historyState ?? {}) as { readonly bookingId?: unknown; readonly sessionId?: unknown }
  const named = idsOf(query)
  const kept = {
    bookingId: named.bookingId ?? matching(before.bookingId, BOOKING_ID),
    sessionId: named.sessionId ?? matching(before.sessionId, SESSION_ID),
  }
  for (const name of RETURN_PARAMETERS) query.delete(name)
  const landing: Landing = {
    ...kept,
    arrival: arrivalOf(address.pathname),
    statusToken: null,
    expiresAt: null,
    tour: null,
    isMasked: false,
    known: null,
  }
  const cleanAddress = query.size > 0 ? `${address.pathname}?${query}` : address.pathname
  return { landing, cleanAddress, kept }
}

function matching(value: unknown, pattern: RegExp): string | null {
  return typeof value === 'string' && pattern.test(value) ? value : null
}
