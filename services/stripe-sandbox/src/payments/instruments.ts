import type { DeclineName } from './declines.ts'

/** What a test card or account does when it is charged. https://docs.stripe.com/testing */
export type Instrument = {
  readonly name: string
  readonly type: 'card' | 'customer_balance' | 'sepa_debit'
  readonly brand: string
  readonly country: string
  readonly funding: string
  readonly last4: string
  /** Codes of the decline, if it declines (after authentication, when it also challenges). */
  readonly decline?: DeclineName
  /** Asks for 3-D Secure: always, or only until it was set up for off-session use. */
  readonly challenge?: 'always' | 'unless_set_up'
  readonly dispute?: 'fraudulent' | 'product_not_received' | 'inquiry'
  /** Disputed twice, which some networks allow. */
  readonly disputedTwice?: true
  readonly elevatedRisk?: true
  readonly fraudWarning?: true
  readonly refund?: 'pending' | 'fails_later'
  /** SEPA: how the debit ends, at once or after three minutes. */
  readonly debit?: {
    readonly ends: 'paid' | 'failed'
    readonly delayed: boolean
    readonly disputed?: true
    /** Why it fails, when that is said. */
    readonly failure?: DeclineName
  }
}

type Row = [number: string, name: string, alias: string | null, traits?: Partial<Instrument>]

/** The card whose money is available at once. */
export const BYPASS_PENDING = 'bypass_pending'

// Number, name, alias after `pm_card_`, what is special about it.
const CARDS: readonly Row[] = [
  ['4242424242424242', 'visa', 'visa'],
  ['4000056655665556', 'visa_debit', 'visa_debit', { funding: 'debit' }],
  ['5555555555554444', 'mastercard', 'mastercard'],
  ['2223003122003222', 'mastercard_2_series', null],
  ['378282246310005', 'amex', 'amex'],
  ['4000002500000003', 'fr', 'fr', { country: 'FR' }],
  ['4000002760000016', 'de', 'de', { country: 'DE' }],
  ['4000000000000077', BYPASS_PENDING, 'bypassPending'],
  ['4000000000000002', 'charge_declined', 'visa_chargeDeclined', { decline: 'generic' }],
  [
    '4000000000009995',
    'insufficient_funds',
    'visa_chargeDeclinedInsufficientFunds',
    { decline: 'insufficient_funds' },
  ],
  ['4000000000009987', 'lost_card', 'visa_chargeDeclinedLostCard', { decline: 'lost_card' }],
  ['4000000000009979', 'stolen_card', 'visa_chargeDeclinedStolenCard', { decline: 'stolen_card' }],
  ['4000000000000069', 'expired_card', 'chargeDeclinedExpiredCard', { decline: 'expired_card' }],
  ['4000000000000127', 'incorrect_cvc', 'chargeDeclinedIncorrectCvc', { decline: 'incorrect_cvc' }],
  ['4000000000000119', 'processing_error', 'chargeDeclinedProcessingError', { decline: 'processing_error' }],
  ['4000000000006975', 'velocity', 'visa_chargeDeclinedVelocityLimitExceeded', { decline: 'velocity' }],
  ['4000000000000341', 'declines_after_attach', 'chargeCustomerFail', { decline: 'generic' }],
  ['4100000000000019', 'always_blocked', 'radarBlock', { decline: 'fraudulent' }],
  [
    '4000002500003155',
    'authenticate_until_set_up',
    'authenticationRequiredOnSetup',
    { challenge: 'unless_set_up', country: 'FR' },
  ],
  [
    '4000002760003184',
    'authenticate_always',
    'authenticationRequired',
    { challenge: 'always', country: 'DE' },
  ],
  [
    '4000003800000446',
    'authenticate_already_set_up',
    'authenticationRequiredSetupForOffSession',
    { challenge: 'unless_set_up' },
  ],
  ['4000000000003220', 'threeds_required', 'threeDSecure2Required', { challenge: 'always' }],
  ['4000008400000027', 'threeds_required_2', 'threeDSecureRequired', { challenge: 'always' }],
  [
    '4000008260003178',
    'threeds_then_insufficient_funds',
    'authenticationRequiredChargeDeclinedInsufficientFunds',
    { challenge: 'always', decline: 'insufficient_funds' },
  ],
  [
    '4000008400001629',
    'threeds_then_declined',
    'threeDSecureRequiredChargeDeclined',
    { challenge: 'always', decline: 'generic' },
  ],
  [
    '4000008400001280',
    'threeds_lookup_error',
    'threeDSecureRequiredProcessingError',
    { decline: 'processing_error' },
  ],
  ['4000000000003055', 'threeds_supported', 'threeDSecureOptional'],
  ['4000000032200000', 'threeds_frictionless', null],
  ['4000000000000259', 'dispute_fraudulent', 'createDispute', { dispute: 'fraudulent' }],
  [
    '4000000000002685',
    'dispute_not_received',
    'createDisputeProductNotReceived',
    { dispute: 'product_not_received' },
  ],
  ['4000000000001976', 'dispute_inquiry', 'createDisputeInquiry', { dispute: 'inquiry' }],
  [
    '4000000404000079',
    'dispute_twice',
    'createMultipleDisputes',
    { dispute: 'fraudulent', disputedTwice: true },
  ],
  ['4000000000009235', 'elevated_risk', 'riskLevelElevated', { elevatedRisk: true }],
  ['4000000000005423', 'fraud_warning', 'createIssuerFraudRecord', { fraudWarning: true }],
  ['4000000000007726', 'refund_pending', 'pendingRefund', { refund: 'pending' }],
  ['4000000000005126', 'refund_fails', 'refundFail', { refund: 'fails_later' }],
]

