import type { Queryable, Statement, Tx } from '@passerelle/kit/database'
import type { DisputeKnown, Known, RefundKnown } from '../payments/known.ts'
import { givenBackMinor, seenRequests } from './refund.ts'

type OfPayment = { readonly id: string; readonly paymentId: string }

/** Mirrors refunds that changed into their table. The payments' rows must be locked by this transaction. */
export function saveRefunds(refunds: readonly (RefundKnown & OfPayment)[]): Statement[] {
  return refunds.map((refund) => ({
    name: 'save_refund',
    text: `insert into refunds (id, payment_id, payment_intent_id, status, amount_minor, currency, reason, failure_reason, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9))
             on conflict (id) do update set status = $4, amount_minor = $5, failure_reason = $8, updated_at = now()`,
    values: [
      refund.id,
      refund.paymentId,
      refund.intentId,
      refund.state,
      refund.amountMinor,
      refund.currency,
      refund.reason,
      refund.failureReason,
      refund.createdAt,
    ],
  }))
}

/** Mirrors disputes that changed into their table. The payments' rows must be locked by this transaction. */
export function saveDisputes(disputes: readonly (DisputeKnown & OfPayment)[]): Statement[] {
  return disputes.map((dispute) => ({
    name: 'save_dispute',
    text: `insert into disputes (id, payment_id, payment_intent_id, status, amount_minor, currency, reason, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8))
             on conflict (id) do update set status = $4, amount_minor = $5, updated_at = now()`,
    values: [
      dispute.id,
      dispute.paymentId,
      dispute.intentId,
      dispute.state,
      dispute.amountMinor,
      dispute.currency,
      dispute.reason,
      dispute.createdAt,
    ],
  }))
}

/** The reasons Stripe knows. */
export const REFUND_REASONS = ['duplicate', 'fraudulent', 'requested_by_customer'] as const
export type RefundReason = (typeof REFUND_REASONS)[number]

/** Money we asked Stripe to give back, as stored before Stripe is called. */
export type RefundRequest = {
  readonly id: string
  readonly paymentId: string
  readonly intentId: string
  readonly idempotencyKey: string
  readonly amountMinor: number
  readonly reason: RefundReason | null
  /** The operator's own words, where they are none of Stripe's reasons. */
  readonly note: string | null
  readonly requestedBy: string
  /** The second person, where one was needed. */
  readonly approvedBy: string | null
  readonly state: 'waiting' | 'lapsed' | 'requested' | 'made' | 'refused'
  readonly refundId: string | null
  readonly refusedBecause: string | null
  readonly attempts: number
  /** Which of Stripe's idempotency keys the request is at; above 1 the earlier ones ended in a 5xx. */
  readonly keyNumber: number
  readonly createdAt: Date
}

type RequestRow = {
  id: string
  payment_id: string
  payment_intent_id: string
  idempotency_key: string
  amount_minor: number
  reason: RefundReason | null
  note: string | null
  requested_by: string
  approved_by: string | null
  state: RefundRequest['state']
  refund_id: string | null
  refused_because: string | null
  attempts: number
  key_number: number
  created_at: Date
}

// Named, not `*`, as those of payments: the next version may add some while this one runs.
const COLUMNS = `id, payment_id, payment_intent_id, idempotency_key, amount_minor, reason, note, requested_by, approved_by,
  state, refund_id, refused_because, attempts, key_number, created_at`

function fromRow(row: RequestRow): RefundRequest {
  return {
    id: row.id,
    paymentId: row.payment_id,
    intentId: row.payment_intent_id,
    idempotencyKey: row.idempotency_key,
    amountMinor: row.amount_minor,
    reason: row.reason,
    note: row.note,
    requestedBy: row.requested_by,
    approvedBy: row.approved_by,
    state: row.state,
    refundId: row.refund_id,
    refusedBecause: row.refused_because,
    attempts: row.attempts,
    keyNumber: row.key_number,
    createdAt: row.created_at,
  }
}

export type NewRefundRequest = Pick<
  RefundRequest,
  'id' | 'paymentId' | 'intentId' | 'idempotencyKey' | 'amountMinor' | 'reason' | 'note' | 'requestedBy'
> & {
  /** Left out: due at once. */
  readonly state?: 'waiting' | 'requested'
}

/** Stores a request, due for the worker after `dueInMs`, unless the payment has one with this key already. */
export function storeRefundRequest(request: NewRefundRequest, dueInMs: number): Statement {
  return {
    name: 'store_refund_request',
    text: `insert into refund_requests (id, payment_id, payment_intent_id, idempotency_key, amount_minor, reason, requested_by, retry_at, note, state)
     values ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 millisecond', $9, $10)
     on conflict (payment_id, idempotency_key) do nothing returning ${COLUMNS}`,
    values: [
      request.id,
      request.paymentId,
      request.intentId,
      request.idempotencyKey,
      request.amountMinor,
      request.reason,
      request.requestedBy,
      dueInMs,
      request.note,
      request.state ?? 'requested',
    ],
  }
}

/** As `storeRefundRequest`; null when the payment has one with this key already. */
export async function insertRefundRequest(
  tx: Tx,
  request: NewRefundRequest,
  dueInMs: number,
): Promise<RefundRequest | null> {
  const { name, text, values } = storeRefundRequest(request, dueInMs)
  const { rows } = await tx.query<RequestRow>({ name, text, values: [...values] })
  return rows[0] ? fromRow(rows[0]) : null
}

export async function findRefundRequest(
  db: Queryable,
  paymentId: string,
  key: string,
): Promise<RefundRequest | null> {
  const { rows } = await db.query<RequestRow>(
    `select ${COLUMNS} from refund_requests where payment_id = $1 and idempotency_key = $2`,
    [paymentId, key],
  )
  return rows[0] ? fromRow(rows[0]) : null
}

