import type { Queryable, Tx } from '@passerelle/kit/database'
import type { PaymentStatus } from '@passerelle/contracts/payment'
import type { Transition } from '../payments/payment.repository.ts'
import type { Drift } from './drift.ts'

/** Where the very first sweep begins, as a Unix second: with the first payment there is, or now. */
export async function sweepSince(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ second: number }>(
    'select floor(extract(epoch from coalesce(min(created_at), now())))::float8 as second from payments',
  )
  return rows[0]?.second ?? 0
}

export async function markSwept(tx: Tx, eventIds: readonly string[]): Promise<void> {
  await tx.query("update stripe_events set source = 'sweep' where id = any($1)", [eventIds])
}

/** One line per missing event that says something about a payment of ours, or may once it can be read. */
export async function eventDrift(
  tx: Tx,
  eventIds: readonly string[],
  transitions: readonly Transition[],
): Promise<Drift[]> {
  const { rows } = await tx.query<{
    id: string
    type: string
    status: string
    payment_id: string | null
    payment_status: PaymentStatus | null
    age_seconds: number
  }>(
    `select e.id, e.type, e.status, e.payment_id, p.status as payment_status,
       greatest(extract(epoch from now() - e.created_at), 0)::float8 as age_seconds
     from stripe_events e left join payments p on p.id = e.payment_id
     where e.id = any($1) and e.status <> 'skipped' order by e.created_at, e.id`,
    [eventIds],
  )
  return rows.map((row) => {
    const moved = transitions.find(
      ({ paymentId, because }) => paymentId === row.payment_id && because.split(' ').includes(row.id),
    )
    return {
      foundBy: 'sweep',
      kind: 'event_missing',
      subject: row.id,
      paymentId: row.payment_id,
      thought: moved?.from ?? row.payment_status ?? 'unknown',
      stripeSaid: row.type,
      done: doneText(row.status, moved),
      ageSeconds: row.age_seconds,
    }
  })
}

function doneText(status: string, moved: Transition | undefined): string {
  if (status !== 'processed') return 'stored, owed to the worker'
  return moved === undefined ? 'applied, nothing new' : `applied: ${moved.from} → ${moved.to}`
}
