import { newPrice, newProduct } from '../accounts/catalog.ts'
import { priceOf, PRICED, PRODUCT_NAMED, productOf } from '../accounts/catalog-params.ts'
import { invalidParameter, invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { SHIPPING, shippingOf } from '../http/address.ts'
import { newNumberedId } from '../ids.ts'
import type { Params } from '../http/params.ts'
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
  text,
  url,
} from '../http/params.ts'
import { minimumOf, requireStep, symbolText } from '../money.ts'
import { CARD_OPTIONS } from '../payments/method-options.ts'
import { paymentMethodTypes } from '../payments/payment-intent.ts'
import type { PriceRecord } from '../store/account-records.ts'
import type { LineItemRecord, SessionRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { later } from '../tasks.ts'
import { BRANDING_SETTINGS, brandingOf } from './branding.ts'
import { customTextOf, FIXED_QUANTITY, INTENT_DATA, intentDataOf, PAGE } from './page-params.ts'
import { withAskedDiscount } from './redeem.ts'
import { MAX_LIFE_S, MIN_LIFE_S, newSessionId, totalOf } from './session.ts'

const lineItem = object({
  adjustable_quantity: FIXED_QUANTITY,
  metadata: metadata(),
  price: text(),
  price_data: object({ ...PRICED, product: text(), product_data: object(PRODUCT_NAMED) }),
  quantity: integer({ min: 1, max: 999_999 }),
})

export const CREATE_SESSION = {
  ...PAGE,
  adaptive_pricing: object({ enabled: only(flag(), false) }),
  after_expiration: object({ recovery: object({ allow_promotion_codes: flag(), enabled: flag() }) }),
  allowed_payment_method_types: list(text()),
  branding_settings: BRANDING_SETTINGS,
  cancel_url: url(),
  client_reference_id: text(200),
  currency: currency(),
  customer: text(),
  customer_email: email(),
  customer_update: object({
    address: only(text(), 'never'),
    name: choice('auto', 'never'),
    shipping: only(text(), 'never'),
  }),
  discounts: list(object({ coupon: text(), promotion_code: text() }), 1),
  excluded_payment_method_types: list(text()),
  expires_at: integer(),
  integration_identifier: text(),
  line_items: list(lineItem, 100),
  locale: text(10),
  mode: choice('payment', 'setup', 'subscription'),
  origin_context: choice('mobile_app', 'web'),
  payment_intent_data: object({ ...INTENT_DATA, receipt_email: email(), shipping: SHIPPING }),
  payment_method_collection: only(choice('always', 'if_required'), 'if_required'),
  payment_method_options: object({ card: CARD_OPTIONS }),
  /** Removed from the API; older callers may still send it. */
  payment_method_types: list(text()),
  return_url: url(),
  success_url: url(),
  ui_mode: only(choice('elements', 'embedded_page', 'form', 'hosted_page'), 'hosted_page'),
  wallet_options: object({ link: object({ display: choice('auto', 'never') }) }),
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
  if (params.customer_update && !params.customer) {
    throw invalidParameter('`customer_update` can only be used with `customer`.', {
      param: 'customer_update',
    })
  }
  if (params.customer && !tx.get('customers', params.customer)) {
    throw noSuch('customer', params.customer, { param: 'customer', inBody: true })
  }
  const expiresAt = params.expires_at ?? tx.now + MAX_LIFE_S
  requireLife(expiresAt - tx.now)
  const lineItems = params.line_items.map((item, index) => newLineItem(tx, item, index))
  const opened = buildSession(tx, params, { uiMode, expiresAt, lineItems })
  requireOneCurrency(opened, params.currency)
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

function requireOneCurrency(session: SessionRecord, asked: string | null | undefined): void {
  if (asked && asked !== session.currency) {
    throw invalidRequest(
      `The currency ${asked} is not that of the line items (${session.currency}), and the sandbox's prices have no currency_options.`,
      { param: 'currency' },
    )
  }
  if (session.lineItems.some((item) => item.currency !== session.currency)) {
    throw invalidRequest('All line items must have the same currency.', { param: 'line_items' })
  }
}

function requireAmount(session: SessionRecord): void {
  const total = totalOf(session)
  const minimum = minimumOf(session.currency)
  for (const [index, { unitAmount }] of session.lineItems.entries())
    requireStep(unitAmount, session.currency, `line_items[${index}][price_data][unit_amount]`)
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
  const { price, name, description } = pricedLine(tx, item, path)
  if (price.recurring) {
    throw invalidRequest(
      'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
      { param: path },
    )
  }
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

function pricedLine(
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
  const asked = priceOf(data, (name) => `${path}[price_data][${name}]`)
  const product = data.product ? tx.get('products', data.product) : undefined
  if (data.product && !product) {
    throw noSuch('product', data.product, { param: `${path}[price_data][product]`, inBody: true })
  }
  const named = product ?? newProductOf(tx, data.product_data, path)
  const price = newPrice(tx, { ...asked, product: named.id, active: product !== undefined })
  return { price, name: named.name, description: named.description }
}

type ProductData = NonNullable<LineItemShape['price_data']>['product_data']

function newProductOf(tx: Tx, data: ProductData, path: string) {
  if (!data) throw missingParameter(`${path}[price_data][product_data]`)
  if (!data.name) throw missingParameter(`${path}[price_data][product_data][name]`)
  return newProduct(tx, { ...productOf(data), name: data.name, active: false })
}

function buildSession(
  tx: Tx,
  params: CreateSession,
  made: { uiMode: string; expiresAt: number; lineItems: LineItemRecord[] },
): SessionRecord {
  const total = made.lineItems.reduce((sum, item) => sum + item.unitAmount * item.quantity, 0)
  return {
    id: newSessionId(),
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
    paymentIntentData: intentData(params),
    shown: shownOf(params),
    ...recoveryOf(params),
    customerUpdate: { name: params.customer_update?.name === 'auto' },
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

function intentData(params: CreateSession): SessionRecord['paymentIntentData'] {
  const data = params.payment_intent_data ?? {}
  const threeDSecure = params.payment_method_options?.card?.request_three_d_secure
  return {
    ...intentDataOf(data),
    receiptEmail: data.receipt_email ?? null,
    shipping: shippingOf(data.shipping),
    ...(threeDSecure ? { threeDSecure } : {}),
  }
}

function shownOf(params: CreateSession): NonNullable<SessionRecord['shown']> {
  const link = params.wallet_options?.link?.display
  const branding = brandingOf(params.branding_settings)
  return {
    ...(branding ? { branding_settings: branding } : {}),
    ...(params.custom_text ? { custom_text: customTextOf(params.custom_text) } : {}),
    ...(params.integration_identifier ? { integration_identifier: params.integration_identifier } : {}),
    ...(params.origin_context ? { origin_context: params.origin_context } : {}),
    ...(link ? { wallet_options: { link: { display: link } } } : {}),
  }
}

function recoveryOf(params: CreateSession): Pick<SessionRecord, 'recovery'> {
  const recovery = params.after_expiration?.recovery
  if (!recovery?.enabled) return {}
  return { recovery: { allowPromotionCodes: recovery.allow_promotion_codes ?? false, expiresAt: null } }
}
