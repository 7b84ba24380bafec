import type { PaymentStatusUpdate } from '@passerelle/contracts/booking'
import type { Pool, Queryable, Statement, Tx } from '@passerelle/kit/database'
import { floatArray, intArray, jsonbArray, textArray } from '@passerelle/kit/sql-array'

export type NewDelivery = {
  readonly id: string
  readonly paymentId: string
  readonly bookingId: string
  readonly version: number
  readonly body: PaymentStatusUpdate
}

/** A delivery this process may send now. `claim` fences: a result written with an older number is dropped. */
export type ClaimedDelivery = {
  readonly id: string
  readonly bookingId: string
  readonly version: number
  readonly body: PaymentStatusUpdate
  readonly attempts: number
  readonly claim: number
  /** Since it was written, or last sent again by hand, by the database's clock. */
  readonly ageMs: number
}

/** The channel that wakes the deliverers of every process when deliveries were written. */
export const DELIVERIES_CHANNEL = 'payment_gateway_deliveries'

/**
 * Writes what the booking service is owed. Those that `own` holds are written as claimed; for others the deliverers of
 * every process are woken at the commit.
 */
export function insertDeliveries(
  deliveries: readonly NewDelivery[],
  own: { readonly worker: number; readonly ids: ReadonlySet<string> } | null = null,
): Statement[] {
  if (deliveries.length === 0) return []
  const claimants = deliveries.map(({ id }) => (own?.ids.has(id) === true ? own.worker : null))
  const notify = { name: 'notify', text: 'select pg_notify($1, $2)', values: [DELIVERIES_CHANNEL, ''] }
  return [
    {
      name: 'insert_deliveries',
      text: `insert into deliveries (id, payment_id, booking_id, version, body, claimed_by, claim, attempts)
           select id, payment_id, booking_id, version, body, claimed_by,
                  case when claimed_by is null then 0 else 1 end, case when claimed_by is null then 0 else 1 end
           from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::jsonb[], $6::int[])
             as n(id, payment_id, booking_id, version, body, claimed_by)`,
      values: [
        textArray(deliveries.map((delivery) => delivery.id)),
        textArray(deliveries.map((delivery) => delivery.paymentId)),
        textArray(deliveries.map((delivery) => delivery.bookingId)),
        intArray(deliveries.map((delivery) => delivery.version)),
        jsonbArray(deliveries.map((delivery) => JSON.stringify(delivery.body))),
        intArray(claimants),
      ],
    },
    ...(claimants.includes(null) ? [notify] : []),
  ]
}

/** A delivery as its claimant knows it that wrote it as claimed. */
export function claimedAsWritten({ id, bookingId, version, body }: NewDelivery): ClaimedDelivery {
  return { id, bookingId, version, body, attempts: 1, claim: 1, ageMs: 0 }
}

/**
 * The advisory lock that says a worker is alive is (this class, its number), held by the session of its own connection:
 * when the process dies, however it dies, PostgreSQL frees it and with it every claim.
 */
export const WORKER_LOCK_CLASS = 4_304_300

/**
 * Claims up to `limit` deliveries that are due: per booking only the oldest pending one, and none that a living worker
 * holds. A short transaction of its own; no HTTP happens inside.
 */
export async function claimDeliveries(pool: Pool, worker: number, limit: number): Promise<ClaimedDelivery[]> {
  const { rows } = await pool.query<{
    id: string
    booking_id: string
    version: number
    body: PaymentStatusUpdate
    attempts: number
    claim: number
    age_ms: number
  }>({
    name: 'claim_deliveries',
    text: `with alive as (
             select objid::int as worker from pg_locks
             where locktype = 'advisory' and classid = ${WORKER_LOCK_CLASS} and objsubid = 2 and granted
               and database = (select oid from pg_database where datname = current_database())
           ), due as (
             select d.id from deliveries d
             where d.status = 'pending' and d.due_at <= now()
               -- What this worker claimed is under way here; who else is alive is only looked up for others' claims.
               and (d.claimed_by is null
                    or (d.claimed_by <> $1 and d.claimed_by not in (select worker from alive)))
               and not exists (
                 select from deliveries earlier
                 where earlier.booking_id = d.booking_id and earlier.status = 'pending' and earlier.version < d.version)
             order by d.due_at limit $2 for update of d skip locked
           )
           update deliveries set claimed_by = $1, claim = claim + 1, attempts = attempts + 1
           from due where deliveries.id = due.id
           returning deliveries.id, booking_id, version, body, attempts, claim,
             (extract(epoch from now() - coalesce(redelivered_at, created_at)) * 1000)::float8 as age_ms`,
    values: [worker, limit],
  })
  return rows.map((row) => ({
    id: row.id,
    bookingId: row.booking_id,
    version: row.version,
    body: row.body,
    attempts: row.attempts,
    claim: row.claim,
    ageMs: row.age_ms,
  }))
}

