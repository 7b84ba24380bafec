import type { DeliveryAttemptView, DeliveryView } from '@passerelle/contracts/admin'
import type { Queryable } from '@passerelle/kit/database'
import type { Matching } from './match-rows.repository.ts'
import { listValues } from './page.ts'
import type { Cursor, PageWish } from './page.ts'

export type StoredDelivery = Omit<DeliveryView, TimeField> & {
  readonly [Field in TimeField]: Date | (Field extends 'createdAt' | 'dueAt' ? never : null)
} & { readonly cursor: Cursor }
type TimeField = 'createdAt' | 'dueAt' | 'deliveredAt' | 'redeliveredAt'

export type DeliveryFilter = {
  readonly status?: string | undefined
  readonly type?: string | undefined
  readonly bookingId?: string | undefined
}

const COLUMNS = `
  id, payment_id as "paymentId", booking_id as "bookingId", version, body ->> 'status' as announces, status,
  attempts as "attemptCount", due_at as "dueAt", last_error as "lastError", created_at as "createdAt",
  delivered_at as "deliveredAt", redelivered_at as "redeliveredAt",
  json_build_object('at', created_at::text, 'id', id) as cursor`

/** Up to `limit + 1` deliveries, newest first. */
export async function listDeliveries(
  db: Queryable,
  filter: DeliveryFilter,
  page: PageWish,
): Promise<StoredDelivery[]> {
  const { rows } = await db.query<StoredDelivery>(
    `select ${COLUMNS} from deliveries
     where ($1::text is null or status = $1) and ($2::text is null or body ->> 'status' = $2)
       and ($3::text is null or booking_id = $3)
       and ($4::timestamptz is null or (created_at, id) < ($4, $5))
     order by created_at desc, id desc limit $6`,
    listValues(filter, page),
  )
  return rows
}

export async function findDelivery(
  db: Queryable,
  id: string,
): Promise<(StoredDelivery & { readonly body: unknown }) | null> {
  const { rows } = await db.query<StoredDelivery & { body: unknown }>(
    `select ${COLUMNS}, body from deliveries where id = $1`,
    [id],
  )
  return rows[0] ?? null
}

export async function findDeliveries(db: Queryable, ids: readonly string[]): Promise<StoredDelivery[]> {
  const { rows } = await db.query<StoredDelivery>(
    `select ${COLUMNS} from deliveries where id = any($1) order by created_at, id`,
    [ids],
  )
  return rows
}

export type DeliveryAttempt = Omit<DeliveryAttemptView, 'at'> & { readonly at: Date }

// A delivery that was probed for three days has thousands; the newest tell the story.
const ATTEMPTS_SHOWN_MAX = 200

/** The newest attempts of a delivery, oldest first. */
export async function listDeliveryAttempts(db: Queryable, deliveryId: string): Promise<DeliveryAttempt[]> {
  const { rows } = await db.query<DeliveryAttempt>(
    `select number, outcome, response_status as "responseStatus", error, duration_ms as "durationMs", at
     from delivery_attempts where delivery_id = $1 order by number desc, id desc limit $2`,
    [deliveryId, ATTEMPTS_SHOWN_MAX],
  )
  return rows.toReversed()
}

export const DELIVERIES: Matching = {
  table: 'deliveries',
  matches: `
    ($1::text is null or status = $1) and ($2::text is null or body ->> 'status' = $2)
    and ($3::timestamptz is null or created_at >= $3) and ($4::timestamptz is null or created_at < $4)`,
  oldestBy: 'created_at',
}
