import type { Operation } from './http/operation.ts'
import { operation } from './http/operation.ts'
import type { Searchable, SearchTable } from './http/search.ts'
import { SEARCH, searchPage } from './http/search.ts'

// What Stripe's search knows of the means of payment; here that is a card.
const CARD = ['brand', 'exp_month', 'exp_year', 'fingerprint', 'last4'].map(
  (field) => `payment_method_details.card.${field}`,
)

const SEARCHABLE: Readonly<Record<SearchTable, readonly string[]>> = {
  charges: [
    'amount',
    'billing_details.address.postal_code',
    'created',
    'currency',
    'customer',
    'disputed',
    ...CARD,
    'refunded',
    'status',
  ],
  customers: ['created', 'email', 'name', 'phone'],
  payment_intents: ['amount', 'created', 'currency', 'customer', 'status'],
  prices: ['active', 'currency', 'lookup_key', 'product', 'type'],
  products: ['active', 'description', 'name', 'shippable', 'url'],
}

export const searchOperations: readonly Operation[] = Object.entries(SEARCHABLE).map(([name, fields]) => {
  const searchable: Searchable = { noun: name, fields }
  return operation(`GET /v1/${name}/search`, SEARCH, (tx, { params, path }) =>
    searchPage(tx, name as SearchTable, { url: path, params, searchable }),
  )
})
