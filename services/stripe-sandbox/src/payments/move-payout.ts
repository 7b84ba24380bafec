import { invalidRequest } from '../errors.ts'
import { emit } from '../events/event.ts'
import { newNumberedId } from '../ids.ts'
import { render } from '../resources.ts'
import type { PayoutRecord } from '../store/account-records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { later } from '../tasks.ts'
import { book } from './balance.ts'

const DAY_S = 86_400
const ARRIVES_AFTER_DAYS = 2

/** What could be paid out now in that currency, in minor units. */
export function availableBalance(reads: Reads, currency: string): number {
  let sum = 0
  for (const row of reads.table('balance_transactions').oldestFirst()) {
    if (row.currency === currency && row.availableOn <= reads.nowSeconds()) sum += row.amount - row.fee
  }
  return sum
}

/** Sends money to the account's bank, or throws the 400 of a balance that is too low. */
export function createPayout(
  tx: Tx,
  from: Pick<
    PayoutRecord,
    'amount' | 'currency' | 'description' | 'metadata' | 'method' | 'statementDescriptor'
  >,
): PayoutRecord {
  if (from.amount > availableBalance(tx, from.currency)) {
    throw invalidRequest(
      'You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You can use the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance).',
      { code: 'balance_insufficient' },
    )
  }
  const id = newNumberedId('po')
  const arrivalDate = (Math.floor(tx.now / DAY_S) + ARRIVES_AFTER_DAYS) * DAY_S
  const row = book(tx, {
    amount: -from.amount,
    currency: from.currency,
    type: 'payout',
    source: id,
    description: from.description ?? 'STRIPE PAYOUT',
    availableOn: tx.now,
  })
  const payout = tx.put('payouts', {
    id,
    created: tx.now,
    arrivalDate,
    status: 'pending',
    balanceTransaction: row.id,
    failureBalanceTransaction: null,
    ...from,
  })
  emit(tx, 'payout.created', render(tx, 'payouts', payout))
  later(tx, 'arrive_payout', id, { ms: arrivalDate * 1000 - tx.nowMs })
  return payout
}

/** The money has reached the bank. */
export function arrivePayout(tx: Tx, id: string): void {
  const payout = tx.get('payouts', id)
  if (payout?.status !== 'pending') return
  const paid = tx.put('payouts', { ...payout, status: 'paid' })
  emit(tx, 'payout.paid', render(tx, 'payouts', paid))
}

/** Takes a payout back that has not arrived; the money returns to the balance. */
export function cancelPayout(tx: Tx, payout: PayoutRecord): PayoutRecord {
  if (payout.status !== 'pending') {
    throw invalidRequest(`Payouts can only be canceled while they are pending; this one is ${payout.status}.`)
  }
  const row = book(tx, {
    amount: payout.amount,
    currency: payout.currency,
    type: 'payout_cancel',
    reportingCategory: 'payout_reversal',
    source: payout.id,
    description: 'STRIPE PAYOUT CANCELED',
    availableOn: tx.now,
  })
  const canceled = tx.put('payouts', {
    ...payout,
    status: 'canceled',
    failureBalanceTransaction: row.id,
  })
  emit(tx, 'payout.canceled', render(tx, 'payouts', canceled))
  return canceled
}
