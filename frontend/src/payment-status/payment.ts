import type { PaymentStatus, PaymentView, SessionVerification } from '@passerelle/contracts/payment'

/** What the gateway last said of a payment. */
export type Payment = PaymentView
export type Verification = SessionVerification

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
 * Whether nothing further is to be waited for. A refusal counts only once Stripe itself was asked, if it is to be
 * asked: a decline seen first may be followed by a success whose webhook was lost.
 */
export function isSettled({ payment, verification }: Known): boolean {
  if (payment === null) return false
  if (IS_RECEIVED[payment.status]) return true
  if (!IS_UNPAID_END[payment.status]) return false
  if (verification.state === 'answered') return verification.answer.status !== 'complete'
  return verification.state !== 'waiting' && verification.state !== 'unavailable'
}

/** The newer of two answers about one payment, so that a late answer never turns the page back. */
export function newerOf(known: Payment | null, incoming: Payment): Payment {
  return known !== null && known.version > incoming.version ? known : incoming
}
