import type { AdminPaymentView } from '@passerelle/contracts/admin'
import type { Queryable } from '@passerelle/kit/database'
import type { Cursor, PageWish } from './page.ts'

export type StoredPayment = Omit<AdminPaymentView, 'amount' | TimeField> & {
  readonly [Field in TimeField]: Date | (Field extends 'paidAt' ? null : never)
} & { readonly cursor: Cursor }
type TimeField = 'paidAt' | 'createdAt' | 'updatedAt'

export type PaymentFilter = {
  readonly status?: string | undefined
  readonly bookingId?: string | undefined
  readonly q?: string | undefined
}

const COLUMNS = `
  id as "paymentId", booking_id as "bookingId", customer_id as "customerId", livemode, status,
  amount_minor as "amountMinor", currency, captured_minor as "capturedMinor",
  refunded_minor as "refundedAmountMinor", payment_intent_id as "paymentIntentId", paid_at as "paidAt",
  error_code as "errorCode", error_message as "errorMessage", announced ->> 'status' as announced,
  announced_version as "announcedVersion", version, created_at as "createdAt", updated_at as "updatedAt",
  json_build_object('at', created_at::text, 'id', id) as cursor`

// Every table that ties an id to a payment, each by its index; an id of one kind is never an id of another.
const PAYMENTS_BY_ANY_ID = `
  select id from payments where id = $3 or booking_id = $3
  union select payment_id from stripe_objects where id = $3
  union select payment_id from payment_attempts where id = $3 or session_id = $3 or payment_intent_id = $3
  union select payment_id from stripe_events where id = $3
  union select payment_id from deliveries where id = $3
  union select payment_id from refunds where id = $3
  union select payment_id from refund_requests where id = $3
  union select payment_id from disputes where id = $3`

/** Up to `limit + 1` payments, newest first. */
export async function listPayments(
  db: Queryable,
  filter: PaymentFilter,
  page: PageWish,
): Promise<StoredPayment[]> {
  const { rows } = await db.query<StoredPayment>(
    `select ${COLUMNS} from payments
     where ($1::text is null or status = $1) and ($2::text is null or booking_id = $2)
       and ($3::text is null or id in (${PAYMENTS_BY_ANY_ID}))
       and ($4::timestamptz is null or (created_at, id) < ($4, $5))
     order by created_at desc, id desc limit $6`,
    [
      filter.status ?? null,
      filter.bookingId ?? null,
      filter.q ?? null,
      page.after?.at ?? null,
      page.after?.id ?? null,
      page.limit + 1,
    ],
  )
  return rows
}

export async function findStoredPayment(db: Queryable, id: string): Promise<StoredPayment | null> {
  const { rows } = await db.query<StoredPayment>(`select ${COLUMNS} from payments where id = $1`, [id])
  return rows[0] ?? null
}
