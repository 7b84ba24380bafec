import type Stripe from 'stripe'
import type { PaymentIntentRecord } from '../store/records.ts'

type Instructions = Stripe.PaymentIntent.NextAction.DisplayBankTransferInstructions
type FinancialAddress = NonNullable<Instructions['financial_addresses']>[number]

const BY_CURRENCY: Readonly<Record<string, string>> = {
  eur: 'eu_bank_transfer',
  gbp: 'gb_bank_transfer',
  jpy: 'jp_bank_transfer',
  mxn: 'mx_bank_transfer',
  usd: 'us_bank_transfer',
}

export const TRANSFER_CURRENCIES = Object.keys(BY_CURRENCY)

const BANK = {
  city: 'Paris',
  country: 'FR',
  line1: '1 rue de la Banque',
  line2: null,
  postal_code: '75002',
  state: null,
}

/** Which kind of transfer the payer is asked for: what the caller wrote, or that of the currency. */
export function transferTypeOf(asked: string | null | undefined, currency: string): string {
  const named = (asked ?? '').replace(/_account$/, '_transfer')
  return Object.values(BY_CURRENCY).includes(named) ? named : (BY_CURRENCY[currency] ?? 'eu_bank_transfer')
}

/** Where the payer must send how much. */
export function transferInstructions(record: PaymentIntentRecord, publicUrl: string): Instructions {
  const type = record.transfer?.type ?? 'eu_bank_transfer'
  return {
    amount_remaining: record.amount - (record.transfer?.arrived ?? 0),
    currency: record.currency,
    financial_addresses: [addressFor(type)],
    hosted_instructions_url: `${publicUrl}/c/transfer/${record.id}`,
    reference: record.id.slice(-12).toUpperCase(),
    type,
  }
}

function addressFor(type: string): FinancialAddress {
  const holder = {
    account_holder_address: BANK,
    account_holder_name: 'Passerelle Sandbox',
    bank_address: BANK,
  }
  const bank = { bank_name: 'Banque du Sandbox' }
  switch (type) {
    case 'gb_bank_transfer':
      return {
        sort_code: { ...holder, account_number: '12345678', sort_code: '108800' },
        supported_networks: ['bacs', 'fps'],
        type: 'sort_code',
      }
    case 'jp_bank_transfer':
      return {
        supported_networks: ['zengin'],
        type: 'zengin',
        zengin: {
          ...holder,
          ...bank,
          account_number: '1234567',
          account_type: 'futsu',
          bank_code: '0001',
          branch_code: '001',
          branch_name: 'Honten',
        },
      }
    case 'mx_bank_transfer':
      return { spei: { ...holder, ...bank, bank_code: '002', clabe: '002010077777777771' }, type: 'spei' }
    case 'us_bank_transfer':
      return {
        aba: {
          ...holder,
          ...bank,
          account_number: '000123456789',
          account_type: 'checking',
          routing_number: '110000000',
        },
        supported_networks: ['ach', 'domestic_wire_us'],
        type: 'aba',
      }
    default:
      return {
        iban: { ...holder, bic: 'AGRIFRPP', country: 'FR', iban: 'FR1420041010050500013M02606' },
        supported_networks: ['sepa'],
        type: 'iban',
      }
  }
}
