import type { Operations } from './operations.ts'

/** What the gateway last said of a payment. */
export type Payment = Operations['GET /payments/{bookingId}/status']['data']
export type PaymentStatus = Payment['status']
/** What the gateway says of one checkout session, after asking Stripe. */
export type Verification = Operations['GET /sessions/{sessionId}/verify']['data']

/** Whether this status means that the payer's money arrived, whatever became of it afterwards. */
export const IS_RECEIVED: Record<PaymentStatus, boolean> = {
  pending: false,
  processing: false,
  succeeded: true,
  failed: false,
  canceled: false,
  expired: false,
  partially_refunded: true,
  refunded: true,
  disputed: true,
}

/** Whether this status says that the attempt ended without money. */
export const IS_UNPAID_END: Record<PaymentStatus, boolean> = {
  pending: false,
  processing: false,
  succeeded: false,
  failed: true,
  canceled: true,
  expired: true,
  partially_refunded: false,
  refunded: false,
  disputed: false,
}

/**
 * What is known about asking Stripe through `verify`: not asked for, asked and not answered yet, not answerable now,
 * or its answer.
 */
export type VerificationState =
  | { readonly state: 'none' | 'waiting' | 'unavailable' | 'unknown' }
  | { readonly state: 'answered'; readonly answer: Verification }

export type Known = { readonly payment: Payment | null; readonly verification: VerificationState }

/**
 * Whether nothing more is to be waited for. A decline, a cancellation or an expiry settles it only once Stripe was
 * asked: a decline seen first may be followed by a success whose webhook was lost.
 */
export function isSettled({ payment, verification }: Known): boolean {
  if (payment === null) return false
  // A booking that lost its seats is refunded in a moment: worth waiting for.
  if (payment.bookingLost && payment.status === 'succeeded') return false
  if (IS_RECEIVED[payment.status]) return true
  if (!IS_UNPAID_END[payment.status]) return false
  if (verification.state === 'answered') return verification.answer.status !== 'complete'
  return verification.state !== 'waiting' && verification.state !== 'unavailable'
}

/** The newer of two answers about one payment, so that a late answer never turns the page back. */
export function newerOf(known: Payment | null, incoming: Payment): Payment {
  return known !== null && known.version > incoming.version ? known : incoming
}

const SESSION_STATUS: Record<PaymentStatus, Verification['status']> = {
  pending: 'open',
  processing: 'processing',
  succeeded: 'complete',
  failed: 'failed',
  canceled: 'expired',
  expired: 'expired',
  partially_refunded: 'complete',
  refunded: 'complete',
  disputed: 'complete',
}

/** The answer about a payment, for a return that names no session: the same words, about whichever attempt is newest. */
export function verificationOf(payment: Payment): Verification {
  const { bookingId, status, amount, amountMinor, currency, paidAt } = payment
  return {
    sessionId: '',
    bookingId,
    status: SESSION_STATUS[status],
    paymentStatus: status,
    amount,
    amountMinor,
    currency,
    paidAt,
    duplicate: null,
  }
}
