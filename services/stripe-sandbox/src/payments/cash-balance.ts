import type Stripe from 'stripe'
import type { CashMovementRecord } from '../store/account-records.ts'
import type { Reads } from '../store/store.ts'
import { transferTypeOf } from './bank-transfer.ts'

type Movement = Stripe.CustomerCashBalanceTransaction

/** What a customer has sent and no payment has taken yet, by currency. */
export function renderCashBalance(reads: Reads, customer: string): Stripe.CashBalance {
  const available: Record<string, number> = {}
  for (const row of reads.table('cash_movements').oldestFirst()) {
    if (row.customer === customer) available[row.currency] = row.endingBalance
  }
  const rest = Object.fromEntries(Object.entries(available).filter(([, amount]) => amount > 0))
  return {
    object: 'cash_balance',
    available: Object.keys(rest).length === 0 ? null : rest,
    customer,
    customer_account: null,
    livemode: false,
    settings: { reconciliation_mode: 'automatic', using_merchant_default: true },
  }
}

export function renderCashMovement(record: CashMovementRecord): Movement {
  return {
    id: record.id,
    object: 'customer_cash_balance_transaction',
    ...(record.paymentIntent === null
      ? { funded: { bank_transfer: transferOf(record) } }
      : { applied_to_payment: { payment_intent: record.paymentIntent } }),
    created: record.created,
    currency: record.currency,
    customer: record.customer,
    customer_account: null,
    ending_balance: record.endingBalance,
    livemode: false,
    net_amount: record.netAmount,
    type: record.paymentIntent === null ? 'funded' : 'applied_to_payment',
  }
}

function transferOf(record: CashMovementRecord): Stripe.CustomerCashBalanceTransaction.Funded.BankTransfer {
  const sender = { sender_name: 'Test Payer' }
  const base = { reference: record.id.slice(-8).toUpperCase() }
  switch (transferTypeOf(undefined, record.currency)) {
    case 'gb_bank_transfer':
      return {
        ...base,
        gb_bank_transfer: { ...sender, account_number_last4: '5678', sort_code: '108800' },
        type: 'gb_bank_transfer',
      }
    case 'jp_bank_transfer':
      return {
        ...base,
        jp_bank_transfer: { ...sender, sender_bank: 'Test Bank', sender_branch: 'Test Branch' },
        type: 'jp_bank_transfer',
      }
    case 'mx_bank_transfer':
      return { ...base, type: 'mx_bank_transfer' }
    case 'us_bank_transfer':
      return { ...base, type: 'us_bank_transfer', us_bank_transfer: { ...sender, network: 'ach' } }
    default:
      return {
        ...base,
        eu_bank_transfer: { ...sender, bic: 'AGRIFRPP', iban_last4: '2606' },
        type: 'eu_bank_transfer',
      }
  }
}
