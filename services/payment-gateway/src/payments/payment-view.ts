import type { PaymentView, SessionStatus, SessionVerification } from '@passerelle/contracts/payment'
import { toDecimal } from '@passerelle/contracts/money'
import type { Payment } from './payment.repository.ts'

// Stripe: present these as you would a generic decline (docs.stripe.com/declines/codes): the reason would warn a thief.
const NEVER_SHOWN = new Set([
  'fraudulent',
  'lost_card',
  'stolen_card',
  'pickup_card',
  'merchant_blacklist',
  'security_violation',
  'restricted_card',
  'highest_risk_level',
  'rule',
])
const GENERIC_DECLINE = { code: 'generic_decline', message: 'Your card was declined.' }

/** The body of `GET /payments/:bookingId/status` and of the stream's events. */
export function paymentView(payment: Payment): PaymentView {
  const { currency } = payment
  const hidden = payment.errorCode !== null && NEVER_SHOWN.has(payment.errorCode)
  return {
    bookingId: payment.bookingId,
    status: payment.status,
    amount: toDecimal(payment),
    amountMinor: payment.amountMinor,
    currency,
    paidAt: payment.paidAt?.toISOString() ?? null,
    refundedAmount: toDecimal({ amountMinor: payment.refundedMinor, currency }),
    refundedAmountMinor: payment.refundedMinor,
    errorCode: hidden ? GENERIC_DECLINE.code : payment.errorCode,
    errorMessage: hidden ? GENERIC_DECLINE.message : payment.errorMessage,
    updatedAt: payment.updatedAt.toISOString(),
    version: payment.version,
  }
}

/** The body of `verify`: `complete` only when the money is received, never merely because the form was submitted. */
export function sessionVerification(sessionId: string, payment: Payment): SessionVerification {
  return {
    sessionId,
    bookingId: payment.bookingId,
    status: sessionStatus(sessionId, payment),
    paymentStatus: payment.status,
    amount: toDecimal(payment),
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    paidAt: payment.paidAt?.toISOString() ?? null,
  }
}

function sessionStatus(sessionId: string, payment: Payment): SessionStatus {
  if (payment.paidAt !== null) return 'complete'
  const session = payment.known.sessions[sessionId]
  if (session?.state === 'expired') return 'expired'
  if (payment.status === 'processing') return 'processing'
  // A declined card leaves the session open for another try; only a session that is over has failed.
  return session?.state === 'complete' ? 'failed' : 'open'
}

/** Whether Stripe may still know something that would change the answer. */
export function isSettled(payment: Payment): boolean {
  return payment.paidAt !== null || payment.status === 'expired' || payment.status === 'canceled'
}
