import type Stripe from 'stripe'
import { stemOf, stemmedId } from '../ids.ts'
import type { BalanceTransactionRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'

/** What the account pays per charge: a rate in basis points and a fixed part in minor units. */
export type Fee = { readonly basisPoints: number; readonly fixed: number }

const AVAILABLE_AFTER_S = 7 * 86_400

export function renderBalanceTransaction(
  record: BalanceTransactionRecord,
  now: number,
): Stripe.BalanceTransaction {
  return {
    id: record.id,
    object: 'balance_transaction',
    amount: record.amount,
    available_on: record.availableOn,
    balance_type: 'payments',
    created: record.created,
    currency: record.currency,
    description: record.description,
    exchange_rate: null,
    fee: record.fee,
    fee_details:
      record.fee === 0
        ? []
        : [
            {
              amount: record.fee,
              application: null,
              currency: record.currency,
              description: record.type === 'adjustment' ? 'Dispute fee' : 'Stripe processing fees',
              type: 'stripe_fee',
            },
          ],
    net: record.amount - record.fee,
    reporting_category: record.reportingCategory,
    source: record.source,
    status: record.availableOn <= now ? 'available' : 'pending',
    type: record.type,
  }
}

/** Books one movement of the account's balance; `amount` is signed minor units. */
export function book(
  tx: Tx,
  row: Pick<BalanceTransactionRecord, 'amount' | 'currency' | 'type' | 'source'> &
    Partial<BalanceTransactionRecord>,
): BalanceTransactionRecord {
  return tx.put('balance_transactions', {
    id: stemmedId('txn', stemOf(row.source)),
    created: tx.now,
    availableOn: tx.now + AVAILABLE_AFTER_S,
    fee: 0,
    reportingCategory: row.type,
    description: null,
    ...row,
  })
}

export function feeOf(amount: number, fee: Fee): number {
  return Math.min(amount, Math.round((amount * fee.basisPoints) / 10_000) + fee.fixed)
}

/** What the account owns by currency, split into what may be paid out and what is on its way. */
export function renderBalance(reads: Reads): Stripe.Balance {
  const sums = { available: new Map<string, number>(), pending: new Map<string, number>() }
  for (const row of reads.table('balance_transactions').oldestFirst()) {
    const side = row.availableOn <= reads.nowSeconds() ? sums.available : sums.pending
    side.set(row.currency, (side.get(row.currency) ?? 0) + row.amount - row.fee)
  }
  const rows = (side: Map<string, number>): Stripe.Balance.Available[] =>
    [...side].map(([currency, amount]) => ({ amount, currency, source_types: { card: amount } }))
  return { object: 'balance', available: rows(sums.available), livemode: false, pending: rows(sums.pending) }
}
