import type { EventView } from '@passerelle/contracts/admin'
import type { Queryable } from '@passerelle/kit/database'
import type { EventStatus } from '../stripe/inbox.repository.ts'
import type { Matching } from './match-rows.repository.ts'
import { listValues } from './page.ts'
import type { Cursor, PageWish } from './page.ts'

export type StoredEvent = Omit<EventView, TimeField> & {
  readonly [Field in TimeField]: Date | (Field extends 'createdAt' | 'receivedAt' ? never : null)
} & { readonly cursor: Cursor }
type TimeField = 'createdAt' | 'receivedAt' | 'processedAt' | 'retryAt' | 'redactedAt'

export type EventFilter = {
  readonly status?: EventStatus | undefined
  readonly type?: string | undefined
  readonly bookingId?: string | undefined
}

const COLUMNS = `
  e.id as "eventId", e.type, e.status, e.reason, e.error_message as "errorMessage", e.attempts as "attemptCount",
  e.api_version as "apiVersion", e.livemode, e.object_id as "objectId", e.payment_id as "paymentId",
  p.booking_id as "bookingId", e.created_at as "createdAt", e.received_at as "receivedAt",
  e.processed_at as "processedAt", e.retry_at as "retryAt", e.redacted_at as "redactedAt",
  json_build_object('at', e.received_at::text, 'id', e.id) as cursor`

/** Up to `limit + 1` events, newest first. */
export async function listEvents(db: Queryable, filter: EventFilter, page: PageWish): Promise<StoredEvent[]> {
  const { rows } = await db.query<StoredEvent>(
    `select ${COLUMNS} from stripe_events e left join payments p on p.id = e.payment_id
     where ($1::text is null or e.status = $1) and ($2::text is null or e.type = $2)
       and ($3::text is null or e.payment_id = (select id from payments where booking_id = $3))
       and ($4::timestamptz is null or (e.received_at, e.id) < ($4, $5))
     order by e.received_at desc, e.id desc limit $6`,
    listValues(filter, page),
  )
  return rows
}

export async function findEvent(
  db: Queryable,
  id: string,
): Promise<(StoredEvent & { readonly payload: Buffer }) | null> {
  const { rows } = await db.query<StoredEvent & { payload: Buffer }>(
    `select ${COLUMNS}, e.payload from stripe_events e left join payments p on p.id = e.payment_id where e.id = $1`,
    [id],
  )
  return rows[0] ?? null
}

export const EVENTS: Matching = {
  table: 'stripe_events',
  matches: `
    ($1::text is null or status = $1) and ($2::text is null or type = $2)
    and ($3::timestamptz is null or received_at >= $3) and ($4::timestamptz is null or received_at < $4)
    and redacted_at is null`,
  oldestBy: 'received_at',
}

export async function findEvents(db: Queryable, ids: readonly string[]): Promise<StoredEvent[]> {
  const { rows } = await db.query<StoredEvent>(
    `select ${COLUMNS} from stripe_events e left join payments p on p.id = e.payment_id
     where e.id = any($1) order by e.received_at, e.id`,
    [ids],
  )
  return rows
}
