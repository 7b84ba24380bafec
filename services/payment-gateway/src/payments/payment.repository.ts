import type { PaymentStatus } from '@passerelle/contracts/payment'
import type { Queryable, Statement, Tx } from '@passerelle/kit/database'
import { bigintArray, floatArray, intArray, jsonbArray, textArray } from '@passerelle/kit/sql-array'
import type { Announcement } from '../outbox/announcement.ts'
import { NOTHING_KNOWN } from './known.ts'
import type { Known } from './known.ts'
import type { Trouble } from './payment.ts'

export type Payment = {
  readonly id: string
  readonly bookingId: string
  readonly customerId: string | null
  readonly livemode: boolean
  readonly amountMinor: number
  readonly currency: string
  readonly known: Known
  readonly status: PaymentStatus
  readonly capturedMinor: number
  readonly refundedMinor: number
  readonly paymentIntentId: string | null
  readonly paidAt: Date | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly announced: Announcement | null
  readonly announcedVersion: number
  /** Paid, but the booking service had no seats left for it. */
  readonly bookingLost: boolean
  readonly version: number
  readonly updatedAt: Date
}

type PaymentRow = {
  id: string
  booking_id: string
  customer_id: string | null
  livemode: boolean
  amount_minor: number
  currency: string
  known: Partial<Known>
  status: PaymentStatus
  captured_minor: number
  refunded_minor: number
  payment_intent_id: string | null
  paid_at: Date | null
  error_code: string | null
  error_message: string | null
  announced: Announcement | null
  announced_version: number
  booking_lost: boolean
  version: number
  updated_at: Date
}

// Named, not `*`: a prepared statement that gives more columns than before fails, and the version that still runs must
// not when the next one adds some.
const COLUMNS = `id, booking_id, customer_id, livemode, amount_minor, currency, known, status, captured_minor,
  refunded_minor, payment_intent_id, paid_at, error_code, error_message, announced, announced_version, booking_lost,
  version, updated_at`

function fromRow(row: PaymentRow): Payment {
  return {
    id: row.id,
    bookingId: row.booking_id,
    customerId: row.customer_id,
    livemode: row.livemode,
    amountMinor: row.amount_minor,
    currency: row.currency,
    known: { ...NOTHING_KNOWN, ...row.known },
    status: row.status,
    capturedMinor: row.captured_minor,
    refundedMinor: row.refunded_minor,
    paymentIntentId: row.payment_intent_id,
    paidAt: row.paid_at,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    announced: row.announced,
    announcedVersion: row.announced_version,
    bookingLost: row.booking_lost,
    version: row.version,
    updatedAt: row.updated_at,
  }
}

/** The payments with these ids, locked until the transaction ends, always in the order of their ids: no deadlock. */
export async function lockPayments(tx: Tx, ids: readonly string[]): Promise<Payment[]> {
  const { rows } = await tx.query<PaymentRow>({
    name: 'lock_payments',
    text: `select ${COLUMNS} from payments where id = any($1) order by id for no key update`,
    values: [ids],
  })
  return rows.map(fromRow)
}

/** As `lockPayments`, for payments named by their ids or by Stripe objects that are linked to them. */
export function lockPaymentsOf(ids: readonly string[], objectIds: readonly string[]): Statement {
  return {
    name: 'lock_payments_of',
    text: `select ${COLUMNS} from payments
           where id = any(array(select unnest($1::text[]) union select payment_id from stripe_objects where id = any($2)))
           order by id for no key update`,
    values: [textArray(ids), textArray(objectIds)],
  }
}

export function lockedPayments(rows: readonly unknown[]): Payment[] {
  return (rows as readonly PaymentRow[]).map(fromRow)
}

/** Makes the payment of a booking unless there is one, and returns its id either way. */
export async function ensurePayment(
  tx: Tx,
  payment: Pick<Payment, 'id' | 'bookingId' | 'customerId' | 'livemode' | 'amountMinor' | 'currency'>,
): Promise<string> {
  await tx.query(
    `insert into payments (id, booking_id, customer_id, livemode, amount_minor, currency)
     values ($1, $2, $3, $4, $5, $6) on conflict (booking_id) do nothing`,
    [
      payment.id,
      payment.bookingId,
      payment.customerId,
      payment.livemode,
      payment.amountMinor,
      payment.currency,
    ],
  )
  const { rows } = await tx.query<{ id: string }>('select id from payments where booking_id = $1', [
    payment.bookingId,
  ])
  return rows[0]?.id ?? payment.id
}

/** Whoever looks at the payment sees a new version. The payment must be locked by this transaction. */
export async function markBookingLost(tx: Tx, id: string): Promise<void> {
  await tx.query({
    name: 'mark_booking_lost',
    text: 'update payments set booking_lost = true, version = version + 1, updated_at = now() where id = $1',
    values: [id],
  })
}

export async function findPaymentByBooking(db: Queryable, bookingId: string): Promise<Payment | null> {
  const { rows } = await db.query<PaymentRow>({
    name: 'find_payment_by_booking',
    text: `select ${COLUMNS} from payments where booking_id = $1`,
    values: [bookingId],
  })
  return rows[0] ? fromRow(rows[0]) : null
}

export async function findPayment(db: Queryable, id: string): Promise<Payment | null> {
  const { rows } = await db.query<PaymentRow>({
    name: 'find_payment',
    text: `select ${COLUMNS} from payments where id = $1`,
    values: [id],
  })
  return rows[0] ? fromRow(rows[0]) : null
}

