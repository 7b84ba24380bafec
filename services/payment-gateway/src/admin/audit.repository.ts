import type { Pool, Queryable, Tx } from '@passerelle/kit/database'
import { auditHash, CHAIN_START, firstBreak } from './audit.ts'
import type { AuditEntry, AuditRow } from './audit.ts'

type Row = {
  id: number
  at: Date
  actor: string
  action: string
  subject: string
  payment_id: string | null
  reason: string | null
  before: AuditRow['before']
  after: AuditRow['after']
  request_id: string
  previous_hash: string
  hash: string
}

function fromRow(row: Row): AuditRow {
  const { payment_id: paymentId, request_id: requestId, previous_hash: previousHash, ...same } = row
  return { ...same, paymentId, requestId, previousHash }
}

/**
 * Adds entries to the chain, in the transaction of the action they record. One transaction at a time extends the chain:
 * call it last, after every row lock, so that nobody waits for a row while the others wait for the chain.
 */
export async function appendAudit(tx: Tx, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return
  await tx.query("select pg_advisory_xact_lock(hashtextextended('payment_gateway audit_log', 0))")
  const { rows: heads } = await tx.query<{ id: number | null; hash: string | null; at: Date }>(
    `select id, hash, clock_timestamp()::timestamptz(3) as at
     from (select 1) one left join (select id, hash from audit_log order by id desc limit 1) last on true`,
  )
  const at = heads[0]?.at ?? new Date()
  let last = { id: heads[0]?.id ?? 0, hash: heads[0]?.hash ?? CHAIN_START }
  const chained = entries.map((entry) => {
    const row = { ...entry, id: last.id + 1, at, previousHash: last.hash }
    last = { id: row.id, hash: auditHash(row) }
    return { ...row, hash: last.hash }
  })
  await tx.query({
    name: 'append_audit',
    text: `insert into audit_log
             (id, at, actor, action, subject, payment_id, reason, before, after, request_id, previous_hash, hash)
           select id, at, actor, action, subject, "paymentId", reason, before, after,
                  "requestId", "previousHash", hash
           from jsonb_to_recordset($1::jsonb) as n(
             id bigint, at timestamptz(3), actor text, action text, subject text, "paymentId" text, reason text,
             before jsonb, after jsonb, "requestId" text, "previousHash" text, hash text)
           order by id`,
    values: [JSON.stringify(chained)],
  })
}

/** Entries newest first, those before `beforeId` when it is given. */
export async function listAudit(
  db: Queryable,
  filter: { readonly subject: string | null; readonly beforeId: number | null; readonly limit: number },
): Promise<AuditRow[]> {
  const { rows } = await db.query<Row>(
    `select * from audit_log
     where ($1::text is null or subject = $1 or payment_id = $1) and ($2::bigint is null or id < $2)
     order by id desc limit $3`,
    [filter.subject, filter.beforeId, filter.limit],
  )
  return rows.map(fromRow)
}

/** Whether the whole log is what was written. `head` is worth keeping elsewhere: it shows when the newest entries are cut off. */
export type AuditVerification = {
  readonly intact: boolean
  readonly entries: number
  readonly head: { readonly id: number; readonly hash: string }
  readonly broken: { readonly id: number; readonly because: string } | null
}

const VERIFY_BATCH = 1000

/** Reads the log from its beginning and recomputes every hash. */
export async function verifyAudit(pool: Pool): Promise<AuditVerification> {
  let head = { id: 0, hash: CHAIN_START }
  for (;;) {
    const { rows } = await pool.query<Row>('select * from audit_log where id > $1 order by id limit $2', [
      head.id,
      VERIFY_BATCH,
    ])
    const entries = rows.map(fromRow)
    const broken = firstBreak(entries, head)
    const last = entries.at(-1)
    if (broken !== null) return { intact: false, entries: broken.id - 1, head, broken }
    if (last !== undefined) head = { id: last.id, hash: last.hash }
    if (entries.length < VERIFY_BATCH) return { intact: true, entries: head.id, head, broken: null }
  }
}
