import type { Queryable, Statement, Tx } from '@passerelle/kit/database'
import { textArray } from '@passerelle/kit/sql-array'
import type Stripe from 'stripe'

/** One try at collecting a payment, as stored before Stripe is called. */
export type Attempt = {
  readonly id: string
  readonly paymentId: string
  readonly number: number
  readonly kind: 'checkout_session' | 'payment_intent'
  readonly state: 'creating' | 'open' | 'closed'
  readonly amountMinor: number
  readonly currency: string
  /** The body of the create call, replayed word for word. */
  readonly parameters: AttemptParameters
  readonly sessionId: string | null
  readonly paymentIntentId: string | null
  readonly checkoutUrl: string | null
  readonly expiresAt: Date | null
  readonly createdAt: Date
}

export type AttemptParameters = Stripe.Checkout.SessionCreateParams & Stripe.PaymentIntentCreateParams

type AttemptRow = {
  id: string
  payment_id: string
  number: number
  kind: Attempt['kind']
  state: Attempt['state']
  amount_minor: number
  currency: string
  parameters: AttemptParameters
  session_id: string | null
  payment_intent_id: string | null
  checkout_url: string | null
  expires_at: Date | null
  created_at: Date
}

// Named, not `*`, as those of payments: the next version may add some while this one runs.
const COLUMNS = `id, payment_id, number, kind, state, amount_minor, currency, parameters, session_id, payment_intent_id,
  checkout_url, expires_at, created_at`

function fromRow(row: AttemptRow): Attempt {
  return {
    id: row.id,
    paymentId: row.payment_id,
    number: row.number,
    kind: row.kind,
    state: row.state,
    amountMinor: row.amount_minor,
    currency: row.currency,
    parameters: row.parameters,
    sessionId: row.session_id,
    paymentIntentId: row.payment_intent_id,
    checkoutUrl: row.checkout_url,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
  }
}

/** Stores a new live attempt with the payment's next number. The payment must be locked and have no live attempt. */
export async function insertAttempt(
  tx: Tx,
  attempt: Pick<Attempt, 'id' | 'paymentId' | 'kind' | 'amountMinor' | 'currency' | 'parameters'> & {
    /** The trace in which it was begun: webhook and announcement go on with it. */
    readonly traceparent: string | null
  },
): Promise<Attempt> {
  const { rows } = await tx.query<AttemptRow>(
    `insert into payment_attempts (id, payment_id, number, kind, state, amount_minor, currency, parameters, traceparent)
     select $1, $2, coalesce(max(number), 0) + 1, $3, 'creating', $4, $5, $6, $7
     from payment_attempts where payment_id = $2
     returning ${COLUMNS}`,
    [
      attempt.id,
      attempt.paymentId,
      attempt.kind,
      attempt.amountMinor,
      attempt.currency,
      JSON.stringify(attempt.parameters),
      attempt.traceparent,
    ],
  )
  return one(rows)
}

export async function findLiveAttempt(db: Queryable, paymentId: string): Promise<Attempt | null> {
  const { rows } = await db.query<AttemptRow>({
    name: 'find_live_attempt',
    text: `select ${COLUMNS} from payment_attempts where payment_id = $1 and state in ('creating', 'open')`,
    values: [paymentId],
  })
  return rows[0] ? fromRow(rows[0]) : null
}

/** How many attempts a customer began within the hour, counted up to `max`, and when the oldest of those is an hour old. */
export async function countAttemptsOf(
  tx: Tx,
  customerId: string,
  max: number,
): Promise<{ count: number; nextInSeconds: number }> {
  const { rows } = await tx.query<{ count: number; seconds: number | null }>(
    `select count(*)::int as count, extract(epoch from min(created_at) + interval '1 hour' - now())::float8 as seconds
     from (select a.created_at from payment_attempts a join payments p on p.id = a.payment_id
           where p.customer_id = $1 and a.created_at > now() - interval '1 hour'
           order by a.created_at desc limit $2) recent`,
    [customerId, max],
  )
  return { count: rows[0]?.count ?? 0, nextInSeconds: Math.max(Math.ceil(rows[0]?.seconds ?? 0), 1) }
}

