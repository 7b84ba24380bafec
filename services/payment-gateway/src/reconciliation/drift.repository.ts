import type { Queryable, Tx } from '@passerelle/kit/database'
import type { Drift } from './drift.ts'

export async function insertDrift(tx: Tx, drift: readonly Drift[]): Promise<void> {
  if (drift.length === 0) return
  await tx.query({
    name: 'insert_drift',
    text: `insert into drift (found_by, kind, subject, payment_id, thought, stripe_said, done, age_seconds)
           select "foundBy", kind, subject, "paymentId", thought, "stripeSaid", done, "ageSeconds"
           from jsonb_to_recordset($1::jsonb) as n(
             "foundBy" text, kind text, subject text, "paymentId" text, thought text, "stripeSaid" text, done text,
             "ageSeconds" float8)
           on conflict (subject) where kind = 'event_missing' do nothing`,
    values: [JSON.stringify(drift)],
  })
}

export type DriftRow = Drift & {
  readonly id: string
  readonly foundAt: Date
  readonly cursor: { readonly at: string; readonly id: string }
}

export type DriftFilter = {
  readonly foundBy: string | null
  readonly kind: string | null
  readonly paymentId: string | null
  readonly after: { readonly at: string; readonly id: string } | null
  readonly limit: number
}

/** Newest first, one more than the limit when there is another page. */
export async function listDrift(db: Queryable, filter: DriftFilter): Promise<DriftRow[]> {
  const { rows } = await db.query<DriftRow>(
    `select id::text, found_by as "foundBy", kind, subject, payment_id as "paymentId", thought,
       stripe_said as "stripeSaid", done, age_seconds as "ageSeconds", found_at as "foundAt",
       json_build_object('at', found_at::text, 'id', id::text) as cursor
     from drift
     where ($1::text is null or found_by = $1) and ($2::text is null or kind = $2)
       and ($3::text is null or payment_id = $3)
       and ($4::text is null or (found_at, id) < ($4::timestamptz, $5::bigint))
     order by found_at desc, id desc limit $6`,
    [
      filter.foundBy,
      filter.kind,
      filter.paymentId,
      filter.after?.at ?? null,
      filter.after?.id ?? null,
      filter.limit + 1,
    ],
  )
  return rows
}
