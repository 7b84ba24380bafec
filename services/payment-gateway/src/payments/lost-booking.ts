import { roundTrip } from '@passerelle/kit/database'
import type { Tx } from '@passerelle/kit/database'
import { newId } from '@passerelle/kit/id'
import { insertRefundRequest, refundableMinor } from '../refunds/refund.repository.ts'
import { PAYMENTS_CHANNEL } from './payment-stream.ts'
import { lockPayments, markBookingLost, notifyChanged, raiseIncidents } from './payment.repository.ts'

/**
 * Records that a paid booking has no seats any more, once: the payer's page is told, a person hears of it, and with
 * `refunds` the money that was not given back yet is asked back from Stripe.
 */
export async function recordLostBooking(
  tx: Tx,
  paymentId: string,
  policy: { readonly refunds: boolean },
): Promise<void> {
  const [payment] = await lockPayments(tx, [paymentId])
  if (!payment || payment.bookingLost || payment.paidAt === null || payment.paymentIntentId === null) return
  await markBookingLost(tx, paymentId)
  // A part may be on its way back already: asking for more than is left would give back nothing at all.
  const amountMinor = await refundableMinor(tx, payment, payment.paymentIntentId)
  const incident = {
    kind: 'booking_lost',
    subject: payment.bookingId,
    paymentId,
    detail: { amountMinor, currency: payment.currency, refunding: policy.refunds },
  }
  if (policy.refunds && amountMinor > 0)
    await insertRefundRequest(
      tx,
      {
        id: newId('rfq'),
        paymentId,
        intentId: payment.paymentIntentId,
        idempotencyKey: `lost booking ${payment.bookingId}`,
        amountMinor,
        reason: 'requested_by_customer',
        note: null,
        requestedBy: 'lost booking policy',
      },
      0,
    )
  await roundTrip(tx, [...raiseIncidents([incident]), ...notifyChanged(PAYMENTS_CHANNEL, [paymentId])])
}
