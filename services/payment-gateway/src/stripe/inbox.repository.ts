import type { Pool, Statement, Tx } from '@passerelle/kit/database'
import { boolArray, floatArray, intArray, textArray } from '@passerelle/kit/sql-array'
import type { StripeEvent } from './event.ts'

export type EventStatus = 'received' | 'processed' | 'skipped' | 'failed'

/** A verified event with the bytes that were signed. */
export type Received = { readonly event: StripeEvent; readonly payload: Buffer }

/** What became of an event: applied, nothing for us, or owed until the payment or Stripe can be asked. */
export type Outcome =
  | { readonly status: 'processed'; readonly paymentId: string }
  | { readonly status: 'skipped'; readonly reason: string }
  | { readonly status: 'received'; readonly reason: string; readonly waitsFor: string | null }

/** The channel that wakes the workers of every process when events were stored without their effect. */
export const EVENTS_CHANNEL = 'payment_gateway_events'

/** Which of these events are stored already: rows of `id`. */
export function findStoredEvents(ids: readonly string[]): Statement {
  return {
    name: 'find_stored_events',
    text: 'select id from stripe_events where id = any($1)',
    values: [textArray(ids)],
  }
}

const OWED: Outcome = { status: 'received', reason: '', waitsFor: null }

/**
 * Stores events that are not stored yet, as owed and due at once, and returns the ids of the new ones. Whoever applies
 * them in the same transaction says so with `markEvents`.
 */
export async function insertOwedEvents(tx: Tx, received: readonly Received[]): Promise<Set<string>> {
  const { name, text, values } = insertEvents(received, () => OWED, 0)
  const { rows } = await tx.query<{ id: string }>({ name, text, values: [...values] })
  return new Set(rows.map((row) => row.id))
}

/**
 * Stores events that are not stored yet together with what became of them; those whose effect is owed are due after
 * `owedInMs`. Returns the ids of the new ones.
 */
export function insertEvents(
  received: readonly Received[],
  outcomeOf: (id: string) => Outcome | undefined,
  owedInMs: number,
): Statement {
  const outcomes = received.map(({ event }) => outcomeOf(event.id) ?? OWED)
  // The payloads travel as one binary value: as an array of them each would be written in hex and read again.
  let at = 1
  const starts = received.map(({ payload }) => (at += payload.length) - payload.length)
  return {
    name: 'insert_events',
    // Ordered, so that two processes that store the same events wait for each other and never in a circle.
    text: `insert into stripe_events (id, type, api_version, livemode, object_id, payload, status, reason, payment_id,
                    waits_for, created_at, retry_at, processed_at)
           select id, type, api_version, livemode, object_id, substr($6::bytea, start, length), status,
                  nullif(reason, ''), payment_id, waits_for, to_timestamp(created),
                  case when status = 'received' then now() + $14 * interval '1 millisecond' end,
                  case when status <> 'received' then now() end
           from unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::text[], $7::int[], $8::int[], $9::text[],
                       $10::text[], $11::text[], $12::text[], $13::float8[])
             as n(id, type, api_version, livemode, object_id, start, length, status, reason, payment_id, waits_for, created)
           order by id
           on conflict (id) do nothing returning id`,
    values: [
      textArray(received.map(({ event }) => event.id)),
      textArray(received.map(({ event }) => storable(event.type))),
      textArray(received.map(({ event }) => storable(event.apiVersion))),
      boolArray(received.map(({ event }) => event.livemode)),
      textArray(received.map(({ event }) => storable(event.object['id']))),
      Buffer.concat(received.map(({ payload }) => payload)),
      intArray(starts),
      intArray(received.map(({ payload }) => payload.length)),
      textArray(outcomes.map((outcome) => outcome.status)),
      ...columnsOf(outcomes),
      floatArray(received.map(({ event }) => event.created)),
      owedInMs,
    ],
  }
}

/** The columns `reason`, `payment_id` and `waits_for`. */
function columnsOf(outcomes: readonly Outcome[]): Buffer[] {
  return [
    textArray(outcomes.map((outcome) => ('reason' in outcome ? outcome.reason : null))),
    textArray(outcomes.map((outcome) => (outcome.status === 'processed' ? outcome.paymentId : null))),
    textArray(outcomes.map((outcome) => (outcome.status === 'received' ? outcome.waitsFor : null))),
  ]
}

// A text column refuses NUL and lone surrogates are no UTF-8; the payload keeps the truth as bytes.
function storable(value: unknown): string | null {
  return typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed().slice(0, 255) : null
}

/** Writes what became of stored events in the transaction that carries their effects. */
export function markEvents(outcomes: ReadonlyMap<string, Outcome>, owedInMs: number): Statement[] {
  if (outcomes.size === 0) return []
  const values = [...outcomes.values()]
  return [
    {
      name: 'mark_events',
      text: `update stripe_events e set status = n.status, reason = n.reason, payment_id = n.payment_id,
             waits_for = n.waits_for, error_message = null,
             retry_at = case when n.status = 'received' then now() + $6 * interval '1 millisecond' end,
             processed_at = case when n.status <> 'received' then now() end
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
             as n(id, status, reason, payment_id, waits_for)
           where e.id = n.id`,
      values: [
        textArray([...outcomes.keys()]),
        textArray(values.map((outcome) => outcome.status)),
        ...columnsOf(values),
        owedInMs,
      ],
    },
  ]
}

