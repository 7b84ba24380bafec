import { newPrice, newProduct } from '../accounts/catalog.ts'
import { invalidParameter, invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { newNumberedId, randomText } from '../ids.ts'
import type { Params } from '../http/params.ts'
import {
  anything,
  changeMetadata,
  choice,
  currency,
  email,
  flag,
  integer,
  list,
  metadata,
  object,
  text,
  url,
} from '../http/params.ts'
import { minimumOf, symbolText } from '../money.ts'
import { paymentMethodTypes } from '../payments/payment-intent.ts'
import type { LineItemRecord, PriceRecord, SessionRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { later } from '../tasks.ts'
import { withAskedDiscount } from './redeem.ts'
import { MAX_LIFE_S, MIN_LIFE_S, totalOf } from './session.ts'

const captureMethod = choice('automatic', 'automatic_async', 'manual')

const lineItem = object({
  adjustable_quantity: anything(),
  metadata: metadata(),
  price: text(),
  price_data: object({
    currency: currency(),
    product: text(),
    product_data: object({
      description: text(),
      images: list(text(), 8),
      metadata: metadata(),
      name: text(250),
      tax_code: text(),
      tax_details: anything(),
      unit_label: text(),
    }),
    recurring: anything(),
    tax_behavior: choice('exclusive', 'inclusive', 'unspecified'),
    unit_amount: integer({ min: 0 }),
    unit_amount_decimal: text(),
  }),
  quantity: integer({ min: 1, max: 999_999 }),
  tax_rates: anything(),
})

export const CREATE_SESSION = {
  adaptive_pricing: anything(),
  after_expiration: anything(),
  allow_promotion_codes: flag(),
  allowed_payment_method_types: list(text()),
  automatic_tax: anything(),
  billing_address_collection: anything(),
  branding_settings: anything(),
  cancel_url: url(),
  client_reference_id: text(200),
  consent_collection: anything(),
  currency: currency(),
  custom_fields: anything(),
  custom_text: anything(),
  customer: text(),
  customer_creation: choice('always', 'if_required'),
  customer_email: email(),
  customer_update: anything(),
  discounts: list(object({ coupon: text(), promotion_code: text() }), 1),
  excluded_payment_method_types: list(text()),
  expires_at: integer(),
  integration_identifier: text(),
  invoice_creation: anything(),
  line_items: list(lineItem, 100),
  locale: text(10),
  metadata: metadata(),
  mode: choice('payment', 'setup', 'subscription'),
  name_collection: anything(),
  origin_context: anything(),
  payment_intent_data: object({
    capture_method: captureMethod,
    description: text(1000),
    metadata: metadata(),
    receipt_email: email(),
    setup_future_usage: choice('off_session', 'on_session'),
    shipping: anything(),
    statement_descriptor: text(22),
    statement_descriptor_suffix: text(22),
    transfer_group: text(),
  }),
  payment_method_collection: anything(),
  payment_method_configuration: text(),
  payment_method_options: anything(),
  /** Removed from the API; older callers may still send it. */
  payment_method_types: list(text()),
  phone_number_collection: anything(),
  redirect_on_completion: anything(),
  return_url: url(),
  saved_payment_method_options: anything(),
  shipping_address_collection: anything(),
  submit_type: choice('auto', 'book', 'donate', 'pay', 'subscribe'),
  success_url: url(),
  tax_id_collection: anything(),
  ui_mode: choice('elements', 'embedded_page', 'form', 'hosted_page'),
  wallet_options: anything(),
}

export type CreateSession = Params<typeof CREATE_SESSION>
type LineItemShape = ReturnType<typeof lineItem>

/** Opens a Session. No PaymentIntent exists until the payer confirms, and no event is emitted. */
export function createSession(tx: Tx, params: CreateSession): SessionRecord {
  const uiMode = params.ui_mode ?? 'hosted_page'
  requireUrls(params, uiMode)
  if (!params.mode) throw missingParameter('mode')
  if (params.mode !== 'payment') {
    throw invalidRequest(`The sandbox only knows Checkout Sessions with mode payment, not ${params.mode}.`, {
      param: 'mode',
    })
  }
  if (!params.line_items || params.line_items.length === 0) throw missingParameter('line_items')
  if (params.customer && params.customer_email) {
    throw invalidParameter('You may only specify one of these parameters: customer, customer_email.', {
      param: 'customer',
    })
  }
  if (params.customer && !tx.get('customers', params.customer)) {
    throw noSuch('customer', params.customer, { param: 'customer', inBody: true })
  }
  const expiresAt = params.expires_at ?? tx.now + MAX_LIFE_S
  requireLife(expiresAt - tx.now)
  const lineItems = params.line_items.map((item, index) => newLineItem(tx, item, index))
  const opened = buildSession(tx, params, { uiMode, expiresAt, lineItems })
  requireOneCurrency(opened)
  const session = tx.put('sessions', withAskedDiscount(tx, opened, params))
  requireAmount(session)
  const filter = { allowed: session.allowedTypes, excluded: session.excludedTypes }
  if (paymentMethodTypes(session.currency, filter).length === 0) {
    throw invalidRequest(
      'No valid payment method types for this Checkout Session. Please ensure that you have activated payment methods compatible with your chosen currency in your dashboard (https://dashboard.stripe.com/settings/payment_methods).',
    )
  }
  later(tx, 'expire_session', session.id, { ms: expiresAt * 1000 - tx.nowMs })
  return session
}

function requireUrls(params: CreateSession, uiMode: string): void {
  if (uiMode === 'hosted_page' && !params.success_url) throw missingParameter('success_url')
  if (uiMode === 'hosted_page' && params.return_url) {
    throw invalidParameter('`return_url` is only supported for embedded UI modes.', { param: 'return_url' })
  }
}

function requireLife(seconds: number): void {
  if (seconds < MIN_LIFE_S) {
    throw invalidRequest(
      'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.',
      { param: 'expires_at' },
    )
  }
  if (seconds > MAX_LIFE_S) {
    throw invalidRequest(
      'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.',
      { param: 'expires_at' },
    )
  }
}

function requireOneCurrency(session: SessionRecord): void {
  if (session.lineItems.some((item) => item.currency !== session.currency)) {
    throw invalidRequest('All line items must have the same currency.', { param: 'line_items' })
  }
}

function requireAmount(session: SessionRecord): void {
  const total = totalOf(session)
  const minimum = minimumOf(session.currency)
  if (total > 0 && total < minimum) {
    throw invalidRequest(
      `The Checkout Session's total amount due must add up to at least ${symbolText(minimum, session.currency)} ${session.currency}`,
      { code: 'amount_too_small' },
    )
  }
  if (total > 99_999_999) {
    throw invalidRequest(
      `The Checkout Session's total amount due must be no more than ${symbolText(99_999_999, session.currency)} ${session.currency}`,
      { code: 'amount_too_large' },
    )
  }
}

function newLineItem(tx: Tx, item: LineItemShape, index: number): LineItemRecord {
  const path = `line_items[${index}]`
  const { price, name, description } = priceOf(tx, item, path)
  return {
    id: newNumberedId('li'),
    name,
    description,
    unitAmount: price.unitAmount,
    quantity: item.quantity ?? 1,
    currency: price.currency,
    price: price.id,
    metadata: changeMetadata({}, item.metadata),
  }
}

function priceOf(
  tx: Tx,
  item: LineItemShape,
  path: string,
): { price: PriceRecord; name: string; description: string | null } {
  if (item.price) {
    const price = tx.get('prices', item.price)
    if (!price) throw noSuch('price', item.price, { param: `${path}[price]`, inBody: true })
    const product = tx.get('products', price.product)
    return { price, name: product?.name ?? '', description: product?.description ?? null }
  }
  const data = item.price_data
  if (!data) throw missingParameter(`${path}[price]`)
  if (!data.currency) throw missingParameter(`${path}[price_data][currency]`)
  const unitAmount = unitAmountOf(data, path)
  const product = data.product ? tx.get('products', data.product) : undefined
  if (data.product && !product) {
    throw noSuch('product', data.product, { param: `${path}[price_data][product]`, inBody: true })
  }
  const named = product ?? newProductOf(tx, data.product_data, path)
  const price = newPrice(tx, {
    currency: data.currency,
    unitAmount,
    product: named.id,
    active: product !== undefined,
  })
  return { price, name: named.name, description: named.description }
}

type PriceData = NonNullable<LineItemShape['price_data']>

function unitAmountOf(data: PriceData, path: string): number {
  if (typeof data.unit_amount === 'number') return data.unit_amount
  const decimal = data.unit_amount_decimal
  if (!decimal) throw missingParameter(`${path}[price_data][unit_amount]`)
  if (!/^\d{1,12}(\.0+)?$/.test(decimal)) {
    throw invalidParameter('The sandbox only takes whole minor units.', {
      param: `${path}[price_data][unit_amount_decimal]`,
    })
  }
  return Number(decimal)
}

function newProductOf(tx: Tx, data: PriceData['product_data'], path: string) {
  if (!data) throw missingParameter(`${path}[price_data][product_data]`)
  if (!data.name) throw missingParameter(`${path}[price_data][product_data][name]`)
  return newProduct(tx, {
    name: data.name,
    description: data.description ?? null,
    images: data.images ?? [],
    metadata: changeMetadata({}, data.metadata),
    active: false,
  })
}

function buildSession(
  tx: Tx,
  params: CreateSession,
  made: { uiMode: string; expiresAt: number; lineItems: LineItemRecord[] },
): SessionRecord {
  const total = made.lineItems.reduce((sum, item) => sum + item.unitAmount * item.quantity, 0)
  return {
    id: `cs_test_a1${randomText(56)}`,
    created: tx.now,
    expiresAt: made.expiresAt,
    status: 'open',
    paymentStatus: total === 0 ? 'no_payment_required' : 'unpaid',
    uiMode: made.uiMode,
    currency: made.lineItems[0]?.currency ?? 'usd',
    lineItems: made.lineItems,
    successUrl: params.success_url ?? null,
    cancelUrl: params.cancel_url ?? null,
    returnUrl: params.return_url ?? null,
    clientReferenceId: params.client_reference_id ?? null,
    customer: params.customer ?? null,
    customerCreation: params.customer_creation ?? 'if_required',
    customerEmail: params.customer_email ?? null,
    payer: payerOf(tx, params.customer),
    metadata: changeMetadata({}, params.metadata),
    locale: params.locale ?? null,
    submitType: params.submit_type ?? null,
    allowedTypes: params.allowed_payment_method_types ?? params.payment_method_types ?? null,
    excludedTypes: params.excluded_payment_method_types ?? null,
    paymentIntent: null,
    paymentIntentData: intentData(params.payment_intent_data ?? {}),
    allowPromotionCodes: params.allow_promotion_codes ?? null,
    submits: {},
    completedEvent: null,
  }
}

// An existing customer's address is filled in.
function payerOf(tx: Tx, customerId: string | null | undefined): SessionRecord['payer'] {
  const customer = tx.get('customers', customerId ?? '')
  return customer ? { email: customer.email, name: customer.name } : null
}

function intentData(
  data: NonNullable<CreateSession['payment_intent_data']>,
): SessionRecord['paymentIntentData'] {
  return {
    metadata: changeMetadata({}, data.metadata),
    captureMethod: data.capture_method ?? 'automatic_async',
    description: data.description ?? null,
    receiptEmail: data.receipt_email ?? null,
    setupFutureUsage: data.setup_future_usage ?? null,
    statementDescriptor: data.statement_descriptor ?? null,
    statementDescriptorSuffix: data.statement_descriptor_suffix ?? null,
  }
}