export async function findAttemptBySession(db: Queryable, sessionId: string): Promise<Attempt | null> {
  const { rows } = await db.query<AttemptRow>({
    name: 'find_attempt_by_session',
    text: `select ${COLUMNS} from payment_attempts where session_id = $1`,
    values: [sessionId],
  })
  return rows[0] ? fromRow(rows[0]) : null
}

/** How long ago an attempt was begun, by the database's clock. */
export async function attemptAgeMs(db: Queryable, attemptId: string): Promise<number> {
  const { rows } = await db.query<{ ms: number }>(
    'select (extract(epoch from now() - created_at) * 1000)::float8 as ms from payment_attempts where id = $1',
    [attemptId],
  )
  return rows[0]?.ms ?? 0
}

/** The attempt that speaks for the payment: the live one, else the newest. */
export async function findNewestAttempt(db: Queryable, paymentId: string): Promise<Attempt | null> {
  const { rows } = await db.query<AttemptRow>({
    name: 'find_newest_attempt',
    text: `select ${COLUMNS} from payment_attempts where payment_id = $1 order by number desc limit 1`,
    values: [paymentId],
  })
  return rows[0] ? fromRow(rows[0]) : null
}

/** Records the session Stripe made for an attempt. An attempt that was closed meanwhile stays closed. */
export async function saveSession(
  tx: Tx,
  attemptId: string,
  session: { readonly id: string; readonly url: string | null; readonly expiresAt: Date },
): Promise<Attempt> {
  const { rows } = await tx.query<AttemptRow>(
    `update payment_attempts set session_id = $2, checkout_url = $3, expires_at = $4,
       state = case when state = 'creating' then 'open' else state end
     where id = $1 returning ${COLUMNS}`,
    [attemptId, session.id, session.url, session.expiresAt],
  )
  return one(rows)
}

/** Records the PaymentIntent Stripe made for an attempt. An attempt that was closed meanwhile stays closed. */
export async function saveIntent(tx: Tx, attemptId: string, intentId: string): Promise<Attempt> {
  const { rows } = await tx.query<AttemptRow>(
    `update payment_attempts set payment_intent_id = $2,
       state = case when state = 'creating' then 'open' else state end
     where id = $1 returning ${COLUMNS}`,
    [attemptId, intentId],
  )
  return one(rows)
}

function one(rows: readonly AttemptRow[]): Attempt {
  const [row] = rows
  if (!row) throw new Error('the attempt is gone')
  return fromRow(row)
}

export async function closeAttempt(tx: Tx, attemptId: string, because: string): Promise<void> {
  await tx.query(
    `update payment_attempts set state = 'closed', closed_because = $2 where id = $1 and state <> 'closed'`,
    [attemptId, because],
  )
}

/** Closes the attempts of these payments whose session or intent is over: another may be made. */
export function closeEndedAttempts(
  ended: readonly { readonly paymentId: string; readonly objectId: string }[],
): Statement[] {
  if (ended.length === 0) return []
  return [
    {
      name: 'close_ended_attempts',
      text: `update payment_attempts set state = 'closed', closed_because = 'ended'
           where payment_id = any($1) and state in ('creating', 'open')
             and (session_id = any($2) or payment_intent_id = any($2))`,
      // A payment has at most one live attempt, and there is an index of just these.
      values: [
        textArray([...new Set(ended.map(({ paymentId }) => paymentId))]),
        textArray(ended.map(({ objectId }) => objectId)),
      ],
    },
  ]
}

// Asking Stripe more often tells nothing new and spends the account's read quota; the webhook is faster anyway.
const CHECK_INTERVAL_MS = 2000

/** Whether Stripe may be asked about this attempt now; at most one caller in CHECK_INTERVAL_MS is told so, across processes. */
export async function takeCheckTurn(db: Queryable, attemptId: string): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'take_check_turn',
    text: `update payment_attempts set checked_at = now()
           where id = $1 and (checked_at is null or checked_at < now() - $2 * interval '1 millisecond')`,
    values: [attemptId, CHECK_INTERVAL_MS],
  })
  return rowCount === 1
}
