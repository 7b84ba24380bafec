import { ApiError, docUrl, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import type { Params } from '../http/params.ts'
import { changeMetadata, choice, flag, list, metadata, object, text, url } from '../http/params.ts'
import { isBefore } from '../http/version.ts'
import { render } from '../resources.ts'
import type { SetupIntentRecord } from '../store/account-records.ts'
import type { PaymentMethodRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { paymentMethodTypes, typesNoLongerSupported } from './payment-intent.ts'
import { CARD_OPTIONS, MANDATE_DATA } from './method-options.ts'
import { METHOD_DATA, methodFromData } from './payment-method.routes.ts'
import { resolvePaymentMethod } from './payment-method.ts'
import { confirmSetup, setupError } from './confirm-setup.ts'
import { newSetupIntent } from './setup-intent.ts'

const OPTIONS = object({ card: CARD_OPTIONS })

const CHANGE = {
  customer: text(),
  description: text(1000),
  metadata: metadata(),
  payment_method: text(),
  payment_method_data: METHOD_DATA,
  payment_method_options: OPTIONS,
}

const CONFIRM = {
  mandate_data: MANDATE_DATA,
  payment_method: text(),
  payment_method_data: METHOD_DATA,
  payment_method_options: OPTIONS,
  return_url: url(),
  use_stripe_sdk: flag(),
}

const CREATE = {
  ...CHANGE,
  ...CONFIRM,
  allowed_payment_method_types: list(text()),
  automatic_payment_methods: object({ allow_redirects: choice('always', 'never'), enabled: flag() }),
  confirm: flag(),
  excluded_payment_method_types: list(text()),
  /** Removed from the API; older callers may still send it. */
  payment_method_types: list(text()),
  usage: choice('off_session', 'on_session'),
}

export const setupIntentOperations: readonly Operation[] = [
  operation('POST /v1/setup_intents', CREATE, (tx, { params, version }) => {
    if (params.payment_method_types !== undefined && !isBefore(version, '2026-09-30')) {
      throw typesNoLongerSupported()
    }
    const intent = create(tx, params)
    return render(tx, 'setup_intents', params.confirm ? confirm(tx, intent, params) : intent)
  }),
  operation(
    'GET /v1/setup_intents',
    { ...LIST_CREATED, customer: text(), payment_method: text() },
    (tx, { params, path }) =>
      listPage(tx, 'setup_intents', {
        url: path,
        params,
        noun: 'setupintent',
        keep: (row) =>
          (!params.customer || row.customer === params.customer) &&
          (!params.payment_method || row.paymentMethod === params.payment_method),
      }),
  ),
  operation('GET /v1/setup_intents/:id', { client_secret: text() }, (tx, { id }) =>
    render(tx, 'setup_intents', find(tx, id)),
  ),
  operation('POST /v1/setup_intents/:id', CHANGE, (tx, { id, params }) => {
    const intent = find(tx, id)
    const method = methodOf(tx, params)
    const changed = tx.put('setup_intents', {
      ...intent,
      customer: params.customer === undefined ? intent.customer : params.customer,
      description: params.description === undefined ? intent.description : params.description,
      metadata: changeMetadata(intent.metadata, params.metadata),
      ...threeDSecureOf(params),
      ...(method ? { paymentMethod: method.id, status: 'requires_confirmation' as const } : {}),
    })
    return render(tx, 'setup_intents', changed)
  }),
  operation('POST /v1/setup_intents/:id/confirm', CONFIRM, (tx, { id, params }) =>
    render(tx, 'setup_intents', confirm(tx, find(tx, id), params)),
  ),
  operation(
    'POST /v1/setup_intents/:id/cancel',
    { cancellation_reason: choice('abandoned', 'duplicate', 'requested_by_customer') },
    (tx, { id, params }) => {
      const intent = find(tx, id)
      if (intent.status === 'succeeded' || intent.status === 'canceled') {
        throw unexpectedState(
          tx,
          intent,
          `You cannot cancel this SetupIntent because it has a status of ${intent.status}.`,
        )
      }
      const canceled = tx.put('setup_intents', {
        ...intent,
        status: 'canceled',
        canceledBecause: params.cancellation_reason ?? null,
      })
      emit(tx, 'setup_intent.canceled', render(tx, 'setup_intents', canceled))
      return render(tx, 'setup_intents', canceled)
    },
  ),
  operation('GET /v1/setup_attempts', { ...LIST_CREATED, setup_intent: text() }, (tx, { params, path }) =>
    listPage(tx, 'setup_attempts', {
      url: path,
      params,
      noun: 'setup attempt',
      keep: (row) => !params.setup_intent || row.setupIntent === params.setup_intent,
    }),
  ),
]

function create(tx: Tx, params: Params<typeof CREATE>): SetupIntentRecord {
  if (params.customer && !tx.get('customers', params.customer)) {
    throw noSuch('customer', params.customer, { param: 'customer', inBody: true })
  }
  const old = params.payment_method_types ?? null
  const allowed = params.allowed_payment_method_types ?? old
  const excluded = params.excluded_payment_method_types ?? null
  const method = methodOf(tx, params)
  const intent = newSetupIntent(tx, {
    allowedTypes: params.allowed_payment_method_types ?? null,
    excludedTypes: excluded,
    automatic: old === null,
    customer: params.customer ?? null,
    description: params.description ?? null,
    metadata: changeMetadata({}, params.metadata),
    paymentMethodTypes: paymentMethodTypes('eur', { allowed, excluded }),
    usage: params.usage ?? 'off_session',
    ...threeDSecureOf(params),
  })
  emit(tx, 'setup_intent.created', render(tx, 'setup_intents', intent))
  if (!method) return intent
  return tx.put('setup_intents', { ...intent, paymentMethod: method.id, status: 'requires_confirmation' })
}

function confirm(tx: Tx, intent: SetupIntentRecord, params: Params<typeof CONFIRM>): SetupIntentRecord {
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    throw unexpectedState(
      tx,
      intent,
      `You cannot confirm this SetupIntent because it has a status of ${intent.status}. Only a SetupIntent with one of the following statuses may be confirmed: requires_payment_method, requires_confirmation, requires_action.`,
    )
  }
  const method = methodOf(tx, params) ?? tx.get('payment_methods', intent.paymentMethod ?? '')
  if (!method) {
    throw unexpectedState(
      tx,
      intent,
      "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment method and then confirm it again.",
    )
  }
  const asked = { ...intent, ...threeDSecureOf(params), useStripeSdk: params.use_stripe_sdk ?? false }
  const after = confirmSetup(tx, asked, { method, returnUrl: params.return_url ?? null })
  if (after.lastError !== null) throw setupError(tx, after, after.lastError)
  return after
}

function threeDSecureOf(
  params: Params<Pick<typeof CONFIRM, 'payment_method_options'>>,
): Pick<SetupIntentRecord, 'threeDSecure'> {
  const asked = params.payment_method_options?.card?.request_three_d_secure
  return asked ? { threeDSecure: asked } : {}
}

type MethodParams = Params<Pick<typeof CONFIRM, 'payment_method' | 'payment_method_data'>>

function methodOf(tx: Tx, params: MethodParams): PaymentMethodRecord | undefined {
  if (params.payment_method) return resolvePaymentMethod(tx, params.payment_method, {})
  return params.payment_method_data ? methodFromData(tx, params.payment_method_data) : undefined
}

function unexpectedState(tx: Tx, intent: SetupIntentRecord, message: string): ApiError {
  return new ApiError(400, {
    code: 'setup_intent_unexpected_state',
    doc_url: docUrl('setup_intent_unexpected_state'),
    message,
    setup_intent: render(tx, 'setup_intents', intent),
    type: 'invalid_request_error',
  })
}

function find(reads: Reads, id: string): SetupIntentRecord {
  const intent = reads.get('setup_intents', id)
  if (!intent) throw noSuch('setupintent', id, { param: 'intent' })
  return intent
}
