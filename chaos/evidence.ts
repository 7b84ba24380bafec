// Everything the checker looks at, gathered from outside the gateway: Stripe's records, the tables, and what was heard.
import { ask } from './client.ts'
import type { Database } from './database.ts'
import type { BookedByClient, ClientAction, Told } from './history.ts'
import type { Platform } from './platform.ts'

type Row = Readonly<Record<string, unknown>>
type Metadata = Readonly<Record<string, string>>

export type StripeIntent = {
  readonly id: string
  readonly status: string
  readonly amountReceived: number
  readonly currency: string
  readonly metadata: Metadata
  readonly latestCharge: string | null
  readonly lastPaymentError: Row | null
}
export type StripeSession = {
  readonly id: string
  readonly status: string
  readonly paymentStatus: string
  readonly metadata: Metadata
  readonly paymentIntent: string | null
}
export type StripeCharge = { readonly id: string; readonly created: number; readonly paymentIntent: string }
export type StripeRefund = {
  readonly id: string
  readonly paymentIntent: string
  readonly amount: number
  readonly status: string
  readonly metadata: Metadata
}
export type StripeDispute = {
  readonly id: string
  readonly paymentIntent: string
  readonly amount: number
  readonly status: string
}
export type StripeTransaction = {
  readonly id: string
  readonly amount: number
  readonly fee: number
  readonly currency: string
  readonly source: string
}
export type StripeEvent = {
  readonly id: string
  readonly type: string
  readonly created: number
  readonly object: { readonly id?: string } | null
}
export type StripeWebhook = {
  readonly event: string
  readonly attempts: readonly { readonly at: string; readonly status: number | null }[]
}

/** Stripe's truth. */
export type StripeRecords = {
  readonly payment_intents: readonly StripeIntent[]
  readonly sessions: readonly StripeSession[]
  readonly charges: readonly StripeCharge[]
  readonly refunds: readonly StripeRefund[]
  readonly disputes: readonly StripeDispute[]
  readonly early_fraud_warnings: readonly { readonly id: string }[]
  readonly balance_transactions: readonly StripeTransaction[]
  readonly events: readonly StripeEvent[]
  readonly deliveries: readonly StripeWebhook[]
}

export type PaymentRow = {
  readonly id: string
  readonly booking_id: string
  readonly status: string
  readonly amount_minor: number
  readonly currency: string
  readonly captured_minor: number
  readonly refunded_minor: number
  readonly payment_intent_id: string | null
  readonly paid: boolean
  readonly announced_version: number
  readonly version: number
}
export type DeliveryRow = {
  readonly id: string
  readonly booking_id: string
  readonly version: number
  readonly status: string
  readonly body: Row
  readonly waited_ms: number | null
}
export type EventRow = {
  readonly id: string
  readonly status: string
  readonly source: string
  readonly reason: string | null
  readonly received_ms: number
}
export type LedgerRow = {
  readonly posting: string
  readonly payment_id: string
  readonly account: string
  readonly amount_minor: number
  readonly currency: string
}
export type TransitionRow = {
  readonly payment_id: string
  readonly version: number
  readonly from_status: string
  readonly to_status: string
}
export type AttemptRow = {
  readonly id: string
  readonly payment_id: string
  readonly state: string
  readonly session_id: string | null
}
export type MirrorRow = {
  readonly id: string
  readonly payment_id: string
  readonly status: string
  readonly amount_minor: number
}
export type RefundRequestRow = {
  readonly id: string
  readonly payment_id: string
  readonly payment_intent_id: string
  readonly idempotency_key: string
  readonly amount_minor: number
  readonly state: string
  readonly refund_id: string | null
}
export type IncidentRow = {
  readonly kind: string
  readonly subject: string
  readonly payment_id: string | null
}

