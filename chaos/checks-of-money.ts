// Money: the right amount, once, and none of it lost on the way.
import type { Case, Check } from './case.ts'
import { at, textAt } from './json.ts'
import { expectedOf, groupBy } from './truth.ts'
import type { Truth } from './truth.ts'

type PaymentRow = Case['evidence']['rows']['payments'][number]

export const checksOfMoney: readonly Check[] = [
  {
    name: 'P4 rows are the truth',
    promise: 'status, amounts and the paying intent of every payment are what Stripe says',
    violations: (examined) =>
      [...examined.truths.values()].flatMap((truth) => rowAgainstTruth(examined, truth)),
  },
  {
    name: 'P4 records are the truth',
    promise: 'refunds and disputes are stored as Stripe has them, all of them and no others',
    violations: (examined) => [
      ...mirrorAgainstTruth(examined, 'refunds', ({ refunds }) => refunds),
      ...mirrorAgainstTruth(examined, 'disputes', ({ disputes }) => disputes),
    ],
  },
  {
    name: 'P7 no double charge',
    promise:
      'one attempt makes one session, one booking has one open session, a second payment goes back once',
    violations: (examined) => [...sessionsDoubled(examined), ...secondPayments(examined)],
  },
  {
    name: 'P7 refunds once',
    promise: 'one request makes one refund for what was asked, however often it was sent',
    violations: (examined) => [...refundsDoubled(examined), ...refundAnswers(examined)],
  },
  {
    name: 'P8 money conserved',
    promise: "every posting balances, and the ledger's balance of every payment is Stripe's",
    violations: (examined) => [...unbalanced(examined), ...ledgerAgainstStripe(examined)],
  },
  {
    name: 'P9 amount integrity',
    promise: 'what is paid was paid in full, in the currency and for the price of its own booking',
    violations: ({ truths, evidence }) =>
      evidence.rows.payments.flatMap((row) => {
        const truth = truths.get(row.booking_id)
        if (!row.paid) return []
        if (truth === undefined) return [`${row.id} is paid for a booking nobody made`]
        const paidWith = truth.paying.find(({ id }) => id === row.payment_intent_id)
        return paidWith === undefined
          ? [`${row.id} is paid by ${row.payment_intent_id}, which did not pay its price`]
          : []
      }),
  },
  {
    name: 'incidents as they should be',
    promise: 'every second payment, wrong amount and fraud warning is an incident, and nothing else is',
    violations: incidentsAgainstTruth,
  },
  {
    name: 'P16 callback truth',
    promise: 'no payer was told that a payment is complete that Stripe did not receive',
    violations: ({ evidence, truths }) =>
      evidence.clients.actions
        .filter(
          ({ kind, answered }) =>
            kind === 'verify' && textAt(answered?.body, 'data', 'status') === 'complete',
        )
        .filter(({ bookingId }) => (truths.get(bookingId)?.paying.length ?? 0) === 0)
        .map(({ bookingId, about }) => `${bookingId} was told that ${about} is complete`),
  },
]

const PAID = new Set(['succeeded', 'partially_refunded', 'refunded', 'disputed'])

function rowAgainstTruth({ evidence, payments }: Case, truth: Truth): string[] {
  const row = payments.get(truth.bookingId)
  if (truth.paying.length === 0)
    return row !== undefined && (row.paid || PAID.has(row.status) || row.captured_minor !== 0)
      ? [`${truth.bookingId} is ${row.status}, and Stripe has no payment of it`]
      : []
  if (row === undefined) return [`${truth.bookingId} was paid and is not known`]
  if (!truth.first.some(({ id }) => id === row.payment_intent_id))
    return [`${truth.bookingId} is paid by ${row.payment_intent_id}, not by the first of its payments`]
  const expected = expectedOf(truth, row.payment_intent_id ?? '', evidence.extended)
  const wrong = (what: string, is: unknown, should: unknown): string[] =>
    is === should ? [] : [`${truth.bookingId}: ${what} is ${String(is)}, should be ${String(should)}`]
  return [
    ...wrong('status', row.status, expected.status),
    ...wrong('captured', row.captured_minor, truth.priceMinor),
    ...wrong('refunded', row.refunded_minor, Math.min(expected.refundedMinor, truth.priceMinor)),
    ...wrong('amount', row.amount_minor, truth.priceMinor),
    ...wrong('currency', row.currency, truth.currency),
  ]
}

