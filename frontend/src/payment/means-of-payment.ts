import type { PaidWith } from '../api/gateway.client.ts'

// Names are names: the same in every language. Stripe's words for card brands and for other methods do not overlap.
const NAMES: Readonly<Record<string, string>> = {
  amex: 'American Express',
  bancontact: 'Bancontact',
  cartes_bancaires: 'Cartes Bancaires',
  diners: 'Diners Club',
  discover: 'Discover',
  eftpos_au: 'eftpos',
  ideal: 'iDEAL',
  jcb: 'JCB',
  klarna: 'Klarna',
  link: 'Link',
  mastercard: 'Mastercard',
  paypal: 'PayPal',
  sepa_debit: 'SEPA',
  unionpay: 'UnionPay',
  visa: 'Visa',
}

/** The name people know the card or the method by; null for a card of no known brand. */
export function meansName({ method, brand }: Pick<PaidWith, 'method' | 'brand'>): string | null {
  const word = brand ?? method
  if (Object.hasOwn(NAMES, word)) return NAMES[word] ?? null
  return method === 'card' ? null : readable(method)
}

/** A method that Stripe adds tomorrow, by its own word: wechat_pay is "Wechat pay". */
function readable(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).replaceAll('_', ' ')
}