/** The gateway's tables, read as anybody with a database client reads them. */
export type GatewayRows = {
  readonly payments: readonly PaymentRow[]
  readonly attempts: readonly AttemptRow[]
  readonly transitions: readonly TransitionRow[]
  readonly events: readonly EventRow[]
  readonly deliveries: readonly DeliveryRow[]
  readonly refunds: readonly MirrorRow[]
  readonly disputes: readonly MirrorRow[]
  readonly refundRequests: readonly RefundRequestRow[]
  readonly ledger: readonly LedgerRow[]
  readonly incidents: readonly IncidentRow[]
  readonly drift: readonly { readonly kind: string; readonly subject: string }[]
  readonly feesDue: readonly { readonly charge_id: string }[]
}

export type BookingRow = {
  readonly id: string
  readonly status: string
  readonly amount_minor: number
  readonly currency: string
  readonly payment_version: number
  readonly refunded_minor: number
}
export type UpdateRow = {
  readonly id: number
  readonly booking_id: string
  readonly version: number
  readonly status: string
  readonly applied: boolean
  readonly reason: string | null
}

export type Evidence = {
  readonly stripe: StripeRecords
  readonly rows: GatewayRows
  readonly bookings: readonly BookingRow[]
  readonly updates: readonly UpdateRow[]
  readonly told: readonly Told[]
  readonly clients: {
    readonly bookings: readonly BookedByClient[]
    readonly actions: readonly ClientAction[]
  }
  readonly unexpectedEnds: readonly string[]
  /** Whether the booking service is told of refused payments and open disputes too. */
  readonly extended: boolean
}

type Seen = Pick<Evidence, 'told' | 'clients' | 'unexpectedEnds' | 'extended'>

export async function collectEvidence(platform: Platform, seen: Seen): Promise<Evidence> {
  const { database } = platform
  // The rows first: what Stripe did since can only be missing here, never be here too early.
  const rows = await gatewayRows(database)
  const bookings = await read<BookingRow>(
    database,
    'select id, status, amount_minor::float8, currency, payment_version::float8, refunded_minor::float8 from booking_management.bookings',
  )
  const updates = await read<UpdateRow>(
    database,
    'select id::float8, booking_id, version::float8, status, applied, reason from booking_management.booking_payment_updates order by id',
  )
  return { stripe: await stripeRecords(platform), rows, bookings, updates, ...seen }
}

async function stripeRecords(platform: Platform): Promise<StripeRecords> {
  const answer = await ask({ method: 'GET', url: `${platform.sandbox.url}/_sandbox/snapshot` })
  if (answer?.status !== 200) throw new Error('the sandbox does not tell its records')
  return answer.body as StripeRecords
}

async function gatewayRows(database: Database): Promise<GatewayRows> {
  const from = <T>(columns: string, table: string): Promise<readonly T[]> =>
    read<T>(database, `select ${columns} from payment_gateway.${table}`)
  return {
    payments: await from(
      `id, booking_id, status, amount_minor::float8, currency, captured_minor::float8, refunded_minor::float8,
       payment_intent_id, paid_at is not null as paid, announced_version, version`,
      'payments',
    ),
    attempts: await from('id, payment_id, state, session_id', 'payment_attempts'),
    transitions: await from('payment_id, version, from_status, to_status', 'payment_transitions order by id'),
    events: await from(
      'id, status, source, reason, (extract(epoch from received_at) * 1000)::float8 as received_ms',
      'stripe_events',
    ),
    deliveries: await from(
      `id, booking_id, version, status, body,
       (extract(epoch from delivered_at - created_at) * 1000)::float8 as waited_ms`,
      'deliveries order by booking_id, version',
    ),
    refunds: await from('id, payment_id, status, amount_minor::float8', 'refunds'),
    disputes: await from('id, payment_id, status, amount_minor::float8', 'disputes'),
    refundRequests: await from(
      'id, payment_id, payment_intent_id, idempotency_key, amount_minor::float8, state, refund_id',
      'refund_requests',
    ),
    ledger: await from('posting, payment_id, account, amount_minor::float8, currency', 'ledger_entries'),
    incidents: await from('kind, subject, payment_id', 'incidents'),
    drift: await from('kind, subject', 'drift'),
    feesDue: await from('charge_id', 'fees_due'),
  }
}

async function read<T>(database: Database, query: string): Promise<readonly T[]> {
  return (await database.query(query)) as readonly T[]
}
