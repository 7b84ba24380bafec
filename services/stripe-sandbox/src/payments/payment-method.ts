import type Stripe from 'stripe'
import { ApiError, docUrl, invalidParameter, missingParameter, noSuch } from '../errors.ts'
import { NO_ADDRESS } from '../http/address.ts'
import { newNumberedId } from '../ids.ts'
import type { PaymentMethodRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import type { Instrument } from './instruments.ts'
import { instrumentByAlias, instrumentByCardNumber, isLuhnValid } from './instruments.ts'

export type CardInput = {
  readonly number: string
  readonly expMonth: number
  readonly expYear: number
  readonly cvc: string | null
}
export type Owner = {
  readonly email?: string | null
  readonly name?: string | null
  readonly customer?: string | null
  readonly phone?: string | null
  readonly address?: Stripe.Address | null
  readonly taxId?: string | null
}

/** The payment method as the API shows it. */
export function renderPaymentMethod(record: PaymentMethodRecord): Stripe.PaymentMethod {
  return {
    id: record.id,
    object: 'payment_method',
    allow_redisplay: record.allowRedisplay ?? 'unspecified',
    billing_details: billingDetails(record),
    ...(record.type === 'card' ? { card: renderCard(record) } : {}),
    ...(record.type === 'customer_balance' ? { customer_balance: {} } : {}),
    ...(record.type === 'sepa_debit' ? { sepa_debit: renderSepaDebit(record) } : {}),
    created: record.created,
    customer: record.customer,
    customer_account: null,
    livemode: false,
    metadata: record.metadata,
    ...(record.radarSession === undefined ? {} : { radar_options: { session: record.radarSession } }),
    type: record.type,
  }
}

export function billingDetails(owner: {
  email: string | null
  name: string | null
  phone?: string | null
  address?: Stripe.Address | null
  taxId?: string | null
}): Stripe.Charge.BillingDetails {
  return {
    address: owner.address ?? NO_ADDRESS,
    email: owner.email,
    name: owner.name,
    phone: owner.phone ?? null,
    tax_id: owner.taxId ?? null,
  }
}

/** A pretend fingerprint: the same test card always has the same. */
export function fingerprintOf(record: PaymentMethodRecord): string {
  return Buffer.from(`${record.instrument}${record.last4}`).toString('base64url').padEnd(16, 'Q').slice(0, 16)
}

function renderCard(record: PaymentMethodRecord): Stripe.PaymentMethod.Card {
  return {
    brand: record.brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: record.country,
    display_brand: record.brand,
    exp_month: record.expMonth,
    exp_year: record.expYear,
    fingerprint: fingerprintOf(record),
    funding: record.funding,
    generated_from: null,
    last4: record.last4,
    networks: { available: [record.brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: record.brand !== 'amex' },
    wallet: null,
  }
}

function renderSepaDebit(record: PaymentMethodRecord): Stripe.PaymentMethod.SepaDebit {
  return {
    bank_code: '37040044',
    branch_code: '',
    country: record.country,
    fingerprint: fingerprintOf(record),
    generated_from: { charge: null, setup_attempt: null },
    last4: record.last4,
  }
}

export function createPaymentMethod(
  tx: Tx,
  instrument: Instrument,
  owner: Owner & { expMonth?: number; expYear?: number },
): PaymentMethodRecord {
  return tx.put('payment_methods', {
    id: newNumberedId('pm'),
    created: tx.now,
    type: instrument.type,
    instrument: instrument.name,
    brand: instrument.brand,
    country: instrument.country,
    funding: instrument.funding,
    last4: instrument.last4,
    expMonth: owner.expMonth ?? 12,
    expYear: owner.expYear ?? new Date(tx.nowMs).getUTCFullYear() + 1,
    customer: owner.customer ?? null,
    email: owner.email ?? null,
    name: owner.name ?? null,
    phone: owner.phone ?? null,
    address: owner.address ?? null,
    taxId: owner.taxId ?? null,
    metadata: {},
  })
}

/** Checks what a payer typed, as Stripe does before a charge exists, and keeps the card without its number. */
export function createCard(tx: Tx, card: CardInput, owner: Owner): PaymentMethodRecord {
  checkCard(card, tx.nowMs)
  const { expMonth, expYear } = card
  return createPaymentMethod(tx, instrumentByCardNumber(card.number), { ...owner, expMonth, expYear })
}

/** Throws the 402 of a number, date or code that cannot be right. */
export function checkCard(card: CardInput, nowMs: number): void {
  if (!/^\d+$/.test(card.number))
    throw cardError('invalid_number', 'The card number is not a valid credit card number.', 'number')
  if (!isLuhnValid(card.number))
    throw cardError('incorrect_number', 'Your card number is incorrect.', 'number')
  if (!Number.isInteger(card.expMonth) || card.expMonth < 1 || card.expMonth > 12) {
    throw cardError('invalid_expiry_month', "Your card's expiration month is invalid.", 'exp_month')
  }
  const now = new Date(nowMs)
  const thisMonth = now.getUTCFullYear() * 12 + now.getUTCMonth()
  const month = card.expYear * 12 + card.expMonth - 1
  if (!Number.isInteger(card.expYear) || month < thisMonth || card.expYear > now.getUTCFullYear() + 50) {
    throw cardError('invalid_expiry_year', "Your card's expiration year is invalid.", 'exp_year')
  }
  if (card.cvc !== null && !/^\d{3,4}$/.test(card.cvc)) {
    throw cardError('invalid_cvc', "Your card's security code is invalid.", 'cvc')
  }
}

function cardError(code: string, message: string, param: string): ApiError {
  return new ApiError(402, { code, doc_url: docUrl(code), message, param, type: 'card_error' })
}

/** Finds `pm_…`, or makes a new one from an alias such as `pm_card_visa`. `param` is named when there is none. */
export function resolvePaymentMethod(
  tx: Tx,
  id: string,
  owner: Owner,
  param = 'payment_method',
): PaymentMethodRecord {
  const instrument = instrumentByAlias(id)
  if (instrument) return createPaymentMethod(tx, instrument, owner)
  const record = tx.get('payment_methods', id)
  if (!record) throw noSuch('PaymentMethod', id, { param, inBody: true })
  return record
}

/** From `payment_method_data`: a raw card or a token. */
export function requireCardInput(input: {
  number?: string | null
  exp_month?: number | null
  exp_year?: number | null
  cvc?: string | null
}): CardInput {
  if (!input.number) throw missingParameter('card[number]')
  if (input.exp_month === undefined || input.exp_month === null) throw missingParameter('card[exp_month]')
  if (input.exp_year === undefined || input.exp_year === null) throw missingParameter('card[exp_year]')
  if (input.number.length > 30) throw invalidParameter('Invalid card number', { param: 'card[number]' })
  return {
    number: input.number.replaceAll(/[\s-]/g, ''),
    expMonth: input.exp_month,
    expYear: input.exp_year < 100 ? 2000 + input.exp_year : input.exp_year,
    cvc: input.cvc ?? null,
  }
}
