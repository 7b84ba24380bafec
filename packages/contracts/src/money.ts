/**
 * Money as Stripe counts it: an integer of minor units and a lower-case ISO 4217 code. The table is Stripe's
 * (docs.stripe.com/currencies), not CLDR's: Intl gives ISK, HUF, UGX or COP other digits, and the amount would be
 * wrong by a factor of 100.
 */
export type Money = { readonly amountMinor: number; readonly currency: string }

const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '))
const THREE_DECIMAL = new Set('bhd jod kwd omr tnd'.split(' '))
// Two decimals on the wire, but only whole units may be charged: 5 ISK is sent as 500.
const WHOLE_UNITS_ONLY = new Set(['isk', 'ugx'])

// Stripe's minimum charge by currency, in minor units. A currency that is not listed has none that Stripe publishes.
const MINIMUM_CHARGE: Readonly<Record<string, number>> = {
  usd: 50,
  aed: 200,
  ars: 50,
  aud: 50,
  brl: 50,
  cad: 50,
  chf: 50,
  cop: 50,
  czk: 1500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  hkd: 400,
  huf: 17_500,
  idr: 50,
  ils: 50,
  inr: 50,
  jpy: 50,
  krw: 50,
  mxn: 1000,
  myr: 200,
  nok: 300,
  nzd: 50,
  php: 50,
  pln: 200,
  ron: 200,
  rub: 50,
  sek: 300,
  sgd: 50,
  thb: 1000,
  zar: 50,
}

// Cards take at most 12 digits (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
export const MAXIMUM_CHARGE_MINOR = 999_999_999_999

export function isCurrency(code: string): boolean {
  return /^[a-z]{3}$/.test(code)
}

/** How many decimals of `currency` Stripe's integer amounts carry: 0, 2 or 3. */
export function decimalsOf(currency: string): 0 | 2 | 3 {
  if (ZERO_DECIMAL.has(currency)) return 0
  return THREE_DECIMAL.has(currency) ? 3 : 2
}

/** Stripe refuses a fraction of a whole unit in ISK and UGX, and a last digit other than 0 in three-decimal currencies. */
function stepOf(currency: string): number {
  if (WHOLE_UNITS_ONLY.has(currency)) return 100
  return THREE_DECIMAL.has(currency) ? 10 : 1
}

/** Minor units as an exact decimal text in the currency's units: 12950 eur is "129.50", 12950 jpy is "12950". */
export function toDecimalText({ amountMinor, currency }: Money): string {
  const decimals = decimalsOf(currency)
  const sign = amountMinor < 0 ? '-' : ''
  const digits = String(Math.abs(amountMinor)).padStart(decimals + 1, '0')
  if (decimals === 0) return sign + digits
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/** The decimal JSON number of the lesson's `amount`. Exact up to the largest amount Stripe charges. */
export function toDecimal(money: Money): number {
  return Number(toDecimalText(money))
}

/**
 * The minor units of a decimal amount, or null when it has more decimals than the currency or is no plain decimal.
 * Works on the shortest decimal text of the number, never on its binary fraction: 19.99 is 1999, not 1998.
 */
export function fromDecimal(amount: number | string, currency: string): number | null {
  const text = typeof amount === 'number' ? String(amount) : amount.trim()
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) return null
  const [, sign = '', units = '', fraction = ''] = match
  const decimals = decimalsOf(currency)
  const kept = fraction.slice(0, decimals).padEnd(decimals, '0')
  if (/[1-9]/.test(fraction.slice(decimals))) return null
  const minor = Number(units + kept)
  if (!Number.isSafeInteger(minor)) return null
  return sign === '-' && minor !== 0 ? -minor : minor
}

export type ChargeProblem =
  | 'not_an_integer'
  | 'unknown_currency'
  | 'below_minimum'
  | 'above_maximum'
  | 'fraction_not_allowed'

/** Why Stripe would refuse to charge this money, or null when it can be charged. */
export function chargeProblem({ amountMinor, currency }: Money): ChargeProblem | null {
  if (!isCurrency(currency)) return 'unknown_currency'
  if (!Number.isSafeInteger(amountMinor)) return 'not_an_integer'
  if (amountMinor < (MINIMUM_CHARGE[currency] ?? 1)) return 'below_minimum'
  if (amountMinor > MAXIMUM_CHARGE_MINOR) return 'above_maximum'
  return amountMinor % stepOf(currency) === 0 ? null : 'fraction_not_allowed'
}

/** The money as a person reads it in `locale`: "129,00 €" in fr, "€129.00" in en, "¥12,950" for yen. */
export function formatMoney(money: Money, locale: string): string {
  const decimals = decimalsOf(money.currency)
  const digits = WHOLE_UNITS_ONLY.has(money.currency) ? 0 : decimals
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: money.currency.toUpperCase(),
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return format.format(toDecimalText(money) as Intl.StringNumericLiteral)
}
