import type Stripe from 'stripe'
import type { RefundRecord } from '../store/records.ts'

export const REFUND_REASONS = ['duplicate', 'fraudulent', 'requested_by_customer'] as const

/** The refund as the API shows it. */
export function renderRefund(record: RefundRecord): Stripe.Refund {
  return {
    id: record.id,
    object: 'refund',
    amount: record.amount,
    balance_transaction: record.balanceTransaction,
    charge: record.charge,
    created: record.created,
    currency: record.currency,
    customer: record.customer,
    customer_account: null,
    destination_details: destination(record),
    ...(record.failureBalanceTransaction === null
      ? {}
      : { failure_balance_transaction: record.failureBalanceTransaction }),
    ...(record.failureReason === null ? {} : { failure_reason: record.failureReason }),
    ...(record.instructionsEmail === undefined ? {} : { instructions_email: record.instructionsEmail }),
    metadata: record.metadata,
    payment_intent: record.paymentIntent,
    payment_method: record.paymentMethod,
    ...(record.pendingReason === null ? {} : { pending_reason: record.pendingReason }),
    reason: record.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: record.status,
    transfer_reversal: null,
  }
}

function destination(record: RefundRecord): Stripe.Refund.DestinationDetails {
  const known = record.reference !== null
  return {
    card: {
      ...(known ? { reference: record.reference } : {}),
      reference_status: known ? 'available' : 'pending',
      reference_type: 'acquirer_reference_number',
      type: 'refund',
    },
    type: 'card',
  }
}

/** Whether the refund holds its part of the charge: a failed or cancelled one gives it back. */
export function counts(refund: RefundRecord): boolean {
  return refund.status !== 'failed' && refund.status !== 'canceled'
}
