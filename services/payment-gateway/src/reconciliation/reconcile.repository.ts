import type { Queryable, Tx } from '@passerelle/kit/database'

/** A payment that Stripe is to be asked about, and what is not final about it. */
export type DuePayment = {
  readonly paymentId: string
  readonly reason: string
  /** How often it was asked because of this. */
  readonly checks: number
}

export type DueWish = {
  readonly limit: number
  /** What happened less than this ago is left to its webhook. */
  readonly afterSeconds: number
  /** By hand: the growing intervals are not waited for. */
  readonly everything: boolean
}

/** The payments that are not final and due, those that waited longest first; one more than the limit when there are more. */
export async function findDuePayments(db: Queryable, wish: DueWish): Promise<DuePayment[]> {
  const { rows } = await db.query<DuePayment>({
    name: 'find_due_payments',
    text: `with under_way as (
             select payment_id, 1 as rank, 'attempt ' || id as reason, created_at as since
             from payment_attempts where state in ('creating', 'open')
             union all
             select id, 2, 'processing', updated_at from payments where status = 'processing'
             union all
             select payment_id, 3, 'refund', updated_at from refunds where status in ('pending', 'requires_action')
             union all
             select payment_id, 4, 'dispute', updated_at from disputes
             where status not in ('won', 'lost', 'warning_closed', 'prevented')
           ), payment as (
             select distinct on (payment_id) payment_id, reason, since from under_way order by payment_id, rank, since
           )
           select p.payment_id as "paymentId", p.reason,
             case when c.reason = p.reason then c.checks else 0 end as checks
           from payment p left join payment_checks c on c.payment_id = p.payment_id
           where ($3 or c.payment_id is null or c.reason <> p.reason or c.next_at <= now())
             and p.since <= now() - $2 * interval '1 second'
           order by case when c.reason = p.reason then c.next_at end nulls first, p.since
           limit $1 + 1`,
    values: [wish.limit, wish.afterSeconds, wish.everything],
  })
  return rows
}

export async function saveCheck(db: Queryable, due: DuePayment, nextInMs: number): Promise<void> {
  await db.query({
    name: 'save_check',
    text: `insert into payment_checks (payment_id, reason, checks, next_at)
           values ($1, $2, $3, now() + $4 * interval '1 millisecond')
           on conflict (payment_id) do update
             set reason = excluded.reason, checks = excluded.checks, next_at = excluded.next_at`,
    values: [due.paymentId, due.reason, due.checks + 1, nextInMs],
  })
}

/** The newest version that was written for the booking service, 0 when none was. */
export async function newestDelivery(tx: Tx, bookingId: string): Promise<number> {
  const { rows } = await tx.query<{ version: number }>(
    'select coalesce(max(version), 0) as version from deliveries where booking_id = $1',
    [bookingId],
  )
  return rows[0]?.version ?? 0
}

/** The next payments by id that changed in the last week, with the newest version written for each. */
export async function findToldPayments(
  db: Queryable,
  afterId: string,
  limit: number,
): Promise<{ id: string; recent: boolean; told: number }[]> {
  const { rows } = await db.query<{ id: string; recent: boolean; told: number }>({
    name: 'find_told_payments',
    text: `select p.id, p.updated_at > now() - interval '7 days' as recent, coalesce(
             (select max(d.version) from deliveries d where d.booking_id = p.booking_id), 0) as told
           from payments p where p.id > $1 order by p.id limit $2`,
    values: [afterId, limit],
  })
  return rows
}
