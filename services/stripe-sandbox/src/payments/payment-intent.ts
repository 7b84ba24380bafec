import type Stripe from 'stripe'
import { ApiError, docUrl, invalidParameter } from '../errors.ts'
import { newStem, randomText, stemmedId } from '../ids.ts'
import type { PaymentIntentRecord, PaymentIntentStatus, PaymentMethodRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { TRANSFER_CURRENCIES, transferInstructions } from './bank-transfer.ts'
import { renderPaymentMethod } from './payment-method.ts'

export type NewPaymentIntent = Pick<PaymentIntentRecord, 'amount' | 'currency'> & Partial<PaymentIntentRecord>

export const AUTHENTICATION_FAILED =
  'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.'

/** The PaymentIntent as the API shows it. `publicUrl` is where the payer finds the sandbox's pages. */
export function renderPaymentIntent(record: PaymentIntentRecord, publicUrl: string): Stripe.PaymentIntent {
  return {
    id: record.id,
    object: 'payment_intent',
    allowed_payment_method_types: record.allowedTypes,
    amount: record.amount,
    amount_capturable: record.amountCapturable,
    amount_details: { tip: {} },
    amount_received: record.amountReceived,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: record.automaticPaymentMethods,
    canceled_at: record.canceledAt,
    cancellation_reason: record.cancellationReason,
    capture_method: record.captureMethod,
    client_secret: record.clientSecret,
    confirmation_method: record.confirmationMethod,
    created: record.created,
    currency: record.currency,
    customer: record.customer,
    customer_account: null,
    description: record.description,
    excluded_payment_method_types: record.excludedTypes,
    last_payment_error: record.lastPaymentError,
    latest_charge: record.latestCharge,
    livemode: false,
    managed_payments: null,
    metadata: record.metadata,
    next_action: nextAction(record, publicUrl),
    on_behalf_of: null,
    payment_method: record.paymentMethod,
    payment_method_configuration_details: null,
    payment_method_options: methodOptions(record.paymentMethodTypes, record.threeDSecure),
    payment_method_types: record.paymentMethodTypes,
    payment_record: null,
    processing: null,
    receipt_email: record.receiptEmail,
    review: null,
    setup_future_usage: record.setupFutureUsage,
    shipping: record.shipping,
    source: null,
    statement_descriptor: record.statementDescriptor,
    statement_descriptor_suffix: record.statementDescriptorSuffix,
    status: record.status,
    transfer_data: null,
    transfer_group: record.transferGroup ?? null,
    ...(record.paymentDetails === undefined ? {} : { payment_details: record.paymentDetails }),
  }
}

function nextAction(record: PaymentIntentRecord, publicUrl: string): Stripe.PaymentIntent.NextAction | null {
  if (record.status !== 'requires_action') return null
  if (record.transfer) {
    return {
      display_bank_transfer_instructions: transferInstructions(record, publicUrl),
      type: 'display_bank_transfer_instructions',
    }
  }
  const url = challengeUrl(record, publicUrl)
  if (record.returnUrl !== null && !record.useStripeSdk) {
    return { type: 'redirect_to_url', redirect_to_url: { return_url: record.returnUrl, url } }
  }
  // stripe_js is what Stripe.js opens; here it is the sandbox's own page.
  return { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url } }
}

/** The page where the payer passes or fails 3-D Secure. */
export function challengeUrl(record: PaymentIntentRecord, publicUrl: string): string {
  return `${publicUrl}/c/3ds/${record.id}?client_secret=${record.clientSecret}`
}

function methodOptions(
  types: string[],
  threeDSecure: PaymentIntentRecord['threeDSecure'] = 'automatic',
): Stripe.PaymentIntent.PaymentMethodOptions {
  return {
    ...(types.includes('card')
      ? {
          card: {
            installments: null,
            mandate_options: null,
            network: null,
            request_three_d_secure: threeDSecure,
          },
        }
      : {}),
    ...(types.includes('sepa_debit') ? { sepa_debit: {} } : {}),
  }
}

