import { invalidParameter } from './errors.ts'

const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '))
const THREE_DECIMAL = new Set('bhd jod kwd omr tnd'.split(' '))

// https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, in minor units.
const MINIMUM: Readonly<Record<string, number>> = {
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
  usd: 50,
  zar: 50,
}

/** How many digits of an amount Stripe reads as decimals. ISK and UGX count as two-decimal on the wire. */
export function decimalsOf(currency: string): number {
  if (ZERO_DECIMAL.has(currency)) return 0
  return THREE_DECIMAL.has(currency) ? 3 : 2
}

/** What every amount is a multiple of: no card network carries a third decimal, nor a part of an ISK or a UGX. */
export function stepOf(currency: string): number {
  if (THREE_DECIMAL.has(currency)) return 10
  return currency === 'isk' || currency === 'ugx' ? 100 : 1
}

/** The smallest charge in minor units; 1 where Stripe publishes none. */
export function minimumOf(currency: string): number {
  return MINIMUM[currency] ?? 1
}

export function decimalText(amount: number, currency: string): string {
  return (amount / 10 ** decimalsOf(currency)).toFixed(decimalsOf(currency))
}

/** `$30.00`, `€30.00`: the way Stripe's error messages write amounts. */
export function symbolText(amount: number, currency: string): string {
  return format(amount, currency, 'en-US')
}

/** The amount as a payer of that language reads it, with ordinary spaces so that it can be searched and matched. */
export function format(amount: number, currency: string, locale: string): string {
  const digits = decimalsOf(currency)
  const money = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: currency.toUpperCase(),
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return money.format(amount / 10 ** digits).replaceAll(/[\u00A0\u202F]/g, ' ')
}

/** Refuses an amount that the currency does not have, by the parameter's name. */
export function requireStep(amount: number, currency: string, param: string): void {
  const step = stepOf(currency)
  if (amount % step === 0) return
  throw invalidParameter(`An amount in ${currency} must be a multiple of ${step}.`, {
    code: 'parameter_invalid_integer',
    param,
  })
}

/** What Stripe takes money in, in the order in which its refusal of another lists them. */
export const CURRENCIES: readonly string[] =
  `usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny
  cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd
  jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn
  nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs
  tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw btn ghs eek lvl svc vef ltl sll mro`.split(
    /\s+/,
  )
