import type Stripe from 'stripe'
import type { PayoutRecord } from '../store/account-records.ts'

// The account has one bank account, which nobody can look into.
export const BANK_ACCOUNT = 'ba_1PasserelleSandboxBank01'

export function renderPayout(record: PayoutRecord): Stripe.Payout {
  return {
    id: record.id,
    object: 'payout',
    amount: record.amount,
    application_fee: null,
    application_fee_amount: null,
    arrival_date: record.arrivalDate,
    automatic: false,
    balance_transaction: record.balanceTransaction,
    created: record.created,
    currency: record.currency,
    description: record.description,
    destination: BANK_ACCOUNT,
    failure_balance_transaction: record.failureBalanceTransaction,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: record.metadata,
    method: record.method,
    original_payout: null,
    payout_method: null,
    reconciliation_status: 'not_applicable',
    reversed_by: null,
    source_type: 'card',
    statement_descriptor: record.statementDescriptor,
    status: record.status,
    trace_id: record.status === 'paid' ? { status: 'pending', value: null } : null,
    type: 'bank_account',
  }
}
