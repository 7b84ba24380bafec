import { emit } from '../events/event.ts'
import { randomText } from '../ids.ts'
import { render } from '../resources.ts'
import type { CashMovementRecord } from '../store/account-records.ts'
import type { PaymentIntentRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { renderCashBalance } from './cash-balance.ts'
import { collectPayment } from './confirm-payment.ts'

/** A transfer of the customer arrives: it pays what waits for it, oldest first; the rest stays in the cash balance. */
export function fundCashBalance(
  tx: Tx,
  customer: string,
  money: { amount: number; currency: string },
): CashMovementRecord {
  const funded = move(tx, customer, {
    currency: money.currency,
    netAmount: money.amount,
    paymentIntent: null,
  })
  for (const intent of waitingFor(tx, customer, money.currency)) {
    const left = balanceOf(tx, customer, money.currency)
    if (left > 0) apply(tx, intent, left)
  }
  if (balanceOf(tx, customer, money.currency) > 0) {
    emit(tx, 'cash_balance.funds_available', renderCashBalance(tx, customer))
  }
  return funded
}

function waitingFor(tx: Tx, customer: string, currency: string): PaymentIntentRecord[] {
  return [...tx.table('payment_intents').oldestFirst()].filter(
    (intent) =>
      intent.customer === customer &&
      intent.currency === currency &&
      intent.status === 'requires_action' &&
      intent.transfer !== undefined,
  )
}

function apply(tx: Tx, intent: PaymentIntentRecord, available: number): void {
  const { transfer } = intent
  if (!transfer || intent.customer === null) return
  const taken = Math.min(available, intent.amount - transfer.arrived)
  move(tx, intent.customer, { currency: intent.currency, netAmount: -taken, paymentIntent: intent.id })
  const arrived = transfer.arrived + taken
  const funded = tx.put('payment_intents', { ...intent, transfer: { ...transfer, arrived } })
  const method = tx.get('payment_methods', intent.paymentMethod ?? '')
  if (arrived === intent.amount && method) collectPayment(tx, funded, { method })
  else emit(tx, 'payment_intent.partially_funded', render(tx, 'payment_intents', funded))
}

function balanceOf(reads: Reads, customer: string, currency: string): number {
  for (const row of reads.table('cash_movements').newestFirst()) {
    if (row.customer === customer && row.currency === currency) return row.endingBalance
  }
  return 0
}

function move(
  tx: Tx,
  customer: string,
  what: Pick<CashMovementRecord, 'currency' | 'netAmount' | 'paymentIntent'>,
): CashMovementRecord {
  const row = tx.put('cash_movements', {
    id: `ccsbtxn_${randomText(24)}`,
    created: tx.now,
    customer,
    endingBalance: balanceOf(tx, customer, what.currency) + what.netAmount,
    ...what,
  })
  emit(tx, 'customer_cash_balance_transaction.created', render(tx, 'cash_movements', row))
  return row
}
