// Millions of finished payments in minutes: one that the gateway itself has finished is copied by SQL, table by table, with
// ids and times of its own for each copy. Whatever the gateway writes for a payment is therefore there, today's columns too.
import type { Pool } from 'pg'
import { own } from './ids.ts'

/** The tag of all copies: it sorts before those of rows, as what is older does. */
const CLONED_TAG = 'a000000000'
const PER_TRANSACTION = 20_000
const AT_ONCE = 2
// Copies lie in the two years before the retention of payloads, as the payments of a service that has run for long do.
const NEWEST_DAYS = 91
const OLDEST_DAYS = 821

type Column = { readonly name: string; readonly type: string }
type Table = {
  readonly name: string
  readonly columns: readonly Column[]
  readonly rows: readonly CellTexts[]
}
type CellTexts = Readonly<Record<string, string | null>>

/**
 * Copies the finished payment `original` `count` times; ends with the tables vacuumed and analysed. Called again after it
 * was cut off, it goes on where it was.
 */
export async function cloneLives(pool: Pool, original: string, count: number): Promise<void> {
  const tables = await readLife(pool, original)
  const ids = idsOf(tables)
  const statements = tables.map((table) => insertOf(table, ids, count))
  // Only while they are copied: vacuum comes once, at the end.
  for (const { name } of tables) await pool.query(`alter table ${name} set (autovacuum_enabled = false)`)
  let next = 0
  const work = async (): Promise<void> => {
    const client = await pool.connect()
    try {
      // What the copies refer to is copied with them.
      await client.query("set session_replication_role = 'replica'; set synchronous_commit = off")
      for (let from = next; from < count; from = next) {
        next = from + PER_TRANSACTION
        const first = own('pay', CLONED_TAG, from)
        const { rowCount } = await client.query('select from payments where id = $1', [first])
        if (rowCount !== 0) continue
        await client.query('begin')
        for (const sql of statements)
          await client.query(sql, [from, Math.min(from + PER_TRANSACTION, count) - 1])
        await client.query('commit')
      }
    } finally {
      client.release(true)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  // The worker that redacts begins where it ended, which in these tables is after the copies.
  await pool.query(
    `insert into retention_marks (name, done_until) values ('stripe_events', now() - interval '${NEWEST_DAYS} days')
     on conflict (name) do update set done_until = excluded.done_until`,
  )
  for (const { name } of tables) {
    await pool.query(`alter table ${name} reset (autovacuum_enabled)`)
    await pool.query(`vacuum (analyze) ${name}`)
  }
}

/** Every row of the payment, in every table that has any, as texts. */
async function readLife(pool: Pool, original: string): Promise<readonly Table[]> {
  const { rows: columns } = await pool.query<{ table: string; name: string; type: string }>(
    `select c.table_name as table, c.column_name as name, c.udt_name as type
     from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'payment_gateway' and t.table_type = 'BASE TABLE' and c.is_identity = 'NO'
     order by c.table_name, c.ordinal_position`,
  )
  const tables: Table[] = []
  for (const [name, those] of Map.groupBy(columns, ({ table }) => table)) {
    const where = whereOf(name, new Set(those.map((column) => column.name)))
    if (where === null) continue
    const { rows } = await pool.query<CellTexts>(
      `select ${those.map((column) => `${textOf(column)} as ${column.name}`).join(', ')} from ${name} where ${where}`,
      [original],
    )
    if (rows.length > 0) tables.push({ name, columns: those, rows })
  }
  return tables
}

const textOf = ({ name, type }: Column): string =>
  type === 'bytea' ? `encode(${name}, 'hex')` : `${name}::text`

/** Which rows of a table are of payment $1; null: none can be. */
function whereOf(table: string, columns: ReadonlySet<string>): string | null {
  if (table === 'payments') return 'id = $1'
  // An event that said nothing is stored without its payment; its payload names it all the same.
  if (table === 'stripe_events') return "position(convert_to($1, 'UTF8') in payload) > 0"
  if (columns.has('payment_id')) return 'payment_id = $1'
  if (columns.has('delivery_id')) return 'delivery_id in (select id from deliveries where payment_id = $1)'
  return null
}

const ID = /[a-z]+_[A-Za-z0-9_]{14,}/g

/** Every id in some cell, with the SQL that makes a copy's. A word like payment_intent_succeeded has no digit. */
function idsOf(tables: readonly Table[]): ReadonlyMap<string, string> {
  const ids = new Map<string, string>()
  for (const cell of tables.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row))))
    for (const id of cell?.match(ID) ?? []) if (/\d/.test(id)) ids.set(id, copyOf(id))
  return ids
}

/** Of the same length and kind: ours with the copy's number, Stripe's by time and then random, sessions random. */
function copyOf(id: string): string {
  const prefix = id.slice(0, id.indexOf('_'))
  if (['pay', 'bkg', 'att'].includes(prefix))
    return `('${own(prefix, CLONED_TAG, 0).slice(0, -22)}' || lpad(i::text, 22, '0'))`
  const random = `md5(i || '${id}') || md5('${id}' || i)`
  if (prefix === 'cs') return `('cs_test_a1' || left(${random}, ${id.length - 10}))`
  return `('${prefix}_' || lpad(i::text, 10, '0') || left(${random}, ${id.length - prefix.length - 11}))`
}

function insertOf({ name, columns, rows }: Table, ids: ReadonlyMap<string, string>, count: number): string {
  const names = columns.map((column) => column.name).join(', ')
  const values = rows
    .map((row) => `(${columns.map((column) => expressionOf({ name, column, row, ids, count })).join(', ')})`)
    .join(', ')
  return `insert into ${name} (${names})
    select v.* from generate_series($1::int, $2::int) as i cross join lateral (values ${values}) as v`
}

function expressionOf(of: {
  readonly name: string
  readonly column: Column
  readonly row: CellTexts
  readonly ids: ReadonlyMap<string, string>
  readonly count: number
}): string {
  const { name, column, row, ids, count } = of
  // As redaction leaves it; copies are older than any retention.
  if (name === 'stripe_events' && column.name === 'payload') return `'{"redacted":true}'::bytea`
  const age = `interval '${OLDEST_DAYS} days' - i * interval '${((OLDEST_DAYS - NEWEST_DAYS) * 86_400) / count} seconds'`
  if (name === 'stripe_events' && column.name === 'redacted_at') return `now() - interval '1 day'`
  const text = row[column.name] ?? null
  if (text === null) return `null::${column.type}`
  if (column.type === 'timestamptz') return `${quote(text)}::timestamptz - (${age})`
  if (column.type === 'bytea') return `decode(${quote(text)}, 'hex')`
  const parts = text.split(ID)
  const found = text.match(ID) ?? []
  const sql = parts.flatMap((part, index) => {
    const id = found[index]
    return [...(part === '' ? [] : [quote(part)]), ...(id === undefined ? [] : [ids.get(id) ?? quote(id)])]
  })
  return `(${sql.length === 0 ? "''" : sql.join(' || ')})::${column.type}`
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`