/** The request that waits for a second person and asks for the same; any amount when `amountMinor` is null. */
export async function findWaitingRequest(
  db: Queryable,
  paymentId: string,
  wish: { readonly amountMinor: number | null; readonly reason: string | null },
): Promise<RefundRequest | null> {
  const { rows } = await db.query<RequestRow>(
    `select ${COLUMNS} from refund_requests
     where payment_id = $1 and state = 'waiting' and ($2::bigint is null or amount_minor = $2)
       and coalesce(note, reason) is not distinct from $3
     order by created_at limit 1`,
    [paymentId, wish.amountMinor, wish.reason],
  )
  return rows[0] ? fromRow(rows[0]) : null
}

/** What one person has given back of a payment, or has on its way, without a second one. */
export async function refundedAloneMinor(tx: Tx, paymentId: string, requestedBy: string): Promise<number> {
  const { rows } = await tx.query<{ sum: number }>(
    `select coalesce(sum(amount_minor), 0)::bigint as sum from refund_requests
     where payment_id = $1 and requested_by = $2 and approved_by is null and state in ('requested', 'made')`,
    [paymentId, requestedBy],
  )
  return rows[0]?.sum ?? 0
}

/** Lets a waiting request through, due for the worker after `dueInMs`; the payment's row must be locked. */
export async function approveRefundRequest(
  tx: Tx,
  request: RefundRequest,
  approvedBy: string,
  dueInMs: number,
): Promise<RefundRequest> {
  await tx.query(
    `update refund_requests
     set state = 'requested', approved_by = $2, retry_at = now() + $3 * interval '1 millisecond'
     where id = $1 and state = 'waiting'`,
    [request.id, approvedBy, dueInMs],
  )
  return { ...request, state: 'requested', approvedBy }
}

/** Gives up what waits since more than a day, so that it reserves nothing any more; the payment's row must be locked. */
async function lapseRefundRequests(tx: Tx, paymentId: string): Promise<void> {
  await tx.query(
    `update refund_requests set state = 'lapsed'
     where payment_id = $1 and state = 'waiting' and created_at < now() - interval '1 day'`,
    [paymentId],
  )
}

/** What can still be given back of an intent, counting what is on its way; the payment's row must be locked. */
export async function refundableMinor(
  tx: Tx,
  {
    id,
    known,
    capturedMinor,
  }: { readonly id: string; readonly known: Known; readonly capturedMinor: number },
  intentId: string,
): Promise<number> {
  await lapseRefundRequests(tx, id)
  const reserved = await reservedMinor(tx, intentId, seenRequests(known))
  return capturedMinor - givenBackMinor(known, intentId) - reserved
}

/** What is asked for an intent and not among the requests already seen as refunds: it may be given back any moment, or as soon as a second person agrees. */
async function reservedMinor(tx: Tx, intentId: string, seen: readonly string[]): Promise<number> {
  const { rows } = await tx.query<{ sum: number }>(
    `select coalesce(sum(q.amount_minor), 0)::bigint as sum from refund_requests q
     where q.payment_intent_id = $1 and q.state in ('waiting', 'requested') and q.id <> all($2)`,
    [intentId, seen],
  )
  return rows[0]?.sum ?? 0
}

/** Claims one request that is due, for `leaseMs`. */
export async function claimRefundRequest(db: Queryable, leaseMs: number): Promise<RefundRequest | null> {
  const { rows } = await db.query<RequestRow>({
    name: 'claim_refund_request',
    text: `update refund_requests set attempts = attempts + 1, retry_at = now() + $1 * interval '1 millisecond'
           where id = (select id from refund_requests where state = 'requested' and retry_at <= now()
                       order by retry_at limit 1 for update skip locked)
           returning ${COLUMNS}`,
    values: [leaseMs],
  })
  return rows[0] ? fromRow(rows[0]) : null
}

export async function nextRefundRequestInMs(db: Queryable): Promise<number | null> {
  const { rows } = await db.query<{ ms: number | null }>({
    name: 'next_refund_request',
    text: "select (extract(epoch from min(retry_at) - now()) * 1000)::float8 as ms from refund_requests where state = 'requested'",
  })
  return rows[0]?.ms ?? null
}

export async function postponeRefundRequest(db: Queryable, id: string, waitMs: number): Promise<void> {
  await db.query(
    "update refund_requests set retry_at = now() + $2 * interval '1 millisecond' where id = $1 and state = 'requested'",
    [id, waitMs],
  )
}

/** Moves on to Stripe's next idempotency key, due after `waitMs`; the key that ended in a 5xx is not used again. */
export async function nextRefundKey(db: Queryable, request: RefundRequest, waitMs: number): Promise<void> {
  await db.query(
    `update refund_requests set key_number = $2 + 1, retry_at = now() + $3 * interval '1 millisecond'
     where id = $1 and key_number = $2 and state = 'requested'`,
    [request.id, request.keyNumber, waitMs],
  )
}

export async function settleRefundRequest(
  tx: Tx,
  id: string,
  outcome:
    | { readonly state: 'made'; readonly refundId: string }
    | { readonly state: 'refused'; readonly because: string },
): Promise<void> {
  await tx.query(
    "update refund_requests set state = $2, refund_id = $3, refused_because = $4 where id = $1 and state = 'requested'",
    [
      id,
      outcome.state,
      outcome.state === 'made' ? outcome.refundId : null,
      outcome.state === 'refused' ? outcome.because : null,
    ],
  )
}
