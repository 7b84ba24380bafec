import type Stripe from 'stripe'
import type { ChargeRecord, Outcome, PaymentMethodRecord } from '../store/records.ts'
import { billingDetails, fingerprintOf } from './payment-method.ts'
import type { Decline } from './declines.ts'

/** The charge as the API shows it; `refunds` is absent unless expanded. */
export function renderCharge(
  record: ChargeRecord,
  method: PaymentMethodRecord | undefined,
  publicUrl: string,
): Stripe.Charge {
  return {
    id: record.id,
    object: 'charge',
    amount: record.amount,
    amount_captured: record.amountCaptured,
    amount_refunded: record.amountRefunded,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: record.balanceTransaction,
    billing_details: billingDetails(record),
    calculated_statement_descriptor: record.status === 'failed' ? null : 'PASSERELLE SANDBOX',
    captured: record.captured,
    created: record.created,
    currency: record.currency,
    customer: record.customer,
    description: record.description,
    disputed: record.disputed,
    failure_balance_transaction: record.failureBalanceTransaction,
    failure_code: record.failureCode,
    failure_message: record.failureMessage,
    fraud_details: record.fraudReport === null ? {} : { user_report: record.fraudReport },
    livemode: false,
    metadata: record.metadata,
    on_behalf_of: null,
    outcome: record.outcome && renderOutcome(record.outcome),
    paid: record.paid,
    payment_intent: record.paymentIntent,
    payment_method: record.paymentMethod,
    payment_method_details: method ? methodDetails(record, method) : null,
    radar_options: record.radarSession === undefined ? {} : { session: record.radarSession },
    receipt_email: record.receiptEmail,
    receipt_number: null,
    receipt_url: record.status === 'succeeded' ? `${publicUrl}/c/receipt/${record.id}` : null,
    refunded: record.released || (record.amountRefunded > 0 && record.amountRefunded === record.amount),
    review: null,
    shipping: record.shipping ?? null,
    source: null,
    source_transfer: null,
    statement_descriptor: record.statementDescriptor ?? null,
    statement_descriptor_suffix: record.statementDescriptorSuffix,
    status: record.status,
    transfer_data: null,
    transfer_group: record.transferGroup ?? null,
  }
}

function renderOutcome(outcome: Outcome): Stripe.Charge.Outcome {
  return {
    advice_code: outcome.adviceCode,
    network_advice_code: null,
    network_decline_code: null,
    network_status: outcome.networkStatus,
    reason: outcome.reason,
    risk_level: outcome.riskLevel,
    risk_score: outcome.riskScore,
    seller_message: outcome.sellerMessage,
    type: outcome.type,
  }
}

function methodDetails(
  record: ChargeRecord,
  method: PaymentMethodRecord,
): Stripe.Charge.PaymentMethodDetails {
  if (method.type === 'sepa_debit') {
    return {
      sepa_debit: {
        bank_code: '37040044',
        branch_code: '',
        country: method.country,
        fingerprint: fingerprintOf(method),
        last4: method.last4,
        mandate: null,
      },
      type: 'sepa_debit',
    }
  }
  if (method.type === 'customer_balance') return { customer_balance: {}, type: 'customer_balance' }
  return { card: cardDetails(record, method), type: 'card' }
}

function cardDetails(
  record: ChargeRecord,
  method: PaymentMethodRecord,
): Stripe.Charge.PaymentMethodDetails.Card {
  const declined = record.status === 'failed'
  return {
    amount_authorized: declined ? null : record.amount,
    authorization_code: declined ? null : '123456',
    brand: method.brand,
    checks: {
      address_line1_check: null,
      address_postal_code_check: null,
      cvc_check: record.failureCode === 'incorrect_cvc' ? 'fail' : 'pass',
    },
    country: method.country,
    electronic_commerce_indicator: record.authenticated ? '05' : null,
    exp_month: method.expMonth,
    exp_year: method.expYear,
    extended_authorization: { status: 'disabled' },
    fingerprint: fingerprintOf(method),
    funding: method.funding,
    incremental_authorization: { status: 'unavailable' },
    installments: null,
    last4: method.last4,
    mandate: null,
    multicapture: { status: 'unavailable' },
    network: method.brand,
    network_token: { used: false },
    network_transaction_id: declined ? null : '104102978678771',
    overcapture: { maximum_amount_capturable: record.amount, status: 'unavailable' },
    regulated_status: 'unregulated',
    three_d_secure: record.authenticated ? authenticated() : null,
    transaction_link_id: null,
    wallet: null,
    ...(record.captureBefore === null ? {} : { capture_before: record.captureBefore }),
  }
}

function authenticated(): Stripe.Charge.PaymentMethodDetails.Card.ThreeDSecure {
  return {
    authentication_flow: 'challenge',
    electronic_commerce_indicator: '05',
    exemption_indicator: null,
    result: 'authenticated',
    result_reason: null,
    transaction_id: '1f9ad4c5-4f0b-4b0e-8f5a-1c3d6a4d1b1e',
    version: '2.2.0',
  }
}

export const APPROVED: Outcome = {
  type: 'authorized',
  networkStatus: 'approved_by_network',
  reason: null,
  adviceCode: null,
  riskLevel: 'normal',
  riskScore: 20,
  sellerMessage: 'Payment complete.',
}

export const ELEVATED: Outcome = { ...APPROVED, riskLevel: 'elevated', riskScore: 70 }

/** What a declined charge says about why. */
export function outcomeOf(decline: Decline): Outcome {
  const blocked = decline.outcome === 'blocked'
  return {
    type: decline.outcome,
    networkStatus: blocked ? 'not_sent_to_network' : 'declined_by_network',
    reason: blocked ? 'highest_risk_level' : decline.declineCode,
    adviceCode: decline.adviceCode,
    riskLevel: blocked ? 'highest' : 'normal',
    riskScore: blocked ? 90 : 20,
    sellerMessage: blocked
      ? 'Stripe blocked this payment as too risky.'
      : 'The bank did not return any further details with this decline.',
  }
}
