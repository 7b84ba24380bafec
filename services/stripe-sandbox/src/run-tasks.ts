import type { Log } from '@passerelle/kit/log'
import { expireWhenDue } from './checkout/pay-session.ts'
import { expireHold } from './payments/capture-payment.ts'
import { decideDispute, openDispute, warnOfFraud } from './payments/dispute-charge.ts'
import { arrivePayout } from './payments/move-payout.ts'
import { settleRefund, updateRefund } from './payments/refund-charge.ts'
import { settleCharge, settleDebit } from './payments/settle-payment.ts'
import type { TaskRecord } from './store/records.ts'
import type { Scheduler } from './store/scheduler.ts'
import type { Store, Tx } from './store/store.ts'
import { NOBODY } from './store/store.ts'
import type { TaskKind } from './tasks.ts'

const HANDLERS: Readonly<Record<TaskKind, (tx: Tx, task: TaskRecord) => void>> = {
  settle_charge: (tx, { subject }) => settleCharge(tx, subject),
  expire_session: (tx, { subject }) => expireWhenDue(tx, subject),
  settle_debit: (tx, { subject }) => settleDebit(tx, subject),
  open_dispute: (tx, { subject, note }) => openDispute(tx, subject, note ?? 'fraudulent'),
  decide_dispute: (tx, { subject, note }) => decideDispute(tx, subject, note ?? 'won'),
  warn_of_fraud: (tx, { subject }) => warnOfFraud(tx, subject),
  update_refund: (tx, { subject }) => updateRefund(tx, subject),
  settle_refund: (tx, { subject }) => settleRefund(tx, subject),
  expire_hold: (tx, { subject }) => expireHold(tx, subject),
  arrive_payout: (tx, { subject }) => arrivePayout(tx, subject),
}

/** Runs every task when its time comes, each in a transaction that also removes it; also those of an earlier process. */
export function runTasks(store: Store, scheduler: Scheduler, log: Log): void {
  const arrange = (task: TaskRecord): void => scheduler.at(task.dueMs, () => runTask(store, log, task.id))
  for (const task of store.table('tasks').oldestFirst()) arrange(task)
  store.onCommit((changes) => {
    for (const { t, put } of changes) if (t === 'tasks' && put) arrange(put as TaskRecord)
  })
}

function runTask(store: Store, log: Log, id: string): void {
  const task = store.get('tasks', id)
  if (!task) return
  log.debug({ task: task.kind, subject: task.subject }, 'task.run')
  store.transact(NOBODY, (tx) => {
    tx.remove('tasks', id)
    HANDLERS[task.kind as TaskKind](tx, task)
  })
}
