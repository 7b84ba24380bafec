/** Which payment a return page is about. The address only hints at it: the gateway says what is true. */
export type Landing = {
  readonly arrival: 'success' | 'cancel'
  readonly bookingId: string | null
  readonly sessionId: string | null
}

type Address = { readonly pathname: string; readonly search: string }

const BOOKING_ID = /^[A-Za-z0-9_-]{1,100}$/
const SESSION_ID = /^[A-Za-z0-9_]{1,255}$/

/**
 * The landing named by the address, or by what the history entry kept of it when the page was loaded again, together
 * with the clean address to show: ids in an address end up in histories, logs and screenshots.
 */
export function readLanding(
  address: Address,
  historyState: unknown,
): { landing: Landing; cleanAddress: string } {
  const query = new URLSearchParams(address.search)
  const kept = (historyState ?? {}) as { readonly bookingId?: unknown; readonly sessionId?: unknown }
  const landing: Landing = {
    arrival: address.pathname.startsWith('/payment-cancel') ? 'cancel' : 'success',
    bookingId: matching(query.get('booking_id') ?? kept.bookingId, BOOKING_ID),
    sessionId: matching(query.get('session_id') ?? kept.sessionId, SESSION_ID),
  }
  query.delete('booking_id')
  query.delete('session_id')
  return { landing, cleanAddress: query.size > 0 ? `${address.pathname}?${query}` : address.pathname }
}

function matching(value: unknown, pattern: RegExp): string | null {
  return typeof value === 'string' && pattern.test(value) ? value : null
}