// Each account in its French, Austrian and German spelling. https://docs.stripe.com/payments/sepa-debit
const ACCOUNTS: readonly [name: string, ibans: readonly string[], debit: Instrument['debit'] & object][] = [
  [
    'debit_paid',
    ['FR1420041010050500013M02606', 'AT611904300234573201', 'DE89370400440532013000'],
    { ends: 'paid', delayed: false },
  ],
  [
    'debit_paid_later',
    ['FR3020041010050500013M02609', 'AT321904300235473204', 'DE08370400440532013003'],
    { ends: 'paid', delayed: true },
  ],
  [
    'debit_failed',
    [
      'FR8420041010050500013M02607',
      'AT861904300235473202',
      'DE62370400440532013001',
      'IT60X0542811101000000123456',
    ],
    { ends: 'failed', delayed: false },
  ],
  [
    'debit_failed_later',
    ['FR7920041010050500013M02600', 'AT051904300235473205', 'DE78370400440532013004'],
    { ends: 'failed', delayed: true },
  ],
  [
    'debit_disputed',
    ['FR5720041010050500013M02608', 'AT591904300235473203', 'DE35370400440532013002'],
    { ends: 'paid', delayed: false, disputed: true },
  ],
]

// Any valid account whose number ends like this; https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test
const LIMITED: readonly [ending: string, failure: DeclineName][] = [
  ['0343434', 'charge_exceeds_source_limit'],
  ['0121212', 'charge_exceeds_weekly_limit'],
  ['2222227', 'debit_insufficient_funds'],
]

const ACCOUNT = { type: 'sepa_debit', brand: 'sepa_debit', funding: '' } as const
const byNumber = new Map<string, Instrument>()
const byAlias = new Map<string, Instrument>()
const byName = new Map<string, Instrument>()