export type AttemptRecord = {
  readonly outcome: 'delivered' | 'refused' | 'failed'
  readonly responseStatus: number | null
  readonly error: string | null
  readonly durationMs: number
}

/** What becomes of a delivery after an attempt: done, due again after a wait, or dead until a person redelivers it. */
export type AfterAttempt =
  | { readonly status: 'delivered' }
  | { readonly status: 'dead' }
  | { readonly status: 'pending'; readonly waitMs: number }

export type EndedAttempt = {
  readonly delivery: ClaimedDelivery
  readonly attempt: AttemptRecord
  readonly after: AfterAttempt
}

/**
 * Records attempts and what follows from them, each once: recording one ends its claim. Returns the ids of the deliveries
 * whose attempt counts; the others were claimed by another worker since.
 */
export async function recordAttempts(
  db: Queryable,
  ended: readonly EndedAttempt[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ id: string }>({
    name: 'record_delivery_attempts',
    text: `with ended as (
             select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::float8[], $6::int[], $7::text[],
                                  $8::int[], $9::int[])
               as n(id, claim, status, error, wait_ms, number, outcome, response_status, duration_ms)
           ), mine as (
             update deliveries d set status = n.status, claimed_by = null, last_error = n.error,
               due_at = case when n.status = 'pending' then now() + n.wait_ms * interval '1 millisecond' else due_at end,
               delivered_at = case when n.status = 'delivered' then now() end
             from ended n where d.id = n.id and d.claim = n.claim and d.claimed_by is not null
             returning d.id
           )
           insert into delivery_attempts (delivery_id, number, outcome, response_status, error, duration_ms)
           select n.id, n.number, n.outcome, n.response_status, n.error, n.duration_ms from ended n join mine using (id)
           returning delivery_id as id`,
    values: [
      textArray(ended.map(({ delivery }) => delivery.id)),
      intArray(ended.map(({ delivery }) => delivery.claim)),
      textArray(ended.map(({ after }) => after.status)),
      textArray(ended.map(({ attempt }) => attempt.error)),
      floatArray(ended.map(({ after }) => (after.status === 'pending' ? after.waitMs : 0))),
      intArray(ended.map(({ delivery }) => delivery.attempts)),
      textArray(ended.map(({ attempt }) => attempt.outcome)),
      intArray(ended.map(({ attempt }) => attempt.responseStatus)),
      intArray(ended.map(({ attempt }) => attempt.durationMs)),
    ],
  })
  return new Set(rows.map(({ id }) => id))
}

/** Makes every waiting delivery due now: the destination answers again. */
export async function makeWaitingDue(pool: Pool): Promise<void> {
  await pool.query(
    "update deliveries set due_at = now() where status = 'pending' and due_at > now() and claimed_by is null",
  )
}

/** Milliseconds until the next pending delivery is due, or null when nothing waits. */
export async function nextDueInMs(pool: Pool): Promise<number | null> {
  const { rows } = await pool.query<{ ms: number | null }>({
    name: 'next_delivery_due',
    text: `select (extract(epoch from min(due_at) - now()) * 1000)::float8 as ms from deliveries where status = 'pending' and due_at > now()`,
  })
  return rows[0]?.ms ?? null
}

/** A delivery as it was before it was sent again by hand. */
export type Redelivered = {
  readonly id: string
  readonly bookingId: string
  readonly paymentId: string
  readonly version: number
  readonly status: 'pending' | 'delivered' | 'dead'
  readonly attempts: number
}

/**
 * Makes deliveries pending and due now, whatever became of them, and wakes the deliverers of every process at the
 * commit. They keep their id, version and body, so the receiver knows what it has already; one that is being sent at
 * this moment stays with whoever sends it.
 */
export async function redeliverDeliveries(tx: Tx, ids: readonly string[]): Promise<Redelivered[]> {
  const { rows } = await tx.query<Redelivered>({
    name: 'redeliver_deliveries',
    text: `with before as (
             select id, booking_id, payment_id, version, status, attempts from deliveries
             where id = any($1) order by id for update
           )
           update deliveries d set status = 'pending', due_at = now(), redelivered_at = now(), delivered_at = null
           from before b where d.id = b.id
           returning b.id, b.booking_id as "bookingId", b.payment_id as "paymentId", b.version, b.status, b.attempts`,
    values: [ids],
  })
  if (rows.length > 0) await tx.query(`select pg_notify('${DELIVERIES_CHANNEL}', '')`)
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1))
}
