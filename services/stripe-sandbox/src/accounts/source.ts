import type Stripe from 'stripe'
import { instrumentByName } from '../payments/instruments.ts'
import type { SourceRecord } from '../store/account-records.ts'

/** A customer's card as the older API shows it. */
export function renderSource(record: SourceRecord): Stripe.Card {
  const { brand, country, funding, last4 } = instrumentByName(record.instrument)
  return {
    id: record.id,
    object: 'card',
    address_city: null,
    address_country: null,
    address_line1: null,
    address_line1_check: null,
    address_line2: null,
    address_state: null,
    address_zip: null,
    address_zip_check: null,
    allow_redisplay: 'unspecified',
    brand: BRANDS[brand] ?? 'Unknown',
    country,
    customer: record.customer,
    cvc_check: 'pass',
    dynamic_last4: null,
    exp_month: record.expMonth,
    exp_year: record.expYear,
    fingerprint: Buffer.from(record.instrument).toString('base64url').padEnd(16, 'Q').slice(0, 16),
    funding,
    last4,
    metadata: record.metadata,
    name: record.name,
    regulated_status: 'unregulated',
    tokenization_method: null,
  }
}

// The older API spells them as people do.
const BRANDS: Readonly<Record<string, string>> = {
  visa: 'Visa',
  mastercard: 'MasterCard',
  amex: 'American Express',
  discover: 'Discover',
}
