import type { AnnouncedStatus, PaymentStatusUpdate } from '@passerelle/contracts/booking'
import type { Known } from '../payments/known.ts'
import { succeededRefunds } from '../payments/payment.ts'
import type { Standing } from '../payments/payment.ts'

/** What the booking service was last told about a payment, or is to be told next. */
export type Announcement = {
  readonly status: AnnouncedStatus
  readonly paymentIntentId: string | null
  readonly paidAt: number | null
  readonly refundedAt: number | null
  readonly refundedMinor: number
}

/**
 * What the booking service still has to hear, oldest first, given what it was last told. Decided by comparing where the
 * payment stands with what was announced, never by what changed just now: a refund may be known before the payment's
 * success is. It never hears of a refund without having heard `confirmed`, and never the same thing twice.
 */
export function dueAnnouncements(
  known: Known,
  standing: Standing,
  announced: Announcement | null,
  extended: boolean,
): readonly Announcement[] {
  const steps = milestones(known, standing, extended)
  const last = steps.at(-1)
  if (last === undefined || (announced !== null && says(announced) === says(last))) return []
  // A refused try is no part of the story of a payment that came: that story was not begun to be told.
  if (announced === null || announced.status === 'payment_failed') return steps
  const told = steps.findIndex((step) => says(step) === says(announced))
  return told >= 0 ? steps.slice(told + 1) : [last]
}

/** The whole story of the payment so far, as the booking should have heard it. */
function milestones(known: Known, standing: Standing, extended: boolean): Announcement[] {
  const { paymentIntentId, paidAt } = standing
  if (paidAt === null || paymentIntentId === null) {
    if (!extended || standing.status !== 'failed') return []
    return [{ status: 'payment_failed', paymentIntentId, paidAt: null, refundedAt: null, refundedMinor: 0 }]
  }
  const steps: Announcement[] = [
    { status: 'confirmed', paymentIntentId, paidAt, refundedAt: null, refundedMinor: 0 },
  ]
  let refundedMinor = 0
  for (const refund of succeededRefunds(known, paymentIntentId)) {
    refundedMinor = Math.min(refundedMinor + refund.amountMinor, standing.capturedMinor)
    steps.push({
      status: refundedMinor >= standing.capturedMinor ? 'cancelled' : 'partially_refunded',
      paymentIntentId,
      paidAt,
      refundedAt: refund.createdAt,
      refundedMinor,
    })
  }
  return [...steps, ...disputeStep(known, standing, extended, refundedMinor)]
}

/** A lost dispute cancels the booking, as in the lesson; an open one is news only where the booking service knows it. */
function disputeStep(
  known: Known,
  standing: Standing,
  extended: boolean,
  refundedMinor: number,
): Announcement[] {
  if (standing.status !== 'disputed') return []
  const { paymentIntentId, paidAt } = standing
  const lost = Object.values(known.disputes).find(
    (dispute) => dispute.intentId === paymentIntentId && dispute.state === 'lost',
  )
  if (lost)
    return [{ status: 'cancelled', paymentIntentId, paidAt, refundedAt: lost.stateAt.second, refundedMinor }]
  return extended ? [{ status: 'disputed', paymentIntentId, paidAt, refundedAt: null, refundedMinor }] : []
}

/** What makes two announcements the same news. Times are left out: a later report may only make them more exact. */
function says(announcement: Announcement): string {
  return `${announcement.status} ${announcement.refundedMinor} ${announcement.paymentIntentId ?? ''}`
}

/** The body of `PUT /api/v1/bookings/:id/payment-status`. */
export function announcementBody(
  announcement: Announcement,
  payment: { id: string; amountMinor: number; currency: string },
  version: number,
): PaymentStatusUpdate {
  const { status, paymentIntentId, paidAt, refundedAt, refundedMinor } = announcement
  return {
    status,
    paymentIntentId,
    ...(paidAt === null ? {} : { paidAt: isoSecond(paidAt) }),
    ...(refundedAt === null ? {} : { refundedAt: isoSecond(refundedAt) }),
    version,
    paymentId: payment.id,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    ...(refundedMinor === 0 ? {} : { refundedAmountMinor: refundedMinor }),
  }
}

/** A Unix second as ISO 8601 in UTC. */
export function isoSecond(second: number): string {
  return new Date(second * 1000).toISOString()
}
