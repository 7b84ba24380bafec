import { declineReason, isRetryable } from './decline.ts'
import type { DeclineReason } from './decline.ts'
import type { Payment, Verification } from '@passerelle/client/payment'
import type { WatchSnapshot } from '@passerelle/client/watch-payment'

export type Received = {
  readonly amountMinor: number
  readonly currency: string
  readonly paidAt: string | null
}

/** What the payer's page shows: always exactly one of these. */
export type PayerView =
  | { readonly kind: 'verifying' }
  /** Longer than usual; nothing is lost. */
  | { readonly kind: 'slow' }
  /** Stripe still waits for the payer on its payment page. */
  | { readonly kind: 'unfinished' }
  /** The bank waits for the payer's approval (3-D Secure was left before its end). */
  | { readonly kind: 'requires_action' }
  | { readonly kind: 'offline' }
  /** The address names nothing, or a token that opens nothing any more. */
  | { readonly kind: 'unknown_link' }
  /** A return address opened where nobody is known: the payment is shown elsewhere. */
  | { readonly kind: 'other_device' }
  | ({ readonly kind: 'paid' } & Received)
  | ({ readonly kind: 'already_paid'; readonly duplicate: Verification['duplicate'] } & Received)
  /** Paid, but the seats had gone to others when the money came. */
  | ({ readonly kind: 'booking_lost' } & Received)
  /** A delayed method: accepted, the money arrives later; `expectedBy` is a calendar day. */
  | { readonly kind: 'processing'; readonly expectedBy: string | null }
  | {
      readonly kind: 'failed'
      readonly reason: DeclineReason
      readonly retryable: boolean
      /** The payer left the payment page after the refusal: the session is still open and holds the seats. */
      readonly mayGiveUp: boolean
    }
  /** The payer came back without paying; the seat is still held. */
  | { readonly kind: 'canceled' }
  /** The payer gave up; the seat is free. */
  | { readonly kind: 'released' }
  | { readonly kind: 'expired' }
  | ({
      readonly kind: 'refunded'
      readonly refundedMinor: number
      readonly refundedAt: string | null
      readonly isFull: boolean
    } & Received)

export type ViewInput = Pick<WatchSnapshot, 'payment' | 'verification' | 'problem' | 'online' | 'slow'> & {
  /** Which of the lesson's two return pages the payer stands on, or a status link. */
  readonly arrival: 'success' | 'cancel' | 'link'
  /** Whether the address named a payment at all. */
  readonly isNamed: boolean
  /** Whether the payer gave the booking up on this page, and the gateway agreed. */
  readonly hasGivenUp: boolean
}

/** The one word for what is known. Money that arrived wins over everything; a failed read is never a failed payment. */
export function payerView(input: ViewInput): PayerView {
  const { payment, verification } = input
  const answer = verification.state === 'answered' ? verification.answer : null
  if (payment) {
    const settled = receivedView(payment, input)
    if (settled) return settled
  }
  if (answer?.status === 'complete') return { kind: 'paid', ...moneyOf(answer) }
  if (!input.isNamed) return { kind: 'unknown_link' }
  if (input.problem === 'unknown' && payment === null)
    return { kind: input.arrival === 'link' ? 'unknown_link' : 'other_device' }
  if (input.hasGivenUp && payment?.status !== 'processing') return { kind: 'released' }
  const isAskingStripe = verification.state === 'waiting' || verification.state === 'unavailable'
  const ended = payment && !isAskingStripe ? unpaidEndView(payment, input) : null
  if (ended) return ended
  if (payment?.status === 'processing' || answer?.status === 'processing')
    return { kind: 'processing', expectedBy: payment?.expectedBy ?? null }
  return waitingView(input, answer)
}

/** Nothing has come to an end yet. */
function waitingView(input: ViewInput, answer: Verification | null): PayerView {
  const { payment } = input
  if (input.problem === 'unavailable' && !input.online) return { kind: 'offline' }
  if (payment?.nextAction === 'authenticate' && input.verification.state !== 'waiting')
    return { kind: 'requires_action' }
  if (payment && input.arrival === 'cancel') return { kind: 'canceled' }
  if (payment && input.arrival === 'link') return { kind: 'unfinished' }
  if (!input.slow) return { kind: 'verifying' }
  return { kind: answer?.status === 'open' ? 'unfinished' : 'slow' }
}

function receivedView(payment: Payment, input: ViewInput): PayerView | null {
  const money = moneyOf(payment)
  switch (payment.status) {
    case 'succeeded':
    case 'disputed': {
      if (payment.bookingLost) return { kind: 'booking_lost', ...money }
      const duplicate = duplicateOf(input)
      const isOther = duplicate !== null || input.arrival === 'cancel'
      return isOther ? { kind: 'already_paid', duplicate, ...money } : { kind: 'paid', ...money }
    }
    case 'refunded':
    case 'partially_refunded':
      return {
        kind: 'refunded',
        refundedMinor: payment.refundedAmountMinor,
        refundedAt: payment.refundedAt,
        isFull: payment.status === 'refunded',
        ...money,
      }
    case 'pending':
    case 'processing':
    case 'failed':
    case 'canceled':
    case 'expired':
      return null
    default:
      return payment.status satisfies never
  }
}

function duplicateOf({ verification }: ViewInput): Verification['duplicate'] {
  if (verification.state !== 'answered') return null
  const { duplicate, status } = verification.answer
  // An expired session cannot have been paid: another one of this booking was.
  return duplicate ?? (status === 'expired' ? 'not_charged' : null)
}

function unpaidEndView(payment: Payment, { arrival }: ViewInput): PayerView | null {
  if (payment.status === 'canceled') return { kind: 'released' }
  if (payment.status === 'expired') return { kind: 'expired' }
  if (payment.status !== 'failed') return null
  const reason = declineReason(payment.errorCode, payment.adviceCode)
  return { kind: 'failed', reason, retryable: isRetryable(reason), mayGiveUp: arrival === 'cancel' }
}

function moneyOf(source: Received): Received {
  return { amountMinor: source.amountMinor, currency: source.currency, paidAt: source.paidAt }
}

/** Whether the page has come to rest, so that the heading may take the focus without being taken away again. */
export const IS_AT_REST: Record<PayerView['kind'], boolean> = {
  verifying: false,
  slow: false,
  offline: false,
  unfinished: true,
  requires_action: true,
  unknown_link: true,
  other_device: true,
  paid: true,
  already_paid: true,
  booking_lost: true,
  processing: true,
  failed: true,
  canceled: true,
  released: true,
  expired: true,
  refunded: true,
}