export async function findPayments(db: Queryable, ids: readonly string[]): Promise<Payment[]> {
  const { rows } = await db.query<PaymentRow>({
    name: 'find_payments',
    text: `select ${COLUMNS} from payments where id = any($1)`,
    values: [ids],
  })
  return rows.map(fromRow)
}

// A notification carries at most 8,000 bytes; payment ids have 36 characters.
const NOTIFIED_PER_MESSAGE = 200

/** Tells every process, at the commit, which payments changed. */
export function notifyChanged(channel: string, paymentIds: readonly string[]): Statement[] {
  const statements: Statement[] = []
  for (let index = 0; index < paymentIds.length; index += NOTIFIED_PER_MESSAGE)
    statements.push({
      name: 'notify',
      text: 'select pg_notify($1, $2)',
      values: [channel, paymentIds.slice(index, index + NOTIFIED_PER_MESSAGE).join(',')],
    })
  return statements
}

/** Writes what merging changed; the rest of a payment never does. The rows must be locked by this transaction. */
export function savePayments(payments: readonly Payment[]): Statement[] {
  if (payments.length === 0) return []
  return [
    {
      name: 'save_payments',
      text: `update payments p set
             known = n.known, amount_minor = n.amount_minor, currency = n.currency, status = n.status,
             captured_minor = n.captured_minor, refunded_minor = n.refunded_minor,
             payment_intent_id = n.payment_intent_id, paid_at = to_timestamp(n.paid_at),
             error_code = n.error_code, error_message = n.error_message,
             announced = n.announced, announced_version = n.announced_version,
             version = n.version, updated_at = now()
           from unnest($1::text[], $2::jsonb[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                       $8::text[], $9::float8[], $10::text[], $11::text[], $12::jsonb[], $13::int[], $14::int[])
             as n(id, known, amount_minor, currency, status, captured_minor, refunded_minor, payment_intent_id, paid_at,
                  error_code, error_message, announced, announced_version, version)
           where p.id = n.id`,
      values: [
        textArray(payments.map((payment) => payment.id)),
        jsonbArray(payments.map((payment) => JSON.stringify(payment.known))),
        bigintArray(payments.map((payment) => payment.amountMinor)),
        textArray(payments.map((payment) => payment.currency)),
        textArray(payments.map((payment) => payment.status)),
        bigintArray(payments.map((payment) => payment.capturedMinor)),
        bigintArray(payments.map((payment) => payment.refundedMinor)),
        textArray(payments.map((payment) => payment.paymentIntentId)),
        // Stripe's whole seconds: exact as a float.
        floatArray(payments.map(({ paidAt }) => paidAt && paidAt.getTime() / 1000)),
        textArray(payments.map((payment) => payment.errorCode)),
        textArray(payments.map((payment) => payment.errorMessage)),
        jsonbArray(payments.map(({ announced }) => announced && JSON.stringify(announced))),
        intArray(payments.map((payment) => payment.announcedVersion)),
        intArray(payments.map((payment) => payment.version)),
      ],
    },
  ]
}

export type Transition = {
  readonly paymentId: string
  readonly version: number
  readonly from: PaymentStatus
  readonly to: PaymentStatus
  readonly because: string
}

export function insertTransitions(transitions: readonly Transition[]): Statement[] {
  if (transitions.length === 0) return []
  return [
    {
      name: 'insert_transitions',
      text: `insert into payment_transitions (payment_id, version, from_status, to_status, because)
           select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[])`,
      values: [
        textArray(transitions.map((transition) => transition.paymentId)),
        intArray(transitions.map((transition) => transition.version)),
        textArray(transitions.map((transition) => transition.from)),
        textArray(transitions.map((transition) => transition.to)),
        textArray(transitions.map((transition) => transition.because)),
      ],
    },
  ]
}

/** Which payment each of these Stripe objects belongs to, as far as it is known: rows of `id` and `payment_id`. */
export function findLinks(objectIds: readonly string[]): Statement {
  return {
    name: 'find_links',
    text: 'select id, payment_id from stripe_objects where id = any($1)',
    values: [textArray(objectIds)],
  }
}

/** Remembers which payment objects belong to. */
export function linkObjects(
  links: readonly { readonly id: string; readonly paymentId: string }[],
): Statement[] {
  if (links.length === 0) return []
  return [
    {
      name: 'link_objects',
      text: `insert into stripe_objects (id, payment_id)
           select * from unnest($1::text[], $2::text[]) as n(id, payment_id) order by id
           on conflict (id) do nothing`,
      values: [textArray(links.map((link) => link.id)), textArray(links.map((link) => link.paymentId))],
    },
  ]
}

/**
 * Raises each trouble once: the same trouble of the same subject is one incident however often it is seen. What a person
 * resolved stays resolved, except a try by hand that failed again.
 */
export function raiseIncidents(
  incidents: readonly (Omit<Trouble, 'kind'> & {
    readonly kind: string
    readonly paymentId: string | null
  })[],
): Statement[] {
  return incidents.map((incident) => ({
    name: 'raise_incident',
    text: `insert into incidents (kind, subject, payment_id, detail) values ($1, $2, $3, $4)
       on conflict (kind, subject) do update set
         raised_at = now(), detail = excluded.detail, resolved_at = null, resolved_by = null, resolved_because = null
       where incidents.resolved_at is not null and incidents.kind in ('event_held', 'delivery_dead')`,
    values: [incident.kind, incident.subject, incident.paymentId, JSON.stringify(incident.detail)],
  }))
}
