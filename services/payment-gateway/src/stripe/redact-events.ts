import { inTransaction } from '@passerelle/kit/database'
import type { Pool, Tx } from '@passerelle/kit/database'
import { removeExpiredTokens } from '../payments/status-token.repository.ts'

/** What stands where a payload was: JSON, so that whoever reads the table sees at once what happened to it. */
export const REDACTED_PAYLOAD = Buffer.from('{"redacted":true}')

export type Redaction = {
  readonly events: number
  readonly attempts: number
  /** Whether there may be more to do at once. */
  readonly more: boolean
}

// A batch holds its row locks for milliseconds and writes little WAL at a time; a smaller one only takes longer.
const BATCH = 200
// A person waits for an erasure, and it may read every event of the retention.
const ERASE_MS_MAX = 60_000
// Longer than an event may be owed its effect, in which time it keeps its payload.
const LATE_DAYS = 7

/**
 * Empties the payloads of one batch of events that were received more than `retentionDays` ago, and forgets the payers'
 * addresses in attempts that ended before then; personal data lives nowhere else. What the events did (payments, ledger,
 * transitions) stays. An event whose effect is still owed keeps its payload. Status tokens that have run out are removed.
 * Null when another process is at it.
 */
export async function redactOldEvents(pool: Pool, retentionDays: number): Promise<Redaction | null> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ mine: boolean }>(
      "select pg_try_advisory_xact_lock(hashtextextended('payment_gateway retention', 0)) as mine",
    )
    if (rows[0]?.mine !== true) return null
    const erased = await redactErasedPayments(tx, null)
    const events = erased.events + (await redactEvents(tx, retentionDays))
    const attempts = erased.attempts + (await forgetAddresses(tx, retentionDays))
    const tokens = await removeExpiredTokens(tx, BATCH)
    return { events, attempts, more: [events, attempts, tokens].some((number) => number >= BATCH) }
  })
}

// An event that says nothing for us is tied to no payment, but its object may be: a charge names its payer.
export const EVENTS_OF_PAYMENTS = `
  select id from stripe_events
  where (payment_id = any($3) or object_id = any(array(select id from stripe_objects where payment_id = any($3))))
    and redacted_at is null and status <> 'received' order by id`
// What came in before was emptied with the erasure. Looked for among the new events and not among the erased payments:
// the latter only become more.
const EVENTS_SINCE_ERASED = `
  select e.id from stripe_events e left join stripe_objects o on o.id = e.object_id
    join payments p on p.id = coalesce(e.payment_id, o.payment_id) and p.erased_at is not null
  where e.received_at > now() - interval '${LATE_DAYS} days' and e.redacted_at is null and e.status <> 'received' order by e.id`

/**
 * Empties what is kept of the payers of erased payments, however new: of these payments, or, with null, of one batch of
 * them all, for what came in since.
 */
export async function redactErasedPayments(
  tx: Tx,
  paymentIds: readonly string[] | null,
): Promise<{ events: number; attempts: number }> {
  const limit = paymentIds === null ? BATCH : null
  await tx.query(`set local statement_timeout = ${ERASE_MS_MAX}`)
  const events = await tx.query(
    `update stripe_events set payload = $1, redacted_at = now()
     where id in (${paymentIds === null ? EVENTS_SINCE_ERASED : EVENTS_OF_PAYMENTS} limit $2)`,
    paymentIds === null ? [REDACTED_PAYLOAD, limit] : [REDACTED_PAYLOAD, limit, paymentIds],
  )
  const attempts = await tx.query(
    `update payment_attempts set parameters = parameters - 'customer_email' - 'receipt_email' where id in (
       select a.id from payments p join payment_attempts a on a.payment_id = p.id
       where p.erased_at is not null and ($1::text[] is null or p.id = any($1))
         and a.state = 'closed' and a.parameters ?| array['customer_email', 'receipt_email']
       order by a.id limit $2)`,
    [paymentIds, limit],
  )
  return { events: events.rowCount ?? 0, attempts: attempts.rowCount ?? 0 }
}

async function redactEvents(tx: Tx, retentionDays: number): Promise<number> {
  await tx.query(
    "insert into retention_marks (name, done_until) values ('stripe_events', '-infinity') on conflict do nothing",
  )
  // Begins where the last batch ended. The mark never passes an event whose effect is owed: that one comes later.
  const { rowCount } = await tx.query({
    name: 'redact_events',
    text: `with old as (
             select id, received_at from stripe_events
             where received_at >= (select done_until from retention_marks where name = 'stripe_events')
               and received_at < now() - $1 * interval '1 day' and redacted_at is null and status <> 'received'
             order by received_at limit $2
           ), moved as (
             update retention_marks set done_until = least(
               (select max(received_at) from old),
               (select min(received_at) from stripe_events where status = 'received'))
             where name = 'stripe_events' and exists (select from old)
           )
           update stripe_events e set payload = $3, redacted_at = now() from old where e.id = old.id`,
    values: [retentionDays, BATCH, REDACTED_PAYLOAD],
  })
  return rowCount ?? 0
}

async function forgetAddresses(tx: Tx, retentionDays: number): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'forget_addresses',
    text: `update payment_attempts set parameters = parameters - 'customer_email' - 'receipt_email'
           where id in (
             select id from payment_attempts
             where state = 'closed' and parameters ?| array['customer_email', 'receipt_email']
               and created_at < now() - $1 * interval '1 day'
             order by created_at limit $2)`,
    values: [retentionDays, BATCH],
  })
  return rowCount ?? 0
}

// Old enough to redact is a matter of days; looking more often finds nothing new.
const LOOK_INTERVAL_MS = 60 * 60_000
// Another process is at it: should it die in the middle, this one goes on.
const LOOK_AFTER_OTHERS_MS = 60_000
// Between two batches everybody else goes first.
const PAUSE_MS = 100

/** A round for `startLoop`: one batch at a time while there is something to redact, then once an hour. */
export function createRetentionRound(deps: {
  readonly pool: Pool
  readonly retentionDays: number
}): () => Promise<number | null> {
  let nextLookMs = -Infinity
  return async () => {
    if (performance.now() < nextLookMs) return null
    const redaction = await redactOldEvents(deps.pool, deps.retentionDays)
    if (redaction?.more === true) return PAUSE_MS
    nextLookMs = performance.now() + (redaction === null ? LOOK_AFTER_OTHERS_MS : LOOK_INTERVAL_MS)
    return null
  }
}
