import type Stripe from 'stripe'
import type { WireLineItem } from '../checkout/session.ts'
import { renderLineItem } from '../checkout/session.ts'
import type { PaymentLinkRecord } from '../store/account-records.ts'
import type { Reads } from '../store/store.ts'

// What the sandbox's links never use, as Stripe shows it unused.
const UNUSED = {
  application: null,
  application_fee_amount: null,
  application_fee_percent: null,
  automatic_tax: { enabled: false, liability: null },
  billing_address_collection: 'auto',
  consent_collection: null,
  custom_fields: [],
  custom_text: {
    after_submit: null,
    shipping_address: null,
    submit: null,
    terms_of_service_acceptance: null,
  },
  invoice_creation: null,
  managed_payments: null,
  on_behalf_of: null,
  payment_method_collection: 'always',
  payment_method_options: null,
  phone_number_collection: { enabled: false },
  shipping_address_collection: null,
  shipping_options: [],
  subscription_data: null,
  tax_id_collection: { enabled: false, required: 'never' },
  transfer_data: null,
} as const satisfies Partial<Stripe.PaymentLink>

/** The link as the API shows it; `line_items` is absent unless expanded. */
export function renderPaymentLink(reads: Reads, record: PaymentLinkRecord): Stripe.PaymentLink {
  const price = reads.get('prices', record.lineItems[0]?.price ?? '')
  const after = record.afterCompletion
  return {
    id: record.id,
    object: 'payment_link',
    ...UNUSED,
    ...record.shown,
    active: record.active,
    after_completion:
      'redirect' in after
        ? { redirect: { url: after.redirect }, type: 'redirect' }
        : { hosted_confirmation: { custom_message: after.message }, type: 'hosted_confirmation' },
    allow_promotion_codes: record.allowPromotionCodes,
    currency: price?.currency ?? 'usd',
    customer_creation: record.customerCreation,
    inactive_message: record.inactiveMessage,
    livemode: false,
    metadata: record.metadata,
    payment_intent_data: record.paymentIntentData ? intentData(record.paymentIntentData) : null,
    payment_method_types: record.types ? [...record.types] : null,
    restrictions: record.limit
      ? { completed_sessions: { count: record.completed ?? 0, limit: record.limit } }
      : null,
    submit_type: record.submitType,
    url: `${reads.settings.publicUrl}/b/${record.id}`,
  }
}

function intentData(
  data: NonNullable<PaymentLinkRecord['paymentIntentData']>,
): Stripe.PaymentLink.PaymentIntentData {
  return {
    capture_method: data.captureMethod === 'automatic_async' ? null : data.captureMethod,
    description: data.description,
    metadata: data.metadata,
    setup_future_usage: data.setupFutureUsage,
    statement_descriptor: data.statementDescriptor,
    statement_descriptor_suffix: data.statementDescriptorSuffix,
    transfer_group: data.transferGroup ?? null,
  }
}

export function renderLinkItem(reads: Reads, item: PaymentLinkRecord['lineItems'][number]): WireLineItem {
  const price = reads.get('prices', item.price)
  return renderLineItem(reads, {
    ...item,
    name: reads.get('products', price?.product ?? '')?.name ?? '',
    description: null,
    unitAmount: price?.unitAmount ?? 0,
    currency: price?.currency ?? 'usd',
    metadata: {},
  })
}
