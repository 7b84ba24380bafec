import type { Pool } from '@passerelle/kit/database'
import { inTransaction } from '@passerelle/kit/database'

/** How much is owed and to whom it cannot be given; every number comes from a partial index over what is unfinished. */
export type Overview = {
  readonly owedEvents: number
  readonly oldestOwedSeconds: number | null
  readonly failedEvents: number
  readonly pendingDeliveries: number
  readonly oldestPendingSeconds: number | null
  readonly deadDeliveries: number
  readonly openIncidents: number
  readonly driftLastHour: number
  readonly sweepAgeSeconds: number | null
  readonly reconcileAgeSeconds: number | null
}

// Whoever watches must not be what the database is busy with.
const READ_MS_MAX = 1000

/** Reads the overview, or throws when the database does not answer within a second. */
export async function readOverview(pool: Pool): Promise<Overview> {
  return inTransaction(pool, async (tx) => {
    await tx.query(`set local statement_timeout = ${READ_MS_MAX}`)
    const { rows } = await tx.query<Overview>({
      name: 'read_overview',
      text: `select
          owed.number as "owedEvents", owed.age as "oldestOwedSeconds",
          (select count(*) from stripe_events where status = 'failed') as "failedEvents",
          pending.number as "pendingDeliveries", pending.age as "oldestPendingSeconds",
          (select count(*) from deliveries where status = 'dead') as "deadDeliveries",
          (select count(*) from incidents where resolved_at is null) as "openIncidents",
          (select count(*) from drift where found_at > now() - interval '1 hour') as "driftLastHour",
          ${ageOf('sweep')} as "sweepAgeSeconds",
          ${ageOf('reconcile')} as "reconcileAgeSeconds"
        from
          (select count(*) as number, extract(epoch from now() - min(received_at))::float8 as age
           from stripe_events where status = 'received') owed,
          (select count(*) as number, extract(epoch from now() - min(coalesce(redelivered_at, created_at)))::float8 as age
           from deliveries where status = 'pending') pending`,
    })
    const [overview] = rows
    if (overview === undefined) throw new Error('a select without a where returns one row')
    return overview
  })
}

function ageOf(schedule: 'sweep' | 'reconcile'): string {
  return `(select extract(epoch from now() - finished_at)::float8 from schedule_runs
           where schedule = '${schedule}' and finished_at is not null and error is null order by id desc limit 1)`
}
