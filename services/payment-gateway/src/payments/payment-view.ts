import type {
  DuplicateState,
  PaymentView,
  SessionStatus,
  SessionVerification,
} from '@passerelle/contracts/payment'
import { toDecimal } from '@passerelle/contracts/money'
import { toldDecline } from './declines.ts'
import { succeededRefunds } from './payment.ts'
import type { Payment } from './payment.repository.ts'

/** The body of `GET /payments/:bookingId/status` and of the stream's events. */
export function paymentView(payment: Payment): PaymentView {
  const { currency } = payment
  return {
    bookingId: payment.bookingId,
    status: payment.status,
    amount: toDecimal(payment),
    amountMinor: payment.amountMinor,
    currency,
    paidAt: payment.paidAt?.toISOString() ?? null,
    refundedAmount: toDecimal({ amountMinor: payment.refundedMinor, currency }),
    refundedAmountMinor: payment.refundedMinor,
    refundedAt: refundedAt(payment),
    ...toldDecline(payment, currentIntent(payment)?.decline?.advice ?? null),
    nextAction: currentIntent(payment)?.state === 'requires_action' ? 'authenticate' : null,
    expectedBy: expectedBy(payment),
    bookingLost: payment.bookingLost,
    updatedAt: payment.updatedAt.toISOString(),
    version: payment.version,
  }
}

function currentIntent({ known, paymentIntentId }: Payment): Payment['known']['intents'][string] | undefined {
  return paymentIntentId === null ? undefined : known.intents[paymentIntentId]
}

function refundedAt(payment: Payment): string | null {
  if (payment.refundedMinor === 0 || payment.paymentIntentId === null) return null
  const last = succeededRefunds(payment.known, payment.paymentIntentId).at(-1)
  return last === undefined ? null : new Date(last.createdAt * 1000).toISOString()
}

// Bank debits, the slowest of the delayed methods, take about five business days (docs.stripe.com/payments/sepa-debit).
const PROCESSING_BUSINESS_DAYS = 5

function expectedBy(payment: Payment): string | null {
  const intent = currentIntent(payment)
  if (payment.status !== 'processing' || intent?.state !== 'processing') return null
  return addBusinessDays(new Date(intent.stateAt.second * 1000), PROCESSING_BUSINESS_DAYS)
}

/** The calendar day `days` business days later, in UTC; banks do not work at weekends. */
export function addBusinessDays(from: Date, days: number): string {
  const date = new Date(from)
  for (let left = days; left > 0;) {
    date.setUTCDate(date.getUTCDate() + 1)
    if (date.getUTCDay() !== 0 && date.getUTCDay() !== 6) left -= 1
  }
  return date.toISOString().slice(0, 10)
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
    duplicate: duplicateState(sessionId, payment),
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

/** What became of this session when another one had paid for the booking; null when this one paid, or none did. */
function duplicateState(sessionId: string, payment: Payment): DuplicateState | null {
  if (payment.paidAt === null) return null
  const { known, paymentIntentId } = payment
  const intentId = known.sessions[sessionId]?.intentId ?? null
  if (intentId !== null && intentId === paymentIntentId) return null
  const received = intentId === null ? 0 : (known.intents[intentId]?.receivedMinor ?? 0)
  if (intentId === null || received === 0) return isOver(sessionId, payment) ? 'not_charged' : null
  const back = succeededRefunds(known, intentId).reduce((sum, refund) => sum + refund.amountMinor, 0)
  return back >= received ? 'refunded' : 'refunding'
}

// A session whose intent is not known yet may be the very one that paid.
function isOver(sessionId: string, { known }: Payment): boolean {
  return known.sessions[sessionId]?.state === 'expired'
}

/** Whether Stripe may still know something that would change the answer. */
export function isSettled(payment: Payment): boolean {
  return payment.paidAt !== null || payment.status === 'expired' || payment.status === 'canceled'
}
