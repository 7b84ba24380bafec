import type { IncidentView } from '@passerelle/contracts/admin'
import type { Queryable, Tx } from '@passerelle/kit/database'
import type { Act } from './act.ts'
import { listValues } from './page.ts'
import type { Cursor, PageWish } from './page.ts'

export type Incident = Omit<IncidentView, 'id' | 'raisedAt' | 'resolvedAt'> & {
  readonly id: number
  readonly raisedAt: Date
  readonly resolvedAt: Date | null
  readonly cursor: Cursor
}

export type IncidentFilter = {
  readonly status?: 'open' | 'resolved' | undefined
  readonly type?: string | undefined
  readonly bookingId?: string | undefined
}

const COLUMNS = `
  i.id, i.kind, i.subject, i.payment_id as "paymentId", p.booking_id as "bookingId",
  case when i.resolved_at is null then 'open' else 'resolved' end as status, i.detail, i.raised_at as "raisedAt",
  i.resolved_at as "resolvedAt", i.resolved_by as "resolvedBy", i.resolved_because as "resolvedBecause",
  json_build_object('at', i.raised_at::text, 'id', i.id::text) as cursor`

/** Up to `limit + 1` incidents, newest first. */
export async function listIncidents(
  db: Queryable,
  filter: IncidentFilter,
  page: PageWish,
): Promise<Incident[]> {
  const { rows } = await db.query<Incident>(
    `select ${COLUMNS} from incidents i left join payments p on p.id = i.payment_id
     where ($1::text is null or (i.resolved_at is null) = ($1 = 'open')) and ($2::text is null or i.kind = $2)
       and ($3::text is null or p.booking_id = $3)
       and ($4::timestamptz is null or (i.raised_at, i.id) < ($4, $5::bigint))
     order by i.raised_at desc, i.id desc limit $6`,
    listValues(filter, page),
  )
  return rows
}

export async function lockIncident(tx: Tx, id: number): Promise<Incident | null> {
  const { rows } = await tx.query<Incident>(
    `select ${COLUMNS} from incidents i left join payments p on p.id = i.payment_id where i.id = $1
     for update of i`,
    [id],
  )
  return rows[0] ?? null
}

export async function resolveIncident(tx: Tx, id: number, act: Act): Promise<void> {
  await tx.query(
    'update incidents set resolved_at = now(), resolved_by = $2, resolved_because = $3 where id = $1',
    [id, act.actor, act.reason],
  )
}

/** Resolves what is open of one kind about these subjects: somebody has taken care of it. */
export async function resolveIncidents(
  tx: Tx,
  about: { readonly kind: string; readonly subjects: readonly string[] },
  act: Act,
): Promise<void> {
  await tx.query(
    `update incidents set resolved_at = now(), resolved_by = $3, resolved_because = $4
     where kind = $1 and subject = any($2) and resolved_at is null`,
    [about.kind, about.subjects, act.actor, act.reason],
  )
}
