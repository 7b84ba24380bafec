import type { Booking } from '../outbox/booking.client.ts'
import type { AttemptParameters } from './attempt.repository.ts'

export type Ids = { readonly bookingId: string; readonly paymentId: string; readonly attemptId: string }

/**
 * The body of `POST /v1/checkout/sessions` for one attempt; pure, because it is stored and replayed word for word. The
 * ids go on the session *and* on the PaymentIntent: Stripe copies neither to the other.
 */
export function sessionParameters(
  ids: Ids,
  booking: Booking,
  options: {
    frontendUrl: string
    customerEmail: string | null
    tourName: string | null
    locale: 'fr' | 'en' | null
    now: Date
  },
): AttemptParameters {
  const metadata = metadataOf(ids)
  const bookingId = encodeURIComponent(ids.bookingId)
  const email = options.customerEmail ?? booking.customerEmail
  return {
    mode: 'payment',
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency: booking.currency,
          unit_amount: booking.amountMinor,
          product_data: {
            name: productName(booking, options.tourName),
            description: `Réservation ${ids.bookingId}`,
          },
        },
      },
    ],
    success_url: `${options.frontendUrl}/payment-success?session_id={CHECKOUT_SESSION_ID}&booking_id=${bookingId}`,
    cancel_url: `${options.frontendUrl}/payment-cancel?booking_id=${bookingId}`,
    client_reference_id: ids.paymentId,
    metadata,
    payment_intent_data: { metadata },
    ...expiry(booking, options.now),
    ...(options.locale === null ? {} : { locale: options.locale }),
    ...(email === null ? {} : { customer_email: email }),
  } as AttemptParameters
}

/** The body of `POST /v1/payment_intents` for one attempt; pure for the same reason. */
export function intentParameters(
  ids: Ids,
  booking: Booking,
  options: { customerEmail: string | null },
): AttemptParameters {
  const email = options.customerEmail ?? booking.customerEmail
  return {
    amount: booking.amountMinor,
    currency: booking.currency,
    automatic_payment_methods: { enabled: true },
    metadata: metadataOf(ids),
    ...(email === null ? {} : { receipt_email: email }),
  }
}

// Stripe takes 30 minutes to 24 hours, by its own clock: a minute more than the least, so that a skew refuses nothing.
const LIFE_SECONDS_MIN = 31 * 60
const LIFE_SECONDS_MAX = 24 * 60 * 60

/** A session must not outlive the seats it sells; without a hold to respect, Stripe's 24 hours stand. */
function expiry(booking: Booking, now: Date): { expires_at?: number } {
  if (booking.holdExpiresAt === null) return {}
  const nowSeconds = Math.floor(now.getTime() / 1000)
  const life = Math.floor(booking.holdExpiresAt.getTime() / 1000) - nowSeconds
  return life >= LIFE_SECONDS_MAX ? {} : { expires_at: nowSeconds + Math.max(life, LIFE_SECONDS_MIN) }
}

function metadataOf(ids: Ids): Record<string, string> {
  return {
    booking_id: ids.bookingId,
    payment_id: ids.paymentId,
    attempt_id: ids.attemptId,
    source: 'passerelle',
  }
}

const NAME_CHARACTERS_MAX = 250

// The booking service names the tour; what the browser calls it only serves when the booking has no name.
function productName(booking: Booking, tourName: string | null): string {
  const name = booking.tourName === '' ? (tourName ?? `Réservation ${booking.id}`) : booking.tourName
  return name.slice(0, NAME_CHARACTERS_MAX)
}
