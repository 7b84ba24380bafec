// What was acknowledged is there, nothing is stranded, nothing stands in anything's way.
import type { Case, Check } from './case.ts'

/** The events that say something about a payment, as Stripe documents them; others may be kept or not. */
const TELLING_TYPES = new Set([
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.processing',
  'payment_intent.canceled',
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'checkout.session.expired',
  'charge.refunded',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
  'radar.early_fraud_warning.created',
])

const PAID_STATUSES = new Set(['succeeded', 'partially_refunded', 'refunded', 'disputed'])
// The times of an answer are whole milliseconds.
const ROUNDING_MS = 2

export const checksOfStorage: readonly Check[] = [
  {
    name: 'P1 durable acknowledgement',
    promise: 'an event answered 2xx was stored before the answer left',
    violations: ({ evidence }) => {
      const stored = new Map(evidence.rows.events.map((row) => [row.id, row]))
      const acked = [
        ...evidence.stripe.deliveries.flatMap(({ event, attempts }) =>
          attempts
            .filter(({ status }) => status !== null && status >= 200 && status < 300)
            .map(({ at }) => ({ event, atMs: Date.parse(at) })),
        ),
        ...evidence.clients.actions
          .filter(({ kind, answered }) => kind === 'poison' && answered?.status === 200)
          .map(({ about, atMs }) => ({ event: about, atMs })),
      ]
      return acked.flatMap(({ event, atMs }) => {
        const row = stored.get(event)
        if (row === undefined) return [`${event} was acknowledged and is not stored`]
        return row.received_ms > atMs + ROUNDING_MS
          ? [`${event} was acknowledged ${Math.round(row.received_ms - atMs)} ms before it was stored`]
          : []
      })
    },
  },
  {
    name: 'P3 nothing stranded',
    promise: 'nothing waits for ever: events, deliveries, attempts, refund requests, fees',
    violations: (examined) => [...strandedEvents(examined), ...strandedWork(examined)],
  },
  {
    name: 'P5 no regression',
    promise:
      'versions only grow, every transition begins where the last ended, a paid payment never becomes unpaid',
    violations: ({ evidence }) => {
      const last = new Map<string, { version: number; to_status: string }>()
      return evidence.rows.transitions.flatMap((row) => {
        const before = last.get(row.payment_id) ?? { version: 0, to_status: 'pending' }
        last.set(row.payment_id, row)
        const name = `${row.payment_id} ${row.from_status} → ${row.to_status} (version ${row.version})`
        return [
          ...(row.version > before.version ? [] : [`${name} is not newer than version ${before.version}`]),
          ...(row.from_status === before.to_status ? [] : [`${name} begins where ${before.to_status} was`]),
          ...(PAID_STATUSES.has(row.from_status) && !PAID_STATUSES.has(row.to_status)
            ? [`${name} steps back`]
            : []),
        ]
      })
    },
  },
  {
    name: 'P12 poison isolated',
    promise: 'an event that cannot be read is acknowledged, kept and changes nothing',
    violations: ({ evidence }) => {
      const stored = new Map(evidence.rows.events.map((row) => [row.id, row]))
      return evidence.clients.actions
        .filter(({ kind }) => kind === 'poison')
        .flatMap(({ about, answered }) => {
          const status = stored.get(about)?.status ?? 'missing'
          // Nobody took it in while its sender had patience: nothing was promised.
          if (answered === null) return []
          if (answered.status !== 200) return [`${about} was answered ${answered.status}`]
          return status === 'failed' || status === 'skipped' ? [] : [`${about} is ${status}`]
        })
    },
  },
  {
    name: 'P17 lost webhooks healed',
    promise: 'every event Stripe has about a payment is in the inbox, delivered or not',
    violations: ({ evidence }) => {
      const stored = new Set(evidence.rows.events.map(({ id }) => id))
      return evidence.stripe.events
        .filter(({ id, type }) => TELLING_TYPES.has(type) && !stored.has(id))
        .map(({ id, type }) => `${type} ${id} never came`)
    },
  },
  {
    name: 'no process died',
    promise: 'no process ends by itself, whatever is cut off from it',
    violations: ({ evidence }) => evidence.unexpectedEnds,
  },
]

function strandedEvents({ evidence }: Case): string[] {
  const poison = new Set(
    evidence.clients.actions.filter(({ kind }) => kind === 'poison').map(({ about }) => about),
  )
  return evidence.rows.events
    .filter(({ id, status }) => (status === 'received' || status === 'failed') && !poison.has(id))
    .map(({ id, status, reason }) => `event ${id} is ${status} (${reason ?? 'no reason'})`)
}

function strandedWork({ evidence }: Case): string[] {
  const { attempts, deliveries, refundRequests, feesDue } = evidence.rows
  const sessions = new Map(evidence.stripe.sessions.map((session) => [session.id, session.status]))
  return [
    ...deliveries
      .filter(({ status }) => status !== 'delivered')
      .map((row) => `delivery ${row.booking_id} version ${row.version} is ${row.status}`),
    ...attempts
      .filter(({ state }) => state === 'creating')
      .map(({ id }) => `attempt ${id} was never finished`),
    ...attempts
      .filter(({ state, session_id: id }) => state === 'open' && id !== null && sessions.get(id) !== 'open')
      .map(({ id, session_id }) => `attempt ${id} is open, its session ${session_id} is over`),
    ...refundRequests
      .filter(({ state }) => state === 'requested')
      .map(({ id }) => `refund request ${id} was never made`),
    ...feesDue.map(({ charge_id: id }) => `the fee of ${id} was never read`),
  ]
}
