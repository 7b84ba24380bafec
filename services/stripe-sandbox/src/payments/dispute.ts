import type Stripe from 'stripe'
import { renderBalanceTransaction } from './balance.ts'
import type { DisputeRecord, WarningRecord } from '../store/records.ts'
import type { Reads } from '../store/store.ts'

const EVIDENCE_FIELDS = [
  'access_activity_log',
  'billing_address',
  'cancellation_policy',
  'cancellation_policy_disclosure',
  'cancellation_rebuttal',
  'customer_communication',
  'customer_email_address',
  'customer_name',
  'customer_purchase_ip',
  'customer_signature',
  'duplicate_charge_documentation',
  'duplicate_charge_explanation',
  'duplicate_charge_id',
  'product_description',
  'receipt',
  'refund_policy',
  'refund_policy_disclosure',
  'refund_refusal_explanation',
  'service_date',
  'service_documentation',
  'shipping_address',
  'shipping_carrier',
  'shipping_date',
  'shipping_documentation',
  'shipping_tracking_number',
  'uncategorized_file',
  'uncategorized_text',
] as const

export type EvidenceField = (typeof EVIDENCE_FIELDS)[number]
export { EVIDENCE_FIELDS }

const REASON_CODES: Readonly<Record<string, string>> = {
  fraudulent: '10.4',
  product_not_received: '13.1',
}

/** The dispute as the API shows it, with its balance transactions inside. */
export function renderDispute(reads: Reads, record: DisputeRecord): Stripe.Dispute {
  return {
    id: record.id,
    object: 'dispute',
    amount: record.amount,
    balance_transactions: record.balanceTransactions.flatMap((id) => {
      const row = reads.get('balance_transactions', id)
      return row ? [renderBalanceTransaction(row, reads.nowSeconds())] : []
    }),
    charge: record.charge,
    created: record.created,
    currency: record.currency,
    enhanced_eligibility_types: [],
    evidence: renderEvidence(record),
    evidence_details: {
      due_by: record.dueBy,
      enhanced_eligibility: {},
      has_evidence: Object.keys(record.evidence).length > 0,
      past_due: reads.nowSeconds() > record.dueBy,
      submission_count: record.submissions,
      submission_method: record.submissions > 0 ? 'manual' : 'not_submitted',
    },
    intended_submission_method: record.intendedSubmission ?? null,
    is_charge_refundable: isRefundable(record),
    livemode: false,
    metadata: record.metadata,
    network_reason_code: REASON_CODES[record.reason] ?? '10.4',
    payment_intent: record.paymentIntent,
    ...(record.brand === 'sepa_debit' ? {} : { payment_method_details: cardDetails(record) }),
    reason: record.reason,
    status: record.status,
  }
}

function cardDetails(record: DisputeRecord): Stripe.Dispute.PaymentMethodDetails {
  return {
    card: {
      brand: record.brand,
      case_type: isInquiry(record) ? 'inquiry' : 'chargeback',
      network: record.brand,
      network_reason_code: REASON_CODES[record.reason] ?? '10.4',
    },
    type: 'card',
  }
}

function renderEvidence(record: DisputeRecord): Stripe.Dispute.Evidence {
  const fields = Object.fromEntries(EVIDENCE_FIELDS.map((field) => [field, record.evidence[field] ?? null]))
  return { ...(fields as Record<EvidenceField, string | null>), enhanced_evidence: {} }
}

export function isInquiry(record: DisputeRecord): boolean {
  return record.status.startsWith('warning_')
}

export function isClosed(record: DisputeRecord): boolean {
  return ['won', 'lost', 'warning_closed', 'prevented'].includes(record.status)
}

/** A chargeback blocks refunds until it is won; an inquiry does not. */
export function isRefundable(record: DisputeRecord): boolean {
  return record.status === 'won' || isInquiry(record)
}

/** The early fraud warning as the API shows it: not actionable once disputed or wholly refunded. */
export function renderWarning(reads: Reads, record: WarningRecord): Stripe.Radar.EarlyFraudWarning {
  const charge = reads.get('charges', record.charge)
  const settled = charge !== undefined && (charge.disputed || charge.amountRefunded === charge.amount)
  return {
    id: record.id,
    object: 'radar.early_fraud_warning',
    actionable: !settled,
    charge: record.charge,
    created: record.created,
    fraud_type: record.fraudType,
    livemode: false,
    payment_intent: record.paymentIntent,
  }
}
