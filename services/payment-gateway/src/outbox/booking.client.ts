import type { BookingView, PaymentStatusUpdate } from '@passerelle/contracts/booking'
import { newId } from '@passerelle/kit/id'
import { inSpan, traceHeaders, TRACING_OFF } from '@passerelle/kit/tracing'
import type { Tracing } from '@passerelle/kit/tracing'
import { createPut } from './kept-connections.ts'

export type BookingClient = {
  /** The booking as its service tells it. */
  readonly find: (bookingId: string) => Promise<BookingAnswer>
  /** Tells the booking service where the payment of a booking stands; `idempotencyKey` is the delivery's id. */
  readonly announce: (bookingId: string, body: PaymentStatusUpdate, idempotencyKey: string) => Promise<Told>
}

/** What the gateway needs to know of a booking. */
export type Booking = Pick<
  BookingView,
  'id' | 'status' | 'customerId' | 'customerEmail' | 'tourName' | 'amountMinor' | 'currency'
> & {
  /** Until when its seats are kept for this customer, where the booking service tells. */
  readonly holdExpiresAt: Date | null
}

export type BookingAnswer =
  | { readonly kind: 'found'; readonly booking: Booking }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'unavailable'; readonly message: string }

/**
 *  delivered  a 2xx
 *  refused    an answer that asking again will not change (400, 403, 404, 409, 410, 422)
 *  failed     anything else: no answer, 408, 425, 429, 5xx; `retryAfterMs` when the answer asked for patience
 */
export type Told =
  | {
      readonly outcome: 'delivered'
      readonly status: number
      /** The booking service answered that the booking has no seats any more. */
      readonly isOverbooked: boolean
    }
  | { readonly outcome: 'refused'; readonly status: number; readonly error: string }
  | {
      readonly outcome: 'failed'
      readonly status: number | null
      readonly error: string
      readonly retryAfterMs: number | null
    }

const TIMEOUT_MS = 5000
// A booking is under 1 kB; whoever answers more is not the booking service.
const ANSWER_BYTES_MAX = 64 * 1024
// The id becomes part of an address that is called with our token. encodeURIComponent lets `..` through, which would
// name another address: what has not the form of an id names no booking.
const BOOKING_ID = /^[A-Za-z0-9_-]{1,100}$/
// As many as deliveries are under way at once.
const CONNECTIONS_MAX = 64
const RETRY_AFTER_MAX_MS = 10 * 60_000
// 401 means a wrong or rolled service token: it is mended without touching the delivery, so it is retried like a
// failure.
const PERMANENT = new Set([400, 403, 404, 405, 409, 410, 413, 415, 422])

// In the order in which jsonb keeps them: an announcement that is sent as it is written and one that is read from the
// database are the same bytes, so that a repeat has the words of the first try.
const FIELDS = Object.keys({
  paidAt: true,
  status: true,
  version: true,
  currency: true,
  paymentId: true,
  refundedAt: true,
  amountMinor: true,
  paymentIntentId: true,
  refundedAmountMinor: true,
} satisfies Record<keyof PaymentStatusUpdate, true>)

export function createBookingClient(config: {
  readonly url: string
  readonly serviceToken: string
  readonly tracing?: Tracing
}): BookingClient {
  const { tracing = TRACING_OFF } = config
  const put = createPut({
    connectionsMax: CONNECTIONS_MAX,
    timeoutMs: TIMEOUT_MS,
    answerBytesMax: ANSWER_BYTES_MAX,
  })
  const headers = () => ({
    authorization: `Bearer ${config.serviceToken}`,
    'x-service-name': 'payment-gateway-service',
    'x-request-id': newId('req'),
    ...traceHeaders(tracing),
  })
  const url = (bookingId: string, rest = ''): string =>
    `${config.url}/api/v1/bookings/${encodeURIComponent(bookingId)}${rest}`

  return {
    find: async (bookingId) => {
      if (!BOOKING_ID.test(bookingId)) return { kind: 'not_found' }
      return inSpan(tracing, 'booking find', { kind: 'client' }, () =>
        find(bookingId, url(bookingId), headers()),
      )
    },

    announce: async (bookingId, body, idempotencyKey) => {
      if (!BOOKING_ID.test(bookingId))
        return { outcome: 'refused', status: 400, error: 'not the id of a booking' }
      try {
        const { status, retryAfter, text } = await put(
          url(bookingId, '/payment-status'),
          { ...headers(), 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
          JSON.stringify(body, FIELDS),
        )
        if (status >= 200 && status < 300)
          return { outcome: 'delivered', status, isOverbooked: saysOverbooked(text) }
        const error = `answered ${status}`
        if (PERMANENT.has(status)) return { outcome: 'refused', status, error }
        return {
          outcome: 'failed',
          status,
          error,
          retryAfterMs: retryAfterMs(retryAfter),
        }
      } catch (error) {
        return { outcome: 'failed', status: null, error: reasonOf(error), retryAfterMs: null }
      }
    },
  }
}

async function find(
  bookingId: string,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<BookingAnswer> {
  try {
    const response = await fetch(url, {
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const body = await readAnswer(response)
    if (response.status === 404) return { kind: 'not_found' }
    const booking = response.ok ? readBooking(bookingId, body) : null
    return booking === null
      ? { kind: 'unavailable', message: `answered ${response.status}` }
      : { kind: 'found', booking }
  } catch (error) {
    return { kind: 'unavailable', message: reasonOf(error) }
  }
}

/** The answer's JSON; null when it is none, or longer than a booking can be. */
async function readAnswer(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    // Leaving the loop cancels the body.
    if (bytes > ANSWER_BYTES_MAX) return null
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    return null
  }
}

// A booking service that says nothing of it, or no JSON at all, has taken the announcement in all the same.
function saysOverbooked(text: string): boolean {
  // Nearly every answer: not even parsed.
  if (!text.includes('"overbooked"')) return false
  try {
    return (JSON.parse(text) as { data?: { overbooked?: unknown } } | null)?.data?.overbooked === true
  } catch {
    return false
  }
}

/** Only what was promised counts: an answer without a usable price, or about another booking, is no answer. */
function readBooking(bookingId: string, body: unknown): Booking | null {
  const data = (body as { data?: Partial<Booking> } | null)?.data
  if (data === undefined || data === null) return null
  const { id, status, customerId, tourName, amountMinor, currency } = data
  if (id !== bookingId || typeof customerId !== 'string' || status === undefined) return null
  if (!Number.isSafeInteger(amountMinor) || amountMinor === undefined || typeof currency !== 'string')
    return null
  return {
    id,
    status,
    customerId,
    customerEmail: typeof data.customerEmail === 'string' ? data.customerEmail : null,
    tourName: typeof tourName === 'string' ? tourName : '',
    amountMinor,
    currency: currency.toLowerCase(),
    holdExpiresAt: dateOf((data as { holdExpiresAt?: unknown }).holdExpiresAt),
  }
}

function dateOf(value: unknown): Date | null {
  const date = typeof value === 'string' ? new Date(value) : null
  return date === null || Number.isNaN(date.getTime()) ? null : date
}

function retryAfterMs(header: string | null): number | null {
  if (header === null) return null
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds * 1000, 0), RETRY_AFTER_MAX_MS) : null
}

/** Why no answer came, in a word or two; never the address, which may carry a secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const cause = (error.cause ?? error) as { code?: unknown }
  return typeof cause.code === 'string' ? cause.code : error.name
}
