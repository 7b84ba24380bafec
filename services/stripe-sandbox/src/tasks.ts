import { newId } from './ids.ts'
import type { TaskRecord } from './store/records.ts'
import type { Tx } from './store/store.ts'

/** What the sandbox does by itself when its clock says so. */
export type TaskKind =
  | 'settle_charge'
  | 'expire_session'
  | 'settle_debit'
  | 'open_dispute'
  | 'decide_dispute'
  | 'warn_of_fraud'
  | 'update_refund'
  | 'settle_refund'
  | 'expire_hold'
  | 'arrive_payout'

/** Remembers to do `kind` to `subject` after `delayMs` of sandbox time; it survives a restart. */
export function later(
  tx: Tx,
  kind: TaskKind,
  subject: string,
  delay: { ms: number; note?: string },
): TaskRecord {
  return tx.put('tasks', {
    id: newId('task'),
    dueMs: tx.nowMs + delay.ms,
    kind,
    subject,
    ...(delay.note === undefined ? {} : { note: delay.note }),
  })
}
