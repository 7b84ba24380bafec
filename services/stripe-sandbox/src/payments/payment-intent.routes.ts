import { invalidParameter, invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { SHIPPING, shippingOf } from '../http/address.ts'
import { LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import type { Metadata, Params } from '../http/params.ts'
import {
  changeMetadata,
  choice,
  currency,
  email,
  flag,
  integer,
  list,
  metadata,
  object,
  only,
  sentOr,
  text,
  url,
} from '../http/params.ts'
import { minimumOf, requireStep } from '../money.ts'
import { isBefore } from '../http/version.ts'
import { render } from '../resources.ts'
import type { PaymentIntentRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { transferTypeOf } from './bank-transfer.ts'
import { cancelPayment, capturePayment } from './capture-payment.ts'
import { confirmPayment, declineError } from './confirm-payment.ts'
import {
  newPaymentIntent,
  paymentMethodTypes,
  typesNoLongerSupported,
  unexpectedState,
} from './payment-intent.ts'
import { MANDATE_DATA, METHOD_OPTIONS, RADAR_OPTIONS } from './method-options.ts'
import { METHOD_DATA, methodFromData } from './payment-method.routes.ts'
import { resolvePaymentMethod } from './payment-method.ts'

// Kept and shown: what the networks are told of the order.
const PAYMENT_DETAILS = object({ customer_reference: text(), order_reference: text() })

const DETAILS = {
  payment_details: PAYMENT_DETAILS,
  payment_method_options: METHOD_OPTIONS,
  allowed_payment_method_types: list(text()),
  capture_method: choice('automatic', 'automatic_async', 'manual'),
  excluded_payment_method_types: list(text()),
  payment_method: text(),
  payment_method_data: METHOD_DATA,
  /** Removed from the API; older callers may still send it. */
  payment_method_types: list(text()),
  receipt_email: email(),
  setup_future_usage: choice('off_session', 'on_session'),
  shipping: SHIPPING,
}

const ONCE_CONFIRMED = {
  mandate_data: MANDATE_DATA,
  radar_options: RADAR_OPTIONS,
  error_on_requires_action: flag(),
  off_session: text(),
  return_url: url(),
  use_stripe_sdk: flag(),
}

const CONFIRM = {
  // What a payer's browser proves itself with; the SDK, which has the secret key, does not declare it.
  client_secret: text(),
  ...DETAILS,
  ...ONCE_CONFIRMED,
  amount_to_confirm: integer(),
}

const DESCRIBED = {
  customer: text(),
  description: text(1000),
  metadata: metadata(),
  statement_descriptor: text(22),
  statement_descriptor_suffix: text(22),
  transfer_group: text(),
}

const CREATE = {
  ...DETAILS,
  ...ONCE_CONFIRMED,
  ...DESCRIBED,
  amount: integer(),
  automatic_payment_methods: object({ allow_redirects: choice('always', 'never'), enabled: flag() }),
  confirm: flag(),
  confirmation_method: choice('automatic', 'manual'),
  currency: currency(),
}

const UPDATE = { ...DETAILS, ...DESCRIBED, amount: integer(), currency: currency() }

export const paymentIntentOperations: readonly Operation[] = [
  operation('POST /v1/payment_intents', CREATE, (tx, { params, version }) => {
    refuseOldParameter(params, version)
    const intent = create(tx, params)
    return shown(tx, params.confirm ? confirm(tx, intent, params) : intent)
  }),
  operation('GET /v1/payment_intents', { ...LIST_CREATED, customer: text() }, (tx, { params, path }) =>
    listPage(tx, 'payment_intents', {
      url: path,
      params,
      noun: 'payment_intent',
      keep: (row) => !params.customer || row.customer === params.customer,
    }),
  ),
  operation('GET /v1/payment_intents/:id', { client_secret: text() }, (tx, { id }) =>
    shown(tx, find(tx, id)),
  ),
  operation('POST /v1/payment_intents/:id', UPDATE, (tx, { id, params, version }) => {
    refuseOldParameter(params, version)
    return shown(tx, update(tx, find(tx, id), params))
  }),
  operation('POST /v1/payment_intents/:id/confirm', CONFIRM, (tx, { id, params, version }) => {
    refuseOldParameter(params, version)
    return shown(tx, confirm(tx, find(tx, id), params))
  }),
  operation(
    'POST /v1/payment_intents/:id/capture',
    {
      payment_details: PAYMENT_DETAILS,
      amount_to_capture: integer({ min: 1 }),
      final_capture: only(flag(), true),
      metadata: metadata(),
      statement_descriptor: text(22),
      statement_descriptor_suffix: text(22),
    },
    (tx, { id, params }) => {
      const intent = find(tx, id)
      const described = { ...intent, ...describedBy(intent, params) }
      return shown(tx, capturePayment(tx, described, params.amount_to_capture ?? undefined))
    },
  ),
  operation(
    'POST /v1/payment_intents/:id/cancel',
    { cancellation_reason: choice('abandoned', 'duplicate', 'fraudulent', 'requested_by_customer') },
    (tx, { id, params }) => {
      const intent = find(tx, id)
      if (intent.session !== null && intent.status !== 'requires_capture') refuseCheckouts('cancel')
      return shown(tx, cancelPayment(tx, intent, params.cancellation_reason ?? null))
    },
  ),
]

function refuseOldParameter(params: { payment_method_types?: unknown }, version: string): void {
  if (params.payment_method_types === undefined || isBefore(version, '2026-09-30')) return
  throw typesNoLongerSupported()
}

function create(tx: Tx, params: Params<typeof CREATE>): PaymentIntentRecord {
  const { amount, currency: code } = params
  if (amount === undefined || amount === null) throw missingParameter('amount')
  if (!code) throw missingParameter('currency')
  requireAmount(amount, code)
  requireCustomer(tx, params.customer)
  const allowed = params.allowed_payment_method_types ?? params.payment_method_types ?? null
  const excluded = params.excluded_payment_method_types ?? null
  const method = methodOf(tx, params, params.customer ?? null)
  const intent = newPaymentIntent(tx, {
    amount,
    currency: code,
    allowedTypes: params.allowed_payment_method_types ?? null,
    excludedTypes: excluded,
    paymentMethodTypes: paymentMethodTypes(code, { allowed, excluded }),
    automaticPaymentMethods: params.payment_method_types
      ? null
      : {
          allow_redirects: params.automatic_payment_methods?.allow_redirects ?? 'always',
          enabled: params.automatic_payment_methods?.enabled ?? true,
        },
    captureMethod: params.capture_method ?? 'automatic_async',
    confirmationMethod: params.confirmation_method ?? 'automatic',
    customer: params.customer ?? null,
    ...describedBy(BLANK, params),
    ...detailedBy(BLANK, params),
  })
  emit(tx, 'payment_intent.created', render(tx, 'payment_intents', intent))
  if (!method) return intent
  return tx.put('payment_intents', { ...intent, paymentMethod: method.id, status: 'requires_confirmation' })
}

function update(tx: Tx, intent: PaymentIntentRecord, params: Params<typeof UPDATE>): PaymentIntentRecord {
  const moneyChanges = (params.amount ?? params.currency) !== undefined
  if (
    moneyChanges &&
    !['requires_payment_method', 'requires_confirmation', 'requires_action'].includes(intent.status)
  ) {
    throw unexpectedState(
      intent,
      tx.settings.publicUrl,
      `This PaymentIntent's amount could not be updated because it has a status of ${intent.status}. You may only update the amount of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action.`,
    )
  }
  const amount = params.amount ?? intent.amount
  const code = params.currency ?? intent.currency
  if (moneyChanges) requireAmount(amount, code)
  requireCustomer(tx, params.customer)
  const method = methodOf(tx, params, intent.customer)
  const waits = method && intent.status === 'requires_payment_method'
  const described = describedBy(intent, params)
  if (params.metadata !== undefined) mirrorMetadata(tx, intent, described.metadata)
  return tx.put('payment_intents', {
    ...intent,
    amount,
    currency: code,
    customer: sentOr(params.customer, intent.customer),
    ...described,
    ...detailedBy(intent, params),
    ...typesAsked(intent, params, code),
    captureMethod: params.capture_method ?? intent.captureMethod,
    ...(method ? { paymentMethod: method.id } : {}),
    ...(waits ? { status: 'requires_confirmation' as const } : {}),
  })
}

function mirrorMetadata(tx: Tx, intent: PaymentIntentRecord, metadata: Metadata): void {
  const charge = tx.get('charges', intent.latestCharge ?? '')
  if (!charge || !tx.settings.assume.laterMetadataReachesCharge) return
  const changed = tx.put('charges', { ...charge, metadata })
  emit(tx, 'charge.updated', render(tx, 'charges', changed), { metadata: charge.metadata })
}

function confirm(tx: Tx, intent: PaymentIntentRecord, params: Params<typeof CONFIRM>): PaymentIntentRecord {
  if (intent.session !== null) refuseCheckouts('confirm')
  if (!['requires_payment_method', 'requires_confirmation', 'requires_action'].includes(intent.status)) {
    throw unexpectedState(
      intent,
      tx.settings.publicUrl,
      intent.status === 'succeeded'
        ? 'You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.'
        : `You cannot confirm this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.`,
    )
  }
  const method =
    methodOf(tx, params, intent.customer) ?? tx.get('payment_methods', intent.paymentMethod ?? '')
  if (!method) {
    throw unexpectedState(
      intent,
      tx.settings.publicUrl,
      `You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.`,
    )
  }
  requireWhole(intent, params.amount_to_confirm)
  const radarSession = params.radar_options?.session
  const changed = tx.put('payment_intents', {
    ...intent,
    ...detailedBy(intent, params),
    ...typesAsked(intent, params, intent.currency),
    ...(radarSession ? { radarSession } : {}),
    ...(params.capture_method ? { captureMethod: params.capture_method } : {}),
  })
  const outcome = confirmPayment(tx, changed, {
    method,
    returnUrl: params.return_url ?? null,
    offSession: Boolean(params.off_session) && params.off_session?.toLowerCase() !== 'false',
    errorOnRequiresAction: params.error_on_requires_action ?? false,
    useStripeSdk: params.use_stripe_sdk ?? false,
    transferType: transferTypeOf(
      params.payment_method_options?.customer_balance?.bank_transfer?.type,
      intent.currency,
    ),
  })
  const after = find(tx, intent.id)
  if (outcome.kind === 'declined') throw declineError(tx, after)
  return after
}

const BLANK = {
  description: null,
  metadata: {},
  receiptEmail: null,
  setupFutureUsage: null,
  shipping: null,
  statementDescriptor: null,
  statementDescriptorSuffix: null,
  transferGroup: null,
}

type Blank = Pick<PaymentIntentRecord, keyof typeof BLANK>
type DescribedParams = Pick<
  Params<typeof DESCRIBED>,
  'description' | 'metadata' | 'statement_descriptor' | 'statement_descriptor_suffix' | 'transfer_group'
>

/** What is kept and shown, and copied to the charge. */
function describedBy(before: Omit<Blank, 'shipping'>, params: DescribedParams) {
  return {
    description: sentOr(params.description, before.description),
    metadata: changeMetadata(before.metadata, params.metadata),
    statementDescriptor: sentOr(params.statement_descriptor, before.statementDescriptor),
    statementDescriptorSuffix: sentOr(params.statement_descriptor_suffix, before.statementDescriptorSuffix),
    transferGroup: sentOr(params.transfer_group, before.transferGroup ?? null),
  }
}

type DetailParams = Pick<
  Params<typeof DETAILS>,
  'payment_details' | 'payment_method_options' | 'receipt_email' | 'setup_future_usage' | 'shipping'
>

function detailedBy(before: Blank, params: DetailParams) {
  const threeDSecure = params.payment_method_options?.card?.request_three_d_secure
  const details = params.payment_details
  return {
    receiptEmail: sentOr(params.receipt_email, before.receiptEmail),
    setupFutureUsage: sentOr(params.setup_future_usage, before.setupFutureUsage),
    shipping: params.shipping === undefined ? before.shipping : shippingOf(params.shipping),
    ...(threeDSecure ? { threeDSecure } : {}),
    ...(details
      ? {
          paymentDetails: {
            customer_reference: details.customer_reference ?? null,
            order_reference: details.order_reference ?? null,
          },
        }
      : {}),
  }
}

type TypeParams = Pick<
  Params<typeof DETAILS>,
  'allowed_payment_method_types' | 'excluded_payment_method_types' | 'payment_method_types'
>

// The computed types follow the filters and the currency.
function typesAsked(intent: PaymentIntentRecord, params: TypeParams, code: string) {
  const allowedTypes = sentOr(params.allowed_payment_method_types, intent.allowedTypes)
  const excludedTypes = sentOr(params.excluded_payment_method_types, intent.excludedTypes)
  const isAsked = allowedTypes !== intent.allowedTypes || excludedTypes !== intent.excludedTypes
  const old = params.payment_method_types
  if (!isAsked && !old && code === intent.currency) return {}
  const filter = { allowed: old ?? allowedTypes, excluded: excludedTypes }
  return { allowedTypes, excludedTypes, paymentMethodTypes: paymentMethodTypes(code, filter) }
}

function requireWhole(intent: PaymentIntentRecord, amount: number | null | undefined): void {
  if (amount === undefined || amount === null || amount === intent.amount) return
  throw invalidParameter('The sandbox only confirms the whole amount of a PaymentIntent.', {
    param: 'amount_to_confirm',
  })
}

type MethodParams = Params<Pick<typeof DETAILS, 'payment_method' | 'payment_method_data'>>

function methodOf(tx: Tx, params: MethodParams, customer: string | null) {
  if (params.payment_method) return resolvePaymentMethod(tx, params.payment_method, { customer })
  return params.payment_method_data ? methodFromData(tx, params.payment_method_data) : undefined
}

function requireAmount(amount: number, code: string): void {
  requireStep(amount, code, 'amount')
  if (amount >= minimumOf(code) && amount > 0 && amount <= 99_999_999) return
  if (amount > 99_999_999) {
    throw invalidParameter('Amount must be no more than 99,999,999 of the smallest currency unit.', {
      code: 'amount_too_large',
      param: 'amount',
    })
  }
  throw invalidParameter(
    'The amount must be greater than or equal to the minimum charge amount allowed for your account and the currency set (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts). If you want to save a Payment Method for future use without an immediate payment, use a Setup Intent instead: https://docs.stripe.com/payments/setup-intents',
    { code: amount < 1 ? 'parameter_invalid_integer' : 'amount_too_small', param: 'amount' },
  )
}

function requireCustomer(tx: Tx, customer: string | null | undefined): void {
  if (customer && !tx.get('customers', customer))
    throw noSuch('customer', customer, { param: 'customer', inBody: true })
}

function refuseCheckouts(verb: string): never {
  throw invalidRequest(`You cannot ${verb} a PaymentIntent that was created by a Checkout Session.`, {
    code: 'payment_intent_unexpected_state',
  })
}

function shown(tx: Tx, intent: PaymentIntentRecord): object {
  return render(tx, 'payment_intents', intent)
}

function find(tx: Tx, id: string): PaymentIntentRecord {
  const intent = tx.get('payment_intents', id)
  if (!intent) throw noSuch('payment_intent', id, { param: 'intent' })
  return intent
}
