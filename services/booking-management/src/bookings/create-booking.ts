import { IsEmail } from 'typebox/format'
import { EMAIL_CHARACTERS_MAX } from '@passerelle/contracts/booking'
import type { CreateBookingBody } from '@passerelle/contracts/booking'
import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import { newId } from '@passerelle/kit/id'
import type { Log } from '@passerelle/kit/log'
import { hashToken } from '@passerelle/kit/secret'
import { getTour, takeSeats } from '../tours/tour.repository.ts'
import { assertBookable } from '../tours/tour.ts'
import type { Tour } from '../tours/tour.ts'
import { findByIdempotencyKey, insertBooking, lockIdempotencyKey } from './booking.repository.ts'
import type { IdempotencyKey } from './booking.repository.ts'
import type { Booking } from './booking.ts'

export type CreateBookingDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly now: () => Date
  readonly holdMinutes: number
}

export type BookingRequest = {
  readonly customerId: string
  /** Of the customer's token, used when the body names none. */
  readonly email: string | null
  readonly idempotencyKey: string | null
  readonly body: CreateBookingBody
}

/**
 * Books seats for a customer at the tour's price, pending until paid. The same idempotency key gives the same booking
 * as it is by now; with another body it throws IDEMPOTENCY_KEY_REUSED.
 */
export async function createBooking(deps: CreateBookingDeps, request: BookingRequest): Promise<Booking> {
  const { customerId, body } = request
  const idempotency =
    request.idempotencyKey === null ? null : { key: request.idempotencyKey, fingerprint: fingerprintOf(body) }
  const { booking, isNew } = await inTransaction(deps.pool, async (tx) => {
    if (idempotency) {
      // Before the seats: the second of two equal requests must find the first, not a tour the first has filled.
      await lockIdempotencyKey(tx, customerId, idempotency.key)
      const known = await findByIdempotencyKey(tx, customerId, idempotency.key)
      if (known) return { booking: sameBooking(known, idempotency), isNew: false }
    }
    const tour = await getTour(tx, body.tourId)
    assertBookable(tour, body.date, { field: 'body.date', now: deps.now() })
    const booking = newBooking(deps, request, tour)
    if (!(await takeSeats(tx, booking)))
      throw new ApiError(
        'NO_SEATS_LEFT',
        `${tour.name} has fewer than ${body.seats} seats left on ${body.date}. Choose another day or fewer seats.`,
      )
    await insertBooking(tx, booking, idempotency)
    return { booking, isNew: true }
  })
  const { id: bookingId, tourId, date, seats, price } = booking
  if (isNew) deps.log.info({ bookingId, tourId, date, seats, ...price }, 'booking.created')
  return booking
}

function sameBooking(known: { booking: Booking; fingerprint: string }, request: IdempotencyKey): Booking {
  if (known.fingerprint === request.fingerprint) return known.booking
  throw new ApiError(
    'IDEMPOTENCY_KEY_REUSED',
    'This Idempotency-Key was used for another booking. Use a new key for a new booking.',
  )
}

function newBooking(deps: CreateBookingDeps, request: BookingRequest, tour: Tour): Booking {
  const { body } = request
  const now = deps.now()
  return {
    id: newId('bkg'),
    customerId: request.customerId,
    customerEmail: body.customerEmail ?? addressOf(request.email),
    tourId: tour.id,
    tourName: tour.name,
    date: body.date,
    seats: body.seats,
    price: { amountMinor: tour.price.amountMinor * body.seats, currency: tour.price.currency },
    status: 'pending',
    holdsSeats: true,
    holdExpiresAt: new Date(now.getTime() + deps.holdMinutes * 60_000),
    givenUpBecause: null,
    paymentVersion: 0,
    paymentFingerprint: null,
    paymentIntentId: null,
    paidAt: null,
    refundedAt: null,
    refundedMinor: 0,
    createdAt: now,
  }
}

// A sign-in may name its users in other ways there. Stripe would refuse to open a payment for what is no address.
function addressOf(claim: string | null): string | null {
  return claim !== null && claim.length <= EMAIL_CHARACTERS_MAX && IsEmail(claim) ? claim : null
}

function fingerprintOf(body: CreateBookingBody): string {
  return hashToken(JSON.stringify([body.tourId, body.date, body.seats, body.customerEmail ?? null]))
}
