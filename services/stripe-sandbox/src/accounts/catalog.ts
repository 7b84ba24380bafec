import type Stripe from 'stripe'
import { newId, newNumberedId } from '../ids.ts'
import type { CustomerRecord, PriceRecord, ProductRecord } from '../store/account-records.ts'
import type { Tx } from '../store/store.ts'

/** As on the wire: the SDK's Decimal is a string there. */
export type WirePrice = Omit<Stripe.Price, 'unit_amount_decimal'> & { unit_amount_decimal: string | null }

export function renderCustomer(
  record: CustomerRecord,
  discount: Stripe.Discount | null = null,
): Stripe.Customer | Stripe.DeletedCustomer {
  if (record.deleted) return { id: record.id, object: 'customer', deleted: true }
  return {
    id: record.id,
    object: 'customer',
    address: record.address ?? null,
    balance: record.balance ?? 0,
    created: record.created,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: record.description,
    discount,
    email: record.email,
    invoice_prefix: record.id.slice(4, 12).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: record.defaultPaymentMethod,
      footer: record.footer ?? null,
      rendering_options: null,
    },
    livemode: false,
    metadata: record.metadata,
    name: record.name,
    phone: record.phone,
    preferred_locales: [...(record.preferredLocales ?? [])],
    shipping: record.shipping ?? null,
    tax_exempt: record.taxExempt ?? 'none',
    test_clock: null,
  }
}

export function renderProduct(record: ProductRecord): Stripe.Product | Stripe.DeletedProduct {
  if (record.deleted) return { id: record.id, object: 'product', deleted: true }
  return {
    id: record.id,
    object: 'product',
    active: record.active,
    created: record.created,
    default_price: record.defaultPrice ?? null,
    description: record.description,
    images: record.images,
    livemode: false,
    marketing_features: (record.marketingFeatures ?? []).map((name) => ({ name })),
    metadata: record.metadata,
    name: record.name,
    package_dimensions: null,
    shippable: record.shippable ?? null,
    statement_descriptor: null,
    tax_code: record.taxCode ?? null,
    tax_details: null,
    type: 'service',
    unit_label: record.unitLabel ?? null,
    updated: record.updated,
    url: record.url ?? null,
  }
}

export function renderPrice(record: PriceRecord): WirePrice {
  return {
    id: record.id,
    object: 'price',
    active: record.active,
    billing_scheme: 'per_unit',
    created: record.created,
    currency: record.currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: record.lookupKey,
    metadata: record.metadata,
    nickname: record.nickname,
    product: record.product,
    recurring: record.recurring
      ? {
          interval: record.recurring.interval,
          interval_count: record.recurring.intervalCount,
          meter: null,
          trial_period_days: null,
          usage_type: 'licensed',
        }
      : null,
    tax_behavior: record.taxBehavior ?? 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: record.recurring ? 'recurring' : 'one_time',
    unit_amount: record.unitAmount,
    unit_amount_decimal: String(record.unitAmount),
  }
}

export function newCustomer(tx: Tx, from: Partial<CustomerRecord>): CustomerRecord {
  return tx.put('customers', {
    id: newId('cus', 14),
    created: tx.now,
    email: null,
    name: null,
    phone: null,
    description: null,
    metadata: {},
    defaultPaymentMethod: null,
    deleted: false,
    ...from,
  })
}

export function newProduct(
  tx: Tx,
  from: Pick<ProductRecord, 'name'> & Partial<ProductRecord>,
): ProductRecord {
  return tx.put('products', {
    id: newId('prod', 14),
    created: tx.now,
    updated: tx.now,
    active: true,
    description: null,
    images: [],
    metadata: {},
    deleted: false,
    ...from,
  })
}

export function newPrice(
  tx: Tx,
  from: Pick<PriceRecord, 'currency' | 'unitAmount' | 'product'> & Partial<PriceRecord>,
): PriceRecord {
  return tx.put('prices', {
    id: newNumberedId('price'),
    created: tx.now,
    active: true,
    nickname: null,
    lookupKey: null,
    metadata: {},
    ...from,
  })
}
