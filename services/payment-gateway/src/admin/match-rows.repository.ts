import type { Queryable } from '@passerelle/kit/database'

export type ManyFilter = {
  readonly status?: string | undefined
  readonly type?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** What a replay or a redelivery of many is about: a table, how its rows match a filter ($1 to $4), and what makes one older. */
export type Matching = {
  readonly table: 'stripe_events' | 'deliveries'
  readonly matches: string
  readonly oldestBy: 'received_at' | 'created_at'
}

// Telling "ten thousand and more" is enough to decide; counting all of a large inbox is not worth its time.
const MATCHED_MAX = 10_000

/** How many rows a filter matches (counted up to 10,000), and the ids of the oldest `limit` of them. */
export async function matchRows(
  db: Queryable,
  { table, matches, oldestBy }: Matching,
  filter: ManyFilter,
  limit: number,
): Promise<{ readonly matched: number; readonly ids: readonly string[] }> {
  const values = [filter.status ?? null, filter.type ?? null, filter.since ?? null, filter.until ?? null]
  const { rows: counted } = await db.query<{ matched: number }>(
    `select count(*)::int as matched from (select from ${table} where ${matches} limit $5) m`,
    [...values, MATCHED_MAX],
  )
  const { rows } = await db.query<{ id: string }>(
    `select id from ${table} where ${matches} order by ${oldestBy}, id limit $5`,
    [...values, limit],
  )
  return { matched: counted[0]?.matched ?? 0, ids: rows.map(({ id }) => id) }
}
