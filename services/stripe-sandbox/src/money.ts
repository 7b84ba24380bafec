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

/** Whether the text can be the code of a currency at all: three letters that Intl knows how to print. */
export function isCurrency(text: string): boolean {
  return /^[a-z]{3}$/.test(text)
}
