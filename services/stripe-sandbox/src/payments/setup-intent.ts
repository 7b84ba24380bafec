import type Stripe from 'stripe'
import { docUrl } from '../errors.ts'
import { newNumberedId, randomText } from '../ids.ts'
import type { SetupAttemptRecord, SetupErrorRecord, SetupIntentRecord } from '../store/account-records.ts'
import type { PaymentMethodRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { renderPaymentMethod } from './payment-method.ts'

/** The SetupIntent as the API shows it. */
export function renderSetupIntent(reads: Reads, record: SetupIntentRecord): Stripe.SetupIntent {
  return {
    id: record.id,
    object: 'setup_intent',
    allowed_payment_method_types: record.allowedTypes,
    application: null,
    automatic_payment_methods: record.automatic ? { allow_redirects: 'always', enabled: true } : null,
    cancellation_reason: record.canceledBecause,
    client_secret: record.clientSecret,
    created: record.created,
    customer: record.customer,
    customer_account: null,
    description: record.description,
    excluded_payment_method_types: record.excludedTypes,
    flow_directions: null,
    last_setup_error: record.lastError && renderSetupError(reads, record.lastError),
    latest_attempt: record.latestAttempt,
    livemode: false,
    mandate: null,
    metadata: record.metadata,
    next_action: nextAction(reads, record),
    on_behalf_of: null,
    payment_method: record.paymentMethod,
    payment_method_configuration_details: null,
    payment_method_options: record.paymentMethodTypes.includes('card')
      ? {
          card: {
            mandate_options: null,
            network: null,
            request_three_d_secure: record.threeDSecure ?? 'automatic',
          },
        }
      : {},
    payment_method_types: record.paymentMethodTypes,
    single_use_mandate: null,
    status: record.status,
    usage: record.usage,
  }
}

function nextAction(reads: Reads, record: SetupIntentRecord): Stripe.SetupIntent.NextAction | null {
  if (record.status !== 'requires_action') return null
  const url = `${reads.settings.publicUrl}/c/3ds/${record.id}?client_secret=${record.clientSecret}`
  if (record.returnUrl !== null && !record.useStripeSdk) {
    return { type: 'redirect_to_url', redirect_to_url: { return_url: record.returnUrl, url } }
  }
  return { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url } }
}

/** Why the last try failed. */
export function renderSetupError(reads: Reads, error: SetupErrorRecord): Stripe.SetupIntent.LastSetupError {
  const method = reads.get('payment_methods', error.paymentMethod ?? '')
  return {
    code: error.code,
    ...(error.declineCode === null ? {} : { decline_code: error.declineCode }),
    doc_url: docUrl(error.code),
    message: error.message,
    ...(method ? { payment_method: renderPaymentMethod(method) } : {}),
    type: error.type,
  }
}

/** One try to set a payment method up; `latest_attempt` expands to it. */
export function renderSetupAttempt(reads: Reads, record: SetupAttemptRecord): Stripe.SetupAttempt {
  const method = reads.get('payment_methods', record.paymentMethod)
  return {
    id: record.id,
    object: 'setup_attempt',
    application: null,
    created: record.created,
    customer: record.customer,
    customer_account: null,
    flow_directions: null,
    livemode: false,
    on_behalf_of: null,
    payment_method: record.paymentMethod,
    payment_method_details: attemptDetails(method),
    setup_error: record.error && renderSetupError(reads, record.error),
    setup_intent: record.setupIntent,
    status: record.status,
    usage: record.usage,
  }
}

function attemptDetails(method: PaymentMethodRecord | undefined): Stripe.SetupAttempt.PaymentMethodDetails {
  if (method?.type !== 'card') return { sepa_debit: {}, type: 'sepa_debit' }
  return {
    card: {
      brand: method.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: method.country,
      exp_month: method.expMonth,
      exp_year: method.expYear,
      funding: method.funding,
      last4: method.last4,
      network: method.brand,
      three_d_secure: null,
      wallet: null,
    },
    type: 'card',
  }
}

export function newSetupIntent(tx: Tx, from: Partial<SetupIntentRecord>): SetupIntentRecord {
  const id = newNumberedId('seti')
  return tx.put('setup_intents', {
    id,
    created: tx.now,
    clientSecret: `${id}_secret_${randomText(25)}`,
    status: 'requires_payment_method',
    usage: 'off_session',
    customer: null,
    description: null,
    metadata: {},
    paymentMethod: null,
    paymentMethodTypes: ['card'],
    automatic: true,
    allowedTypes: null,
    excludedTypes: null,
    latestAttempt: null,
    lastError: null,
    returnUrl: null,
    canceledBecause: null,
    ...from,
  })
}
