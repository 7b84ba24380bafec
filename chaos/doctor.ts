// Ways to falsify good evidence, one per kind of harm: the checker must notice each of them.
import type { Evidence, GatewayRows, StripeRecords } from './evidence.ts'

export type Doctoring = {
  readonly what: string
  readonly caughtBy: string
  readonly doctor: (evidence: Evidence) => Evidence
}

/** Takes the one item out that fits. */
function without<T>(items: readonly T[], fits: (item: T) => boolean): readonly T[] {
  const index = items.findIndex(fits)
  if (index < 0) throw new Error('there is nothing to doctor')
  return items.toSpliced(index, 1)
}

/** Changes the one item that fits. */
function changed<T>(
  items: readonly T[],
  fits: (item: T) => boolean,
  change: (item: T) => Partial<T>,
): readonly T[] {
  const index = items.findIndex(fits)
  const item = items[index]
  if (item === undefined) throw new Error('there is nothing to doctor')
  return items.with(index, { ...item, ...change(item) })
}

const withRows = (evidence: Evidence, rows: Partial<GatewayRows>): Evidence => ({
  ...evidence,
  rows: { ...evidence.rows, ...rows },
})
const withStripe = (evidence: Evidence, stripe: Partial<StripeRecords>): Evidence => ({
  ...evidence,
  stripe: { ...evidence.stripe, ...stripe },
})

/** As if the last call had been followed by one with this status. */
function toldAlso({ told }: Evidence, status: string): Evidence['told'] {
  const last = told.at(-1)
  if (last === undefined) throw new Error('there is nothing to doctor')
  return [...told, { ...last, body: { ...last.body, status }, answered: 503 }]
}

const ackedEvent = ({ stripe }: Evidence): string =>
  stripe.deliveries.find(({ attempts }) => attempts.some(({ status }) => status === 200))?.event ?? ''

