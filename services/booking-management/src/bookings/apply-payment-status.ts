import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import { insertPaymentUpdate, lockBooking, saveBooking } from './booking.repository.ts'
import { decide, isOverbooked } from './booking.ts'
import type { Booking, Decision, PaymentUpdate } from './booking.ts'
import { settleSeats } from './settle-seats.ts'

export type ApplyPaymentStatusDeps = { readonly pool: Pool; readonly log: Log; readonly now: () => Date }

export type PaymentStatusRequest = {
  readonly bookingId: string
  readonly update: PaymentUpdate
  readonly idempotencyKey: string | null
  readonly requestId: string
}

export type PaymentStatusOutcome =
  | { readonly kind: 'unknown_booking' }
  | { readonly kind: 'applied'; readonly booking: Booking }
  | (Exclude<Decision, { kind: 'apply' }> & { readonly booking: Booking })

/**
 * Brings a booking up to what the gateway says of its payment, and records the update whatever comes of it. One
 * transaction with the booking locked: two copies of an update, or two updates at once, are applied one after the other.
 */
export async function applyPaymentStatus(
  deps: ApplyPaymentStatusDeps,
  request: PaymentStatusRequest,
): Promise<PaymentStatusOutcome> {
  const { bookingId, update } = request
  const receivedAt = deps.now()
  const outcome = await inTransaction(deps.pool, async (tx): Promise<PaymentStatusOutcome> => {
    const booking = await lockBooking(tx, bookingId)
    if (!booking) return { kind: 'unknown_booking' }
    const decision = decide(booking, update, receivedAt)
    const received = {
      bookingId,
      version: update.version,
      status: update.status,
      body: update,
      idempotencyKey: request.idempotencyKey,
      requestId: request.requestId,
      receivedAt,
    }
    if (decision.kind !== 'apply') {
      await insertPaymentUpdate(tx, { ...received, reason: decision.because })
      return { ...decision, booking }
    }
    const settled = await settleSeats(tx, decision.next)
    await saveBooking(tx, settled)
    await insertPaymentUpdate(tx, { ...received, reason: null })
    return { kind: 'applied', booking: settled }
  })
  logOutcome(deps.log, request, outcome)
  return outcome
}

function logOutcome(log: Log, request: PaymentStatusRequest, outcome: PaymentStatusOutcome): void {
  const { bookingId, requestId, update } = request
  const line = {
    requestId,
    bookingId,
    paymentId: update.paymentId,
    version: update.version,
    announced: update.status,
    ...(outcome.kind === 'unknown_booking'
      ? {}
      : { status: outcome.booking.status, paymentVersion: outcome.booking.paymentVersion }),
  }
  switch (outcome.kind) {
    case 'applied':
      log.info(line, 'payment_status.applied')
      if (isOverbooked(outcome.booking)) log.error({ ...line, overbooked: true }, 'booking.overbooked')
      return
    case 'ignore':
      log.info({ ...line, because: outcome.because }, 'payment_status.ignored')
      return
    case 'refuse':
      log.error({ ...line, because: outcome.because }, 'payment_status.refused')
      return
    case 'unknown_booking':
      log.warn(line, 'payment_status.booking_unknown')
      return
    default:
      outcome satisfies never
  }
}
