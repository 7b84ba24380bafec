import type Stripe from 'stripe'
import type { WirePrice } from '../accounts/catalog.ts'
import { renderPrice } from '../accounts/catalog.ts'
import { randomText } from '../ids.ts'
import { paymentMethodTypes } from '../payments/payment-intent.ts'
import type { LineItemRecord, SessionDiscount, SessionRecord } from '../store/records.ts'
import type { Reads } from '../store/store.ts'

export type WireLineItem = Omit<Stripe.LineItem, 'price'> & { price: WirePrice | null }

export const MIN_LIFE_S = 30 * 60
export const MAX_LIFE_S = 24 * 3600

export function newSessionId(): string {
  return `cs_test_a1${randomText(56)}`
}

type Priced = { readonly lineItems: readonly LineItemRecord[] }

/** Before any discount. */
export function subtotalOf({ lineItems }: Priced): number {
  return lineItems.reduce((total, { unitAmount, quantity }) => total + unitAmount * quantity, 0)
}

export function discountOf({ lineItems }: Priced): number {
  return lineItems.reduce((total, { discounted = 0 }) => total + discounted, 0)
}

/** What the payer owes. */
export function totalOf(session: Priced): number {
  return subtotalOf(session) - discountOf(session)
}

// What the sandbox's Sessions never use, as Stripe shows it unused. It is spread first, and so has the fields that Stripe
// shows first: with a spread in its middle an object is made field by field.
const UNUSED = {
  id: '',
  object: 'checkout.session',
  adaptive_pricing: { enabled: false },
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  client_secret: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: {
    after_submit: null,
    shipping_address: null,
    submit: null,
    terms_of_service_acceptance: null,
  },
  customer_account: null,
  integration_identifier: null,
  invoice: null,
  invoice_creation: {
    enabled: false,
    invoice_data: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: null,
      metadata: {},
      rendering_options: null,
    },
  },
  managed_payments: null,
  mode: 'payment',
  origin_context: null,
  payment_method_collection: 'if_required',
  payment_method_configuration_details: null,
  permissions: null,
  phone_number_collection: { enabled: false },
  saved_payment_method_options: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  subscription: null,
  wallet_options: null,
} as const satisfies Partial<Stripe.Checkout.Session>

/** The Session as the API shows it; `line_items` is absent unless expanded. */
export function renderSession(record: SessionRecord, publicUrl: string): Stripe.Checkout.Session {
  const { discount } = record
  return {
    ...UNUSED,
    id: record.id,
    after_expiration: record.recovery ? { recovery: recoveryOf(record, record.recovery, publicUrl) } : null,
    allowed_payment_method_types: record.allowedTypes,
    allow_promotion_codes: record.allowPromotionCodes ?? null,
    amount_subtotal: subtotalOf(record),
    amount_total: totalOf(record),
    cancel_url: record.cancelUrl,
    client_reference_id: record.clientReferenceId,
    collected_information:
      record.status === 'complete'
        ? { business_name: null, individual_name: null, shipping_details: null }
        : null,
    created: record.created,
    currency: record.currency,
    payment_link: record.paymentLink ?? null,
    customer: record.customer,
    customer_creation:
      record.customer === null || record.customerCreation === 'always' ? record.customerCreation : null,
    customer_details: customerDetails(record),
    customer_email: record.customerEmail,
    discounts: discount
      ? [
          {
            coupon: discount.promotionCode === null ? discount.coupon : null,
            promotion_code: discount.promotionCode,
          },
        ]
      : [],
    expires_at: record.expiresAt,
    livemode: false,
    locale: record.locale,
    metadata: record.metadata,
    payment_intent: record.paymentIntent,
    payment_method_options: {
      card: { request_three_d_secure: record.paymentIntentData.threeDSecure ?? 'automatic' },
    },
    payment_method_types: paymentMethodTypes(record.currency, {
      allowed: record.allowedTypes,
      excluded: record.excludedTypes,
    }),
    payment_status: record.paymentStatus,
    recovered_from: record.recoveredFrom ?? null,
    status: record.status,
    submit_type: record.submitType,
    success_url: record.successUrl,
    total_details: { amount_discount: discountOf(record), amount_shipping: 0, amount_tax: 0 },
    ui_mode: record.uiMode,
    url:
      record.status === 'open' && record.uiMode === 'hosted_page' ? `${publicUrl}/c/pay/${record.id}` : null,
    ...(record.excludedTypes === null ? {} : { excluded_payment_method_types: record.excludedTypes }),
    ...(record.returnUrl === null ? {} : { return_url: record.returnUrl }),
    ...record.shown,
  }
}

type Recovery = NonNullable<SessionRecord['recovery']>

function recoveryOf(
  record: SessionRecord,
  { allowPromotionCodes, expiresAt }: Recovery,
  publicUrl: string,
): Stripe.Checkout.Session.AfterExpiration.Recovery {
  return {
    allow_promotion_codes: allowPromotionCodes,
    enabled: true,
    expires_at: expiresAt,
    url: expiresAt === null ? null : `${publicUrl}/c/recover/${record.id}`,
  }
}

function customerDetails(record: SessionRecord): Stripe.Checkout.Session.CustomerDetails | null {
  const email = record.payer?.email ?? record.customerEmail
  if (record.payer === null && email === null) return null
  return {
    address:
      record.payer === null
        ? null
        : { city: null, country: null, line1: null, line2: null, postal_code: null, state: null },
    business_name: null,
    email,
    individual_name: null,
    name: record.payer?.name ?? null,
    phone: null,
    tax_exempt: record.payer === null ? null : 'none',
    tax_ids: record.payer === null ? null : [],
  }
}

export function renderLineItem(reads: Reads, item: LineItemRecord): WireLineItem {
  const price = reads.get('prices', item.price)
  const subtotal = item.unitAmount * item.quantity
  const { discounted = 0 } = item
  return {
    id: item.id,
    object: 'item',
    adjustable_quantity: null,
    amount_discount: discounted,
    amount_subtotal: subtotal,
    amount_tax: 0,
    amount_total: subtotal - discounted,
    currency: item.currency,
    description: item.name,
    metadata: item.metadata,
    price: price ? renderPrice(price) : null,
    quantity: item.quantity,
  }
}

/** The Session's discount as the parts of its totals carry it. */
export function renderSessionDiscount(session: SessionRecord, discount: SessionDiscount): Stripe.Discount {
  return {
    id: discount.id,
    object: 'discount',
    checkout_session: session.id,
    customer: session.customer,
    customer_account: null,
    end: null,
    invoice: null,
    invoice_item: null,
    promotion_code: discount.promotionCode,
    source: { coupon: discount.coupon, type: 'coupon' },
    start: discount.start,
    subscription: null,
    subscription_item: null,
  }
}

/** The success or return address with the session's id in place of `{CHECKOUT_SESSION_ID}`, also percent-encoded. */
export function withSessionId(url: string, id: string): string {
  return url.replaceAll(/\{CHECKOUT_SESSION_ID\}|%7BCHECKOUT_SESSION_ID%7D/gi, id)
}

export function expireRefusal(status: string): string {
  return `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${status}\`.`
}
