import type { Queryable, Statement, Tx } from '@passerelle/kit/database'
import { textArray } from '@passerelle/kit/sql-array'

export type ClaimedForward = {
  readonly eventId: string
  readonly type: string
  /** The bytes as Stripe sent them; empty once they were redacted. */
  readonly payload: Buffer
  readonly attempts: number
  /** By the database's clock. */
  readonly ageMs: number
}

/** Owes events to the extension. An event replayed after it was given up is owed again; any other is owed once. */
export function insertForwards(eventIds: readonly string[]): Statement[] {
  if (eventIds.length === 0) return []
  return [
    {
      name: 'insert_forwards',
      text: `insert into forwards (event_id) select unnest($1::text[]) order by 1
           on conflict (event_id) do update set status = 'pending', attempts = 0, retry_at = now(), created_at = now()
           where forwards.status = 'dead'`,
      values: [textArray(eventIds)],
    },
  ]
}

/** Claims one event that is to be forwarded, for `leaseMs`; a process that dies with it loses nothing but that time. */
export async function claimForward(db: Queryable, leaseMs: number): Promise<ClaimedForward | null> {
  const { rows } = await db.query<ClaimedForward>({
    name: 'claim_forward',
    text: `with claimed as (
             update forwards set attempts = attempts + 1, retry_at = now() + $1 * interval '1 millisecond'
             where event_id = (select event_id from forwards where status = 'pending' and retry_at <= now()
                               order by retry_at limit 1 for update skip locked)
             returning event_id, attempts, created_at)
           select c.event_id as "eventId", e.type, e.payload, c.attempts, (extract(epoch from now() - c.created_at) * 1000)::float8 as "ageMs"
           from claimed c join stripe_events e on e.id = c.event_id`,
    values: [leaseMs],
  })
  return rows[0] ?? null
}

export type AfterForward =
  | { readonly status: 'forwarded' }
  | { readonly status: 'dead'; readonly error: string }
  | { readonly status: 'pending'; readonly error: string; readonly waitMs: number }

/** Writes how an attempt ended, unless somebody has claimed the event since. */
export async function finishForward(tx: Tx, forward: ClaimedForward, after: AfterForward): Promise<void> {
  await tx.query({
    name: 'finish_forward',
    text: `update forwards set status = $3, last_error = $4,
             retry_at = now() + $5 * interval '1 millisecond',
             forwarded_at = case when $3 = 'forwarded' then now() end
           where event_id = $1 and attempts = $2 and status = 'pending'`,
    values: [
      forward.eventId,
      forward.attempts,
      after.status,
      after.status === 'forwarded' ? null : after.error,
      after.status === 'pending' ? after.waitMs : 0,
    ],
  })
}

export async function nextForwardInMs(db: Queryable): Promise<number | null> {
  const { rows } = await db.query<{ ms: number | null }>({
    name: 'next_forward',
    text: `select (extract(epoch from min(retry_at) - now()) * 1000)::float8 as ms from forwards where status = 'pending'`,
  })
  return rows[0]?.ms ?? null
}