export function newPaymentIntent(tx: Tx, from: NewPaymentIntent): PaymentIntentRecord {
  const stem = newStem()
  const id = stemmedId('pi', stem)
  return tx.put('payment_intents', {
    id,
    created: tx.now,
    amountCapturable: 0,
    amountReceived: 0,
    status: 'requires_payment_method',
    captureMethod: 'automatic_async',
    confirmationMethod: 'automatic',
    clientSecret: `${id}_secret_${randomText(25)}`,
    customer: null,
    description: null,
    metadata: {},
    receiptEmail: null,
    setupFutureUsage: null,
    shipping: null,
    statementDescriptor: null,
    statementDescriptorSuffix: null,
    automaticPaymentMethods: null,
    allowedTypes: null,
    excludedTypes: null,
    paymentMethodTypes: ['card'],
    paymentMethod: null,
    latestCharge: null,
    lastPaymentError: null,
    returnUrl: null,
    useStripeSdk: false,
    canceledAt: null,
    cancellationReason: null,
    session: null,
    ...from,
  })
}

// The account's payment methods, as if switched on in the Dashboard: cards everywhere, SEPA debit for euros.
const METHODS: readonly {
  type: string
  currencies: readonly string[] | null
  /** Only where the caller names it. */
  onRequest?: true
}[] = [
  { type: 'card', currencies: null },
  { type: 'sepa_debit', currencies: ['eur'] },
  { type: 'customer_balance', currencies: TRANSFER_CURRENCIES, onRequest: true },
]

/** The computed `payment_method_types` of a payment in that currency. */
export function paymentMethodTypes(
  currency: string,
  filter: { allowed: string[] | null; excluded: string[] | null },
): string[] {
  return METHODS.filter(({ currencies }) => currencies === null || currencies.includes(currency))
    .filter(({ type, onRequest }) => filter.allowed?.includes(type) ?? !onRequest)
    .map(({ type }) => type)
    .filter((type) => !filter.excluded?.includes(type))
}

const CANCELABLE: readonly PaymentIntentStatus[] = [
  'requires_payment_method',
  'requires_capture',
  'requires_confirmation',
  'requires_action',
  'processing',
]

/** Throws the 400 of a PaymentIntent that can no longer be cancelled. */
export function requireCancelable(record: PaymentIntentRecord, publicUrl: string): void {
  if (CANCELABLE.includes(record.status)) return
  throw unexpectedState(
    record,
    publicUrl,
    `You cannot cancel this PaymentIntent because it has a status of ${record.status}. Only a PaymentIntent with one of the following statuses may be canceled: ${CANCELABLE.join(', ')}.`,
  )
}

/** The 400 of a parameter that the API had until 2026-09-30. */
export function typesNoLongerSupported(): ApiError {
  return invalidParameter(
    'The `payment_method_types` parameter is no longer supported. Use `allowed_payment_method_types` or manage payment methods in the Dashboard.',
    { code: 'payment_method_types_no_longer_supported', param: 'payment_method_types' },
  )
}

export function unexpectedState(record: PaymentIntentRecord, publicUrl: string, message: string): ApiError {
  return new ApiError(400, {
    code: 'payment_intent_unexpected_state',
    doc_url: docUrl('payment_intent_unexpected_state'),
    message,
    payment_intent: renderPaymentIntent(record, publicUrl),
    type: 'invalid_request_error',
  })
}

/** What `last_payment_error` says of a failed authentication: no charge exists. */
export function authenticationFailure(
  method: PaymentMethodRecord | undefined,
): Stripe.PaymentIntent.LastPaymentError {
  return {
    code: 'payment_intent_authentication_failure',
    doc_url: docUrl('payment_intent_authentication_failure'),
    message: AUTHENTICATION_FAILED,
    ...(method ? { payment_method: renderPaymentMethod(method) } : {}),
    type: 'invalid_request_error',
  }
}
