// What must have come of every booking, worked out from Stripe's records alone.
import type {
  Evidence,
  StripeDispute,
  StripeIntent,
  StripeRefund,
  StripeSession,
  StripeTransaction,
} from './evidence.ts'

/** What Stripe's records say of one booking. */
export type Truth = {
  readonly bookingId: string
  readonly priceMinor: number
  readonly currency: string
  /** Every intent money was received on. */
  readonly received: readonly StripeIntent[]
  /** Those of them that received exactly the price. */
  readonly paying: readonly StripeIntent[]
  /** The one that is the payment; of several within one second any of these may be it. */
  readonly first: readonly StripeIntent[]
  readonly refunds: readonly StripeRefund[]
  readonly disputes: readonly StripeDispute[]
  /** Whether a payment of it was ever refused. */
  readonly wasRefused: boolean
  /** Whether that is how it ended: its only attempt was refused, may be tried again, and was not. */
  readonly isRefused: boolean
  /** What all of it did to Stripe's balance, fees included. */
  readonly transactions: readonly StripeTransaction[]
}

/** The truth by booking, for every booking anybody made. */
export function truthOf(evidence: Evidence): ReadonlyMap<string, Truth> {
  const { stripe } = evidence
  const intents = groupBy(stripe.payment_intents, ({ metadata }) => metadata['booking_id'] ?? '')
  const refunds = groupBy(stripe.refunds, ({ paymentIntent }) => paymentIntent)
  const disputes = groupBy(stripe.disputes, ({ paymentIntent }) => paymentIntent)
  const charges = groupBy(stripe.charges, ({ paymentIntent }) => paymentIntent)
  const transactions = groupBy(stripe.balance_transactions, ({ source }) => source)
  const sessions = groupBy(stripe.sessions, ({ metadata }) => metadata['booking_id'] ?? '')
  const refused = new Set(
    stripe.events
      .filter(({ type }) => type === 'payment_intent.payment_failed')
      .map(({ object }) => object?.id),
  )
  const chargedAt = new Map(stripe.charges.map(({ id, created }) => [id, created]))
  return new Map(
    evidence.bookings.map(({ id, amount_minor: priceMinor, currency }) => {
      const own = intents.get(id) ?? []
      const of = <T>(records: ReadonlyMap<string, readonly T[]>): T[] =>
        own.flatMap((it) => records.get(it.id) ?? [])
      const received = own.filter(
        ({ status, amountReceived }) => status === 'succeeded' && amountReceived > 0,
      )
      const paying = received.filter((it) => it.amountReceived === priceMinor && it.currency === currency)
      const secondOf = (it: StripeIntent): number => chargedAt.get(it.latestCharge ?? '') ?? 0
      const earliest = Math.min(...paying.map(secondOf))
      const sources = [...of(charges), ...of(refunds), ...of(disputes)].map((record) => record.id)
      return [
        id,
        {
          bookingId: id,
          priceMinor,
          currency,
          received,
          paying,
          // A debit is charged when it is begun and succeeds days later: the gateway hears of the success.
          first: paying.filter((it) => secondOf(it) <= earliest + 1),
          refunds: of(refunds),
          disputes: of(disputes),
          wasRefused: own.some((it) => refused.has(it.id)),
          isRefused: isRefused(own, sessions.get(id) ?? []),
          transactions: sources.flatMap((source) => transactions.get(source) ?? []),
        },
      ]
    }),
  )
}

function isRefused(intents: readonly StripeIntent[], sessions: readonly StripeSession[]): boolean {
  const [intent, ...others] = intents
  return (
    intent !== undefined &&
    others.length === 0 &&
    sessions.every((session) => session.paymentIntent === intent.id && session.status !== 'expired') &&
    intent.status === 'requires_payment_method' &&
    intent.lastPaymentError !== null
  )
}

const AWAY = new Set(['needs_response', 'under_review', 'lost'])

export type Expected = {
  readonly status: 'succeeded' | 'partially_refunded' | 'refunded' | 'disputed'
  readonly refundedMinor: number
  /** The last thing the booking service must have heard. */
  readonly announced: 'confirmed' | 'partially_refunded' | 'cancelled' | 'disputed'
}

/** What a booking that was paid by this intent must look like; `extended`: its service is told of open disputes. */
export function expectedOf(truth: Truth, intentId: string, extended: boolean): Expected {
  const given = truth.refunds.filter((it) => it.paymentIntent === intentId && it.status === 'succeeded')
  const refundedMinor = given.reduce((sum, { amount }) => sum + amount, 0)
  const disputes = truth.disputes.filter((it) => it.paymentIntent === intentId)
  const isAway = disputes.some(({ status }) => AWAY.has(status))
  const isLost = disputes.some(({ status }) => status === 'lost')
  const afterRefunds =
    refundedMinor === 0 ? 'succeeded' : refundedMinor < truth.priceMinor ? 'partially_refunded' : 'refunded'
  const announced = {
    succeeded: 'confirmed',
    partially_refunded: 'partially_refunded',
    refunded: 'cancelled',
  } as const
  return {
    status: isAway ? 'disputed' : afterRefunds,
    refundedMinor,
    announced: isLost ? 'cancelled' : isAway && extended ? 'disputed' : announced[afterRefunds],
  }
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
