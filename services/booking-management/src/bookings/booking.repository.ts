import type { BookingStatus } from '@passerelle/contracts/booking'
import type { Queryable, Tx } from '@passerelle/kit/database'
import { invariant } from '@passerelle/kit/errors'
import type { Booking, GivenUpBecause } from './booking.ts'

type BookingRow = {
  readonly id: string
  readonly customer_id: string
  readonly customer_email: string | null
  readonly tour_id: string
  readonly tour_name: string
  readonly day: string
  readonly seats: number
  readonly amount_minor: number
  readonly currency: string
  readonly status: BookingStatus
  readonly holds_seats: boolean
  readonly hold_expires_at: Date
  readonly given_up_because: GivenUpBecause | null
  readonly payment_version: number
  readonly payment_fingerprint: string | null
  readonly payment_intent_id: string | null
  readonly paid_at: Date | null
  readonly refunded_at: Date | null
  readonly refunded_minor: number
  readonly created_at: Date
}

// The day as text: as a Date it would be midnight somewhere, and another day elsewhere.
const COLUMNS = 'bookings.*, bookings.date::text as day'
const BOOKING_ID = /^[A-Za-z0-9_-]{1,100}$/

function fromRow(row: BookingRow): Booking {
  return {
    id: row.id,
    customerId: row.customer_id,
    customerEmail: row.customer_email,
    tourId: row.tour_id,
    tourName: row.tour_name,
    date: row.day,
    seats: row.seats,
    price: { amountMinor: row.amount_minor, currency: row.currency },
    status: row.status,
    holdsSeats: row.holds_seats,
    holdExpiresAt: row.hold_expires_at,
    givenUpBecause: row.given_up_because,
    paymentVersion: row.payment_version,
    paymentFingerprint: row.payment_fingerprint,
    paymentIntentId: row.payment_intent_id,
    paidAt: row.paid_at,
    refundedAt: row.refunded_at,
    refundedMinor: row.refunded_minor,
    createdAt: row.created_at,
  }
}

/** The booking, or null; also null for an id that no booking can have (PostgreSQL refuses some characters). */
export async function findBooking(db: Queryable, id: string): Promise<Booking | null> {
  if (!BOOKING_ID.test(id)) return null
  const { rows } = await db.query<BookingRow>(`select ${COLUMNS} from bookings where id = $1`, [id])
  return rows[0] ? fromRow(rows[0]) : null
}

/** Like findBooking, and nobody else changes it until the transaction ends. */
export async function lockBooking(tx: Tx, id: string): Promise<Booking | null> {
  if (!BOOKING_ID.test(id)) return null
  const { rows } = await tx.query<BookingRow>(`select ${COLUMNS} from bookings where id = $1 for update`, [
    id,
  ])
  return rows[0] ? fromRow(rows[0]) : null
}

/** Newest first. */
export async function listBookings(
  db: Queryable,
  customerId: string,
  limit: number,
): Promise<readonly Booking[]> {
  const { rows } = await db.query<BookingRow>(
    `select ${COLUMNS} from bookings where customer_id = $1 order by created_at desc, id desc limit $2`,
    [customerId, limit],
  )
  return rows.map(fromRow)
}

/** Unpaid bookings whose hold has run out, locked; those somebody is changing at this moment are left out. */
export async function lockExpiredHolds(tx: Tx, now: Date, limit: number): Promise<readonly Booking[]> {
  const { rows } = await tx.query<BookingRow>(
    `select ${COLUMNS} from bookings where status in ('pending', 'payment_failed') and hold_expires_at <= $1
     order by hold_expires_at limit $2 for update skip locked`,
    [now, limit],
  )
  return rows.map(fromRow)
}

/** What makes a repeated request harmless: the key its sender chose, and what it asked for. */
export type IdempotencyKey = { readonly key: string; readonly fingerprint: string }

/** Lets one request at a time of this customer and key through, until the transaction ends. */
export async function lockIdempotencyKey(tx: Tx, customerId: string, key: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `booking ${JSON.stringify([customerId, key])}`,
  ])
}

export async function findByIdempotencyKey(
  tx: Tx,
  customerId: string,
  key: string,
): Promise<{ booking: Booking; fingerprint: string } | null> {
  const { rows } = await tx.query<BookingRow & { idempotency_fingerprint: string }>(
    `select ${COLUMNS} from bookings where customer_id = $1 and idempotency_key = $2`,
    [customerId, key],
  )
  return rows[0] ? { booking: fromRow(rows[0]), fingerprint: rows[0].idempotency_fingerprint } : null
}

export async function insertBooking(
  tx: Tx,
  booking: Booking,
  idempotency: IdempotencyKey | null,
): Promise<void> {
  await tx.query(
    `insert into bookings (id, customer_id, customer_email, tour_id, tour_name, date, seats, amount_minor, currency,
       status, holds_seats, hold_expires_at, created_at, idempotency_key, idempotency_fingerprint)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      booking.id,
      booking.customerId,
      booking.customerEmail,
      booking.tourId,
      booking.tourName,
      booking.date,
      booking.seats,
      booking.price.amountMinor,
      booking.price.currency,
      booking.status,
      booking.holdsSeats,
      booking.holdExpiresAt,
      booking.createdAt,
      idempotency?.key ?? null,
      idempotency?.fingerprint ?? null,
    ],
  )
}

/** Writes what may change of a locked booking. */
export async function saveBooking(tx: Tx, booking: Booking): Promise<void> {
  const { rowCount } = await tx.query(
    `update bookings set status = $2, holds_seats = $3, given_up_because = $4, payment_version = $5,
       payment_fingerprint = $6, payment_intent_id = $7, paid_at = $8, refunded_at = $9, refunded_minor = $10
     where id = $1`,
    [
      booking.id,
      booking.status,
      booking.holdsSeats,
      booking.givenUpBecause,
      booking.paymentVersion,
      booking.paymentFingerprint,
      booking.paymentIntentId,
      booking.paidAt,
      booking.refundedAt,
      booking.refundedMinor,
    ],
  )
  invariant(rowCount === 1, 'a locked booking exists')
}

export type ReceivedUpdate = {
  readonly bookingId: string
  readonly version: number
  readonly status: string
  readonly body: unknown
  readonly idempotencyKey: string | null
  readonly requestId: string
  readonly receivedAt: Date
  /** Why it was not applied; null when it was. */
  readonly reason: string | null
}

export async function insertPaymentUpdate(tx: Tx, update: ReceivedUpdate): Promise<void> {
  await tx.query(
    `insert into booking_payment_updates
       (booking_id, version, status, body, idempotency_key, request_id, received_at, applied, reason)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      update.bookingId,
      update.version,
      update.status,
      JSON.stringify(update.body),
      update.idempotencyKey,
      update.requestId,
      update.receivedAt,
      update.reason === null,
      update.reason,
    ],
  )
}
