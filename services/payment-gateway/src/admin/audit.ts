import { createHash } from 'node:crypto'

/** What an operator did, to be written in the transaction that does it. */
export type AuditEntry = {
  readonly actor: string
  /** `noun.past_participle`: `event.replayed`. */
  readonly action: string
  readonly subject: string
  readonly paymentId: string | null
  readonly reason: string | null
  readonly before: Json
  readonly after: Json
  readonly requestId: string
}

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/** An entry as it stands in the log: numbered without gaps, tied to the one before it. */
export type AuditRow = AuditEntry & {
  readonly id: number
  readonly at: Date
  readonly previousHash: string
  readonly hash: string
}

/** The hash before the first entry. */
export const CHAIN_START = '0'.repeat(64)

/** SHA-256 in hex over an entry's whole content and the hash of the entry before it. */
export function auditHash(row: Omit<AuditRow, 'hash'>): string {
  const { id, at, actor, action, subject, paymentId, reason, before, after, requestId, previousHash } = row
  const content = [
    previousHash,
    id,
    at.toISOString(),
    actor,
    action,
    subject,
    paymentId,
    reason,
    before,
    after,
    requestId,
  ]
  return createHash('sha256').update(canonical(content)).digest('hex')
}

/** Where a chain of entries, read in the order of their ids, stops being what was written; null while it holds. */
export function firstBreak(
  rows: readonly AuditRow[],
  after: { readonly id: number; readonly hash: string },
): { readonly id: number; readonly because: string } | null {
  let last = after
  for (const row of rows) {
    if (row.id !== last.id + 1)
      return { id: last.id + 1, because: `the entries ${last.id + 1} to ${row.id - 1} are missing` }
    if (row.previousHash !== last.hash)
      return { id: row.id, because: `entry ${row.id} does not follow entry ${last.id}` }
    if (row.hash !== auditHash(row)) return { id: row.id, because: `entry ${row.id} was changed` }
    last = row
  }
  return null
}

/** JSON with sorted keys: jsonb keeps no order, and the hash must be the same when the entry is read back. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value)
    .filter((field): field is [string, Json] => field[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`
}