type StripeRecord = { readonly id: string; readonly status: string; readonly amount: number }

function mirrorAgainstTruth(
  { evidence, truths }: Case,
  table: 'refunds' | 'disputes',
  recordsOf: (truth: Truth) => readonly StripeRecord[],
): string[] {
  const rows = new Map(evidence.rows[table].map((row) => [row.id, row]))
  const records = new Map([...truths.values()].flatMap(recordsOf).map((record) => [record.id, record]))
  return [
    ...[...records.values()].flatMap(({ id, status, amount }) => {
      const row = rows.get(id)
      if (row === undefined) return [`${id} is ${status} at Stripe and not stored`]
      return row.status === status && row.amount_minor === amount
        ? []
        : [`${id} is ${row.status} of ${row.amount_minor} here, ${status} of ${amount} at Stripe`]
    }),
    ...[...rows.keys()].filter((id) => !records.has(id)).map((id) => `${id} is stored and unknown to Stripe`),
  ]
}

function sessionsDoubled({ evidence }: Case): string[] {
  const named = evidence.stripe.sessions.filter(({ metadata }) => metadata['attempt_id'] !== undefined)
  const byAttempt = groupBy(named, ({ metadata }) => metadata['attempt_id'] ?? '')
  const open = groupBy(
    named.filter(({ status }) => status === 'open'),
    ({ metadata }) => metadata['booking_id'] ?? '',
  )
  return [
    ...[...byAttempt]
      .filter(([, list]) => list.length > 1)
      .map(([id, list]) => `attempt ${id} made ${list.length} sessions`),
    ...[...open]
      .filter(([, list]) => list.length > 1)
      .map(([id, list]) => `${id} has ${list.length} sessions open`),
  ]
}

function secondPayments({ truths, payments }: Case): string[] {
  return [...truths.values()].flatMap((truth) => {
    const kept = payments.get(truth.bookingId)?.payment_intent_id
    return truth.paying
      .filter(({ id }) => id !== kept)
      .flatMap(({ id }) => {
        const back = truth.refunds.filter((it) => it.paymentIntent === id && it.status === 'succeeded')
        const sum = back.reduce((total, { amount }) => total + amount, 0)
        return sum === truth.priceMinor && back.length === 1
          ? []
          : [`${truth.bookingId} was paid again by ${id}, of which ${back.length} refunds gave ${sum} back`]
      })
  })
}

function refundsDoubled({ evidence }: Case): string[] {
  const made = groupBy(
    evidence.stripe.refunds.filter(({ metadata }) => metadata['refund_request_id'] !== undefined),
    ({ metadata }) => metadata['refund_request_id'] ?? '',
  )
  return evidence.rows.refundRequests.flatMap(({ id, state, amount_minor: amount, refund_id: refundId }) => {
    const refunds = made.get(id) ?? []
    if (state === 'refused') return refunds.length === 0 ? [] : [`request ${id} was refused and made`]
    if (state !== 'made') return []
    const [refund] = refunds
    if (refunds.length !== 1 || refund === undefined) return [`request ${id} made ${refunds.length} refunds`]
    return refund.id === refundId && refund.amount === amount
      ? []
      : [`request ${id} for ${amount} is ${refundId}, Stripe has ${refund.id} of ${refund.amount}`]
  })
}