for (const [number, name, alias, traits] of CARDS) {
  const card: Instrument = {
    name,
    type: 'card',
    brand: brandOf(number),
    country: 'US',
    funding: 'credit',
    last4: number.slice(-4),
    ...traits,
  }
  byNumber.set(number, card)
  byName.set(name, card)
  if (alias !== null) {
    byAlias.set(`pm_card_${alias}`, card)
    byAlias.set(`tok_${alias}`, card)
    byAlias.set(`pm_card_${alias.replace(/^visa_(?=charge)/, '')}`, card)
    byAlias.set(`tok_${alias.replace(/^visa_(?=charge)/, '')}`, card)
    if (alias.startsWith('create')) byAlias.set(`tok_visa_${alias}`, card)
  }
}
const LIVE_CARD: Instrument = {
  name: 'live_card',
  type: 'card',
  brand: 'visa',
  country: 'US',
  funding: 'credit',
  last4: '0000',
  decline: 'live_card',
}
byName.set(LIVE_CARD.name, LIVE_CARD)
/** The payer sends a transfer, which arrives when it arrives. */
export const BANK_TRANSFER: Instrument = {
  name: 'bank_transfer',
  type: 'customer_balance',
  brand: '',
  country: '',
  funding: '',
  last4: '',
}
byName.set(BANK_TRANSFER.name, BANK_TRANSFER)
for (const [, failure] of LIMITED) {
  const debit = { ends: 'failed', delayed: false, failure } as const
  byName.set(failure, { ...ACCOUNT, name: failure, country: '', last4: '', debit })
}
for (const [name, ibans, debit] of ACCOUNTS) {
  for (const iban of ibans) {
    const account: Instrument = {
      ...ACCOUNT,
      name: `${name}_${iban.slice(0, 2).toLowerCase()}`,
      country: iban.slice(0, 2),
      last4: iban.slice(-4),
      debit,
    }
    byNumber.set(iban, account)
    byName.set(account.name, account)
  }
}

export function instrumentByName(name: string): Instrument {
  const found = byName.get(name)
  if (!found) throw new Error(`No test instrument is called ${name}.`)
  return found
}

/** `pm_card_visa`, `tok_visa`, …; undefined when it is no such alias. */
export function instrumentByAlias(alias: string): Instrument | undefined {
  return byAlias.get(alias)
}

/** The test card with that number; a valid number that is no test card is declined as a live card would be. */
export function instrumentByCardNumber(number: string): Instrument {
  const known = byNumber.get(number)
  return known?.type === 'card' ? known : { ...LIVE_CARD, brand: brandOf(number), last4: number.slice(-4) }
}

/** The test account with that IBAN, or undefined. */
export function instrumentByIban(text: string): Instrument | undefined {
  const iban = text.replaceAll(/\s/g, '').toUpperCase()
  const known = byNumber.get(iban)
  if (known) return known.type === 'sepa_debit' ? known : undefined
  const failure = LIMITED.find(([ending]) => iban.endsWith(ending))?.[1]
  if (failure === undefined || !isIbanValid(iban)) return undefined
  return { ...instrumentByName(failure), country: iban.slice(0, 2), last4: iban.slice(-4) }
}

/** ISO 13616: the country and the check digits moved to the end leave 1 when divided by 97. */
export function isIbanValid(iban: string): boolean {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/.test(iban)) return false
  const digits = (iban.slice(4) + iban.slice(0, 4)).replaceAll(/[A-Z]/g, (letter) =>
    String(Number.parseInt(letter, 36)),
  )
  return BigInt(digits) % 97n === 1n
}

export function isLuhnValid(number: string): boolean {
  if (!/^\d{12,19}$/.test(number)) return false
  let sum = 0
  for (let place = 0; place < number.length; place++) {
    const digit = Number(number[number.length - 1 - place])
    const doubled = place % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

const BRAND_NAMES: Readonly<Record<string, string>> = {
  amex: 'American Express',
  discover: 'Discover',
  mastercard: 'Mastercard',
  sepa_debit: 'SEPA debit',
  visa: 'Visa',
}

/** `Visa ···· 4242`: what a person calls the means of payment; a bank transfer has no number. */
export function shownMeans({ brand, last4 }: { readonly brand: string; readonly last4: string }): string {
  return last4 === '' ? 'Bank transfer' : `${BRAND_NAMES[brand] ?? 'Card'} ···· ${last4}`
}

export function brandOf(number: string): string {
  if (/^3[47]/.test(number)) return 'amex'
  if (/^(5[1-5]|2[2-7])/.test(number)) return 'mastercard'
  if (number.startsWith('6')) return 'discover'
  return number.startsWith('4') ? 'visa' : 'unknown'
}