export type OwedEvent = { readonly id: string; readonly payload: Buffer; readonly attempts: number }

/**
 * The events that wait for one of these objects to be linked, locked: rows of `OwedEvent`. Those another transaction
 * works on are left to it.
 */
export function lockWaitingEvents(objectIds: readonly string[]): Statement {
  return {
    name: 'lock_waiting_events',
    text: `select id, payload, attempts from stripe_events
           where waits_for = any($1) and status = 'received' order by id for update skip locked`,
    values: [textArray(objectIds)],
  }
}

/**
 * Claims one event whose effect is owed and due, for `leaseMs`: nobody else takes it before, and a process that dies
 * with it loses nothing but that time.
 */
export async function claimOwedEvent(pool: Pool, leaseMs: number): Promise<OwedEvent | null> {
  const { rows } = await pool.query<OwedEvent>({
    name: 'claim_owed_event',
    text: `update stripe_events set attempts = attempts + 1, retry_at = now() + $1 * interval '1 millisecond'
           where id = (select id from stripe_events where status = 'received' and retry_at <= now()
                       order by retry_at limit 1 for update skip locked)
           returning id, payload, attempts`,
    values: [leaseMs],
  })
  return rows[0] ?? null
}

/** As `claimOwedEvent`, for up to `limit` events that nobody has tried yet: what an outage left behind. */
export async function claimUntriedEvents(pool: Pool, leaseMs: number, limit: number): Promise<OwedEvent[]> {
  const { rows } = await pool.query<OwedEvent>({
    name: 'claim_untried_events',
    text: `update stripe_events set attempts = attempts + 1, retry_at = now() + $1 * interval '1 millisecond'
           where id = any(array(
             select id from stripe_events where status = 'received' and retry_at <= now() and attempts = 0
             order by retry_at limit $2 for update skip locked))
           returning id, payload, attempts`,
    values: [leaseMs, limit],
  })
  return rows
}

/** Makes claimed events due again at once. */
export async function releaseOwedEvents(pool: Pool, ids: readonly string[]): Promise<void> {
  await pool.query({
    name: 'release_owed_events',
    text: "update stripe_events set retry_at = now() where id = any($1) and status = 'received'",
    values: [ids],
  })
}

/** As `lockOwedEvent`, for many: those of them whose effect is not there yet. */
export async function lockOwedEvents(tx: Tx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'lock_owed_events',
    text: "select id from stripe_events where id = any($1) and status = 'received' order by id for update",
    values: [ids],
  })
  return new Set(rows.map(({ id }) => id))
}

/** Locks a claimed event for its effects; false when its effect is there already. */
export async function lockOwedEvent(tx: Tx, id: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    "select from stripe_events where id = $1 and status = 'received' for update",
    [id],
  )
  return rowCount === 1
}

/** Records a failed try: due again after `waitMs`, or, with null, dead until a person replays it. */
export async function recordFailure(tx: Tx, id: string, error: string, waitMs: number | null): Promise<void> {
  await tx.query(
    `update stripe_events set error_message = $2, status = case when $3::float8 is null then 'failed' else 'received' end,
       retry_at = now() + $3::float8 * interval '1 millisecond'
     where id = $1 and status = 'received'`,
    [id, error.slice(0, 1000), waitMs],
  )
}

/** Milliseconds until the next owed event is due, or null when none is owed. */
export async function nextOwedInMs(pool: Pool): Promise<number | null> {
  const { rows } = await pool.query<{ ms: number | null }>({
    name: 'next_owed_event',
    text: "select (extract(epoch from min(retry_at) - now()) * 1000)::float8 as ms from stripe_events where status = 'received'",
  })
  return rows[0]?.ms ?? null
}

/** An event as it was before it was set back for another try. */
export type Requeued = {
  readonly id: string
  readonly type: string
  readonly status: EventStatus
  readonly reason: string | null
  readonly error: string | null
  readonly attempts: number
  readonly paymentId: string | null
}

/**
 * Sets stored events back to owed, due now, with all their tries ahead of them, and wakes the workers of every process
 * at the commit. Events whose payload is redacted are left alone, as there is nothing to apply.
 */
export async function requeueEvents(tx: Tx, ids: readonly string[]): Promise<Requeued[]> {
  const { rows } = await tx.query<Requeued>({
    name: 'requeue_events',
    text: `with before as (
             select id, type, status, reason, error_message, attempts, payment_id from stripe_events
             where id = any($1) and redacted_at is null order by id for update
           )
           update stripe_events e set status = 'received', retry_at = now(), attempts = 0, waits_for = null,
             processed_at = null
           from before b where e.id = b.id
           returning b.id, b.type, b.status, b.reason, b.error_message as error, b.attempts,
                     b.payment_id as "paymentId"`,
    values: [ids],
  })
  if (rows.length > 0) await tx.query(`select pg_notify('${EVENTS_CHANNEL}', '')`)
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1))
}