export const DOCTORINGS: readonly Doctoring[] = [
  {
    what: 'an acknowledged event is not in the inbox',
    caughtBy: 'P1 durable acknowledgement',
    doctor: (it) => withRows(it, { events: without(it.rows.events, ({ id }) => id === ackedEvent(it)) }),
  },
  {
    what: 'an event was stored after it was acknowledged',
    caughtBy: 'P1 durable acknowledgement',
    doctor: (it) =>
      withRows(it, {
        events: changed(
          it.rows.events,
          ({ id }) => id === ackedEvent(it),
          (row) => ({ received_ms: row.received_ms + 600_000 }),
        ),
      }),
  },
  {
    what: 'a delivery is left pending',
    caughtBy: 'P3 nothing stranded',
    doctor: (it) =>
      withRows(it, {
        deliveries: changed(
          it.rows.deliveries,
          () => true,
          () => ({ status: 'pending' }),
        ),
      }),
  },
  {
    what: 'an event is left owed',
    caughtBy: 'P3 nothing stranded',
    doctor: (it) =>
      withRows(it, {
        events: changed(
          it.rows.events,
          ({ status }) => status === 'processed',
          () => ({ status: 'received' }),
        ),
      }),
  },
  {
    what: 'a refund was promised and never made',
    caughtBy: 'P3 nothing stranded',
    doctor: (it) =>
      withRows(it, {
        refundRequests: changed(
          it.rows.refundRequests,
          ({ state }) => state === 'made',
          () => ({ state: 'requested' }),
        ),
      }),
  },
  {
    what: 'a paid payment went back to pending',
    caughtBy: 'P5 no regression',
    doctor: (it) => {
      const paid = it.rows.transitions.findLast(({ to_status: to }) => to === 'succeeded')
      if (paid === undefined) throw new Error('there is nothing to doctor')
      const back = { ...paid, version: paid.version + 1000, from_status: 'succeeded', to_status: 'pending' }
      return withRows(it, { transitions: [...it.rows.transitions, back] })
    },
  },
  {
    what: 'an event that cannot be read was applied',
    caughtBy: 'P12 poison isolated',
    doctor: (it) => {
      const poison = new Set(
        it.clients.actions.filter(({ kind }) => kind === 'poison').map(({ about }) => about),
      )
      return withRows(it, {
        events: changed(
          it.rows.events,
          ({ id }) => poison.has(id),
          () => ({ status: 'processed' }),
        ),
      })
    },
  },
  {
    what: 'an event that Stripe did not deliver was never found',
    caughtBy: 'P17 lost webhooks healed',
    doctor: (it) => {
      const missed = it.stripe.events.find(({ type }) => type === 'payment_intent.succeeded')?.id
      return withRows(it, { events: without(it.rows.events, ({ id }) => id === missed) })
    },
  },
  {
    what: 'a gateway ended by itself',
    caughtBy: 'no process died',
    doctor: (it) => ({ ...it, unexpectedEnds: ['gateway-1 ended by itself (exit code 1)'] }),
  },
  {
    what: 'an announcement came without its key',
    caughtBy: 'P2 one effect per announcement',
    doctor: (it) => ({
      ...it,
      told: changed(
        it.told,
        () => true,
        () => ({ key: null }),
      ),
    }),
  },
  {
    what: 'a copy of an announcement says something else',
    caughtBy: 'P2 one effect per announcement',
    doctor: (it) => {
      const [first] = it.told
      if (first === undefined) throw new Error('there is nothing to doctor')
      return { ...it, told: [...it.told, { ...first, body: { ...first.body, amountMinor: 1 } }] }
    },
  },
  {
    what: 'an announcement took effect twice',
    caughtBy: 'P2 one effect per announcement',
    doctor: (it) => {
      const update = it.updates.find(({ applied }) => applied)
      if (update === undefined) throw new Error('there is nothing to doctor')
      return { ...it, updates: [...it.updates, update] }
    },
  },
  {
    what: 'the second announcement was told before the first was taken in',
    caughtBy: 'P6 order per booking',
    doctor: (it) => ({
      ...it,
      told: changed(
        it.told,
        ({ body }) => body['version'] === 2,
        () => ({ arrivedMs: 0 }),
      ),
    }),
  },
  {
    what: 'an announcement was never written',
    caughtBy: 'P6 versions without gaps',
    doctor: (it) => withRows(it, { deliveries: without(it.rows.deliveries, () => true) }),
  },
  {
    what: 'an announcement had no effect',
    caughtBy: 'P6 versions without gaps',
    doctor: (it) => ({ ...it, updates: without(it.updates, ({ applied }) => applied) }),
  },
  {
    what: 'a refunded booking still believes it is confirmed',
    caughtBy: 'P6 the truth is told',
    doctor: (it) => ({
      ...it,
      bookings: changed(
        it.bookings,
        ({ status }) => status === 'cancelled',
        () => ({ status: 'confirmed' }),
      ),
    }),
  },
  {
    what: 'a booking never heard that it is paid',
    caughtBy: 'P6 the truth is told',
    doctor: (it) => {
      const bookingId = it.told[0]?.bookingId
      return { ...it, told: it.told.filter((call) => call.bookingId !== bookingId) }
    },
  },
  {
    what: 'a service that knows only the words of the lesson hears of a refused payment',
    caughtBy: 'P6 the truth is told',
    doctor: (it) => ({ ...it, told: toldAlso(it, 'payment_failed') }),
  },
  {
    what: 'a service that knows only the words of the lesson hears of an open dispute',
    caughtBy: 'P6 the truth is told',
    doctor: (it) => ({ ...it, told: toldAlso(it, 'disputed') }),
  },
  {
    what: 'a service that knows refused payments and open disputes never heard of them',
    caughtBy: 'P6 the truth is told',
    doctor: (it) => ({ ...it, extended: true }),
  },
  {
    what: 'the booking was told the same twice',
    caughtBy: 'never told the same twice',
    doctor: (it) => {
      const [first] = it.rows.deliveries
      if (first === undefined) throw new Error('there is nothing to doctor')
      return withRows(it, { deliveries: [first, { ...first, version: 2 }, ...it.rows.deliveries] })
    },
  },
  {
    what: 'the booking service refused what it was told',
    caughtBy: 'nothing refused',
    doctor: (it) => ({
      ...it,
      told: changed(
        it.told,
        () => true,
        () => ({ serviceAnswered: 409 }),
      ),
    }),
  },
  {
    what: 'an announcement had been lost and was written later',
    caughtBy: 'nothing had to be mended',
    doctor: (it) =>
      withRows(it, { drift: [...it.rows.drift, { kind: 'announcement_missing', subject: 'bkg_any' }] }),
  },
  {
    what: 'a paid booking is unknown',
    caughtBy: 'P4 rows are the truth',
    doctor: (it) => withRows(it, { payments: without(it.rows.payments, ({ paid }) => paid) }),
  },
  {
    what: 'a refund is counted twice',
    caughtBy: 'P4 rows are the truth',
    doctor: (it) =>
      withRows(it, {
        payments: changed(
          it.rows.payments,
          ({ status }) => status === 'partially_refunded',
          (row) => ({ refunded_minor: row.refunded_minor * 2 }),
        ),
      }),
  },
  {
    what: 'a refund of the Dashboard was never heard of',
    caughtBy: 'P4 records are the truth',
    doctor: (it) => withRows(it, { refunds: without(it.rows.refunds, () => true) }),
  },
  {
    what: 'a lost dispute counts as won',
    caughtBy: 'P4 records are the truth',
    doctor: (it) =>
      withRows(it, {
        disputes: changed(
          it.rows.disputes,
          ({ status }) => status === 'lost',
          () => ({ status: 'won' }),
        ),
      }),
  },
  {
    what: 'one attempt made two sessions',
    caughtBy: 'P7 no double charge',
    doctor: (it) => {
      const session = it.stripe.sessions.find(({ metadata }) => metadata['attempt_id'] !== undefined)
      if (session === undefined) throw new Error('there is nothing to doctor')
      return withStripe(it, { sessions: [...it.stripe.sessions, { ...session, id: 'cs_second' }] })
    },
  },
  {
    what: 'a second payment was kept',
    caughtBy: 'P7 no double charge',
    doctor: (it) => {
      const second = it.rows.refundRequests.find(({ idempotency_key: key }) => key.startsWith('duplicate '))
      return withStripe(it, {
        refunds: it.stripe.refunds.filter(({ paymentIntent }) => paymentIntent !== second?.payment_intent_id),
      })
    },
  },
  {
    what: 'one request made two refunds',
    caughtBy: 'P7 refunds once',
    doctor: (it) => {
      const refund = it.stripe.refunds.find(({ metadata }) => metadata['refund_request_id'] !== undefined)
      if (refund === undefined) throw new Error('there is nothing to doctor')
      return withStripe(it, { refunds: [...it.stripe.refunds, { ...refund, id: 're_second' }] })
    },
  },
  {
    what: 'an operator was answered with a refund that is not there',
    caughtBy: 'P7 refunds once',
    doctor: (it) => ({
      ...it,
      clients: {
        ...it.clients,
        actions: changed(
          it.clients.actions,
          ({ kind, answered }) => kind === 'refund' && answered?.status === 200,
          () => ({ answered: { status: 200, body: { data: { refundId: 're_nowhere', amountMinor: 1 } } } }),
        ),
      },
    }),
  },
  {
    what: 'a ledger entry is missing',
    caughtBy: 'P8 money conserved',
    doctor: (it) => withRows(it, { ledger: without(it.rows.ledger, () => true) }),
  },
  {
    what: 'a whole posting is missing',
    caughtBy: 'P8 money conserved',
    doctor: (it) => {
      const posting = it.rows.ledger.find((entry) => entry.posting.startsWith('refund '))?.posting
      return withRows(it, { ledger: it.rows.ledger.filter((entry) => entry.posting !== posting) })
    },
  },
  {
    what: 'a payment is confirmed by money of another booking',
    caughtBy: 'P9 amount integrity',
    doctor: (it) => {
      const other = it.rows.payments.findLast(({ paid }) => paid)?.payment_intent_id ?? null
      return withRows(it, {
        payments: changed(
          it.rows.payments,
          ({ paid }) => paid,
          () => ({ payment_intent_id: other }),
        ),
      })
    },
  },
  {
    what: 'too little money paid',
    caughtBy: 'P9 amount integrity',
    doctor: (it) =>
      withStripe(it, {
        payment_intents: changed(
          it.stripe.payment_intents,
          ({ id }) => it.rows.payments.some((row) => row.payment_intent_id === id && row.paid),
          (intent) => ({ amountReceived: intent.amountReceived - 1 }),
        ),
      }),
  },
  {
    what: 'nobody was told of a second payment',
    caughtBy: 'incidents as they should be',
    doctor: (it) =>
      withRows(it, { incidents: without(it.rows.incidents, ({ kind }) => kind === 'duplicate_payment') }),
  },
  {
    what: 'an incident was raised for nothing',
    caughtBy: 'incidents as they should be',
    doctor: (it) =>
      withRows(it, {
        incidents: [...it.rows.incidents, { kind: 'delivery_dead', subject: 'dlv_any', payment_id: null }],
      }),
  },
  {
    what: 'a payer was told that an unpaid payment is complete',
    caughtBy: 'P16 callback truth',
    doctor: (it) => {
      const [template] = it.clients.actions
      const unpaid = it.bookings.find(({ status }) => status === 'pending')
      if (template === undefined || unpaid === undefined) throw new Error('there is nothing to doctor')
      const answered = { status: 200, body: { data: { status: 'complete' } } }
      const lie = { ...template, kind: 'verify' as const, bookingId: unpaid.id, answered }
      return { ...it, clients: { ...it.clients, actions: [...it.clients.actions, lie] } }
    },
  },
]