/** What clients were answered is what happened. */
function refundAnswers({ evidence }: Case): string[] {
  const refunds = new Map(evidence.stripe.refunds.map((refund) => [refund.id, refund]))
  const asked = evidence.clients.actions.filter(({ kind }) => kind === 'refund')
  return [...groupBy(asked, ({ about }) => about)].flatMap(([key, actions]) => {
    const ids = new Set(
      actions
        .filter(({ answered }) => answered?.status === 200)
        .map(({ answered }) => textAt(answered?.body, 'data', 'refundId')),
    )
    const [id = ''] = ids
    const refund = refunds.get(id)
    const wanted = actions[0]?.askedMinor ?? null
    return [
      ...(ids.size <= 1 ? [] : [`key ${key} was answered with ${ids.size} refunds`]),
      ...(ids.size === 0 || refund !== undefined
        ? []
        : [`key ${key} was answered with ${id}, which Stripe does not have`]),
      ...(refund === undefined || wanted === null || refund.amount === wanted
        ? []
        : [`key ${key} asked for ${wanted} and gave ${refund.amount} back`]),
      ...actions
        .filter(({ answered }) => answered?.status === 200 && refund !== undefined)
        .filter(({ answered }) => at(answered?.body, 'data', 'amountMinor') !== refund?.amount)
        .map(() => `key ${key} was answered with another amount than ${refund?.amount}`),
    ]
  })
}

function unbalanced({ evidence }: Case): string[] {
  return [...groupBy(evidence.rows.ledger, ({ posting }) => posting)].flatMap(([posting, entries]) => {
    const sum = entries.reduce((total, entry) => total + entry.amount_minor, 0)
    return sum === 0 && entries.length >= 2 ? [] : [`posting ${posting} sums to ${sum}`]
  })
}

function ledgerAgainstStripe({ evidence, truths, payments }: Case): string[] {
  const entries = groupBy(evidence.rows.ledger, (row) => row.payment_id)
  return [...truths.values()].flatMap((truth) => {
    const row: PaymentRow | undefined = payments.get(truth.bookingId)
    const own = entries.get(row?.id ?? '') ?? []
    const wrong = (account: string, should: number): string[] => {
      const is = own
        .filter((entry) => entry.account === account)
        .reduce((sum, entry) => sum + entry.amount_minor, 0)
      return is === should ? [] : [`${truth.bookingId}: ${account} is ${is}, Stripe says ${should}`]
    }
    const fees = truth.transactions.reduce((sum, { fee }) => sum + fee, 0)
    const moved = truth.transactions.reduce((sum, { amount }) => sum + amount, 0)
    return [...wrong('stripe_balance', moved - fees), ...wrong('stripe_fees', fees)]
  })
}

function incidentsAgainstTruth({ evidence, truths, payments }: Case): string[] {
  const poison = new Set(
    evidence.clients.actions.filter(({ kind }) => kind === 'poison').map(({ about }) => about),
  )
  const raised = new Set(
    evidence.rows.incidents
      .filter(({ kind, subject }) => !(kind === 'event_held' && poison.has(subject)))
      .map(({ kind, subject }) => `${kind} ${subject}`),
  )
  const wanted = new Set([
    ...evidence.stripe.early_fraud_warnings.map(({ id }) => `early_fraud_warning ${id}`),
    ...[...truths.values()].flatMap((truth) => {
      const kept = payments.get(truth.bookingId)?.payment_intent_id
      return truth.received
        .filter(({ id }) => id !== kept || truth.paying.length === 0)
        .map(
          (intent) =>
            `${truth.paying.includes(intent) ? 'duplicate_payment' : 'amount_mismatch'} ${intent.id}`,
        )
    }),
  ])
  return [
    ...[...wanted]
      .filter((incident) => !raised.has(incident))
      .map((incident) => `nobody was told: ${incident}`),
    ...[...raised]
      .filter((incident) => !wanted.has(incident))
      .map((incident) => `a false alarm: ${incident}`),
  ]
}
