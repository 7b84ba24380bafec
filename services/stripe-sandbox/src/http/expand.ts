import { couponDetail } from '../accounts/coupon.ts'
import { renderLinkItem } from '../accounts/payment-link.ts'
import { discountOf, renderLineItem, renderSessionDiscount } from '../checkout/session.ts'
import { invalidParameter } from '../errors.ts'
import type { ResourceTable } from '../resources.ts'
import { render } from '../resources.ts'
import type { Reads } from '../store/store.ts'

type Json = Record<string, unknown>

const PART = 'undefined'

// Which fields hold the id of what.
const REFERENCES: Readonly<Record<string, Readonly<Record<string, ResourceTable>>>> = {
  'checkout.session': {
    customer: 'customers',
    payment_intent: 'payment_intents',
    payment_link: 'payment_links',
  },
  discount: { customer: 'customers', promotion_code: 'promotion_codes' },
  promotion_code: { customer: 'customers' },
  // Parts of an object that have no name of their own: a Session's discounts, the source of a discount, a promotion.
  [PART]: { coupon: 'coupons', default_payment_method: 'payment_methods', promotion_code: 'promotion_codes' },
  payout: {
    balance_transaction: 'balance_transactions',
    failure_balance_transaction: 'balance_transactions',
  },
  setup_attempt: { customer: 'customers', payment_method: 'payment_methods', setup_intent: 'setup_intents' },
  setup_intent: {
    customer: 'customers',
    latest_attempt: 'setup_attempts',
    payment_method: 'payment_methods',
  },
  payment_intent: { latest_charge: 'charges', payment_method: 'payment_methods', customer: 'customers' },
  charge: {
    balance_transaction: 'balance_transactions',
    customer: 'customers',
    payment_intent: 'payment_intents',
    failure_balance_transaction: 'balance_transactions',
  },
  refund: {
    balance_transaction: 'balance_transactions',
    charge: 'charges',
    customer: 'customers',
    failure_balance_transaction: 'balance_transactions',
    payment_intent: 'payment_intents',
    payment_method: 'payment_methods',
  },
  dispute: { charge: 'charges', payment_intent: 'payment_intents' },
  'radar.early_fraud_warning': { charge: 'charges', payment_intent: 'payment_intents' },
  payment_method: { customer: 'customers' },
  price: { product: 'products' },
  product: { default_price: 'prices' },
}

// Fields that are there only when asked for.
const LISTS: Readonly<
  Record<string, Readonly<Record<string, (reads: Reads, owner: Json) => object | null>>>
> = {
  'checkout.session': { line_items: lineItemsOf },
  coupon: {
    applies_to: (reads, owner) => detailOf(reads, owner, 'applies_to'),
    currency_options: (reads, owner) => detailOf(reads, owner, 'currency_options'),
  },
  item: { discounts: itemDiscountsOf, taxes: () => [] },
  payment_link: { line_items: linkItemsOf },
  charge: { refunds: refundsOf },
}

const NOT_EXPANDABLE = new Set([
  'source',
  'invoice',
  'subscription',
  'setup_intent',
  'transfer',
  'review',
  'application',
  'on_behalf_of',
])
const MAX_DEPTH = 4

/** Replaces ids by their objects along the dotted paths, in place. */
export function expand(reads: Reads, answer: object, paths: readonly string[]): void {
  for (const path of paths) {
    const steps = path.split('.')
    if (steps.length > MAX_DEPTH) {
      throw invalidParameter(
        `You cannot expand more than ${MAX_DEPTH} levels of a property. Property: ${path}`,
        { param: 'expand' },
      )
    }
    walk(reads, answer as Json, steps, path)
  }
}

function walk(reads: Reads, node: Json, steps: readonly string[], path: string): void {
  const [step, ...rest] = steps
  if (step === undefined) return
  if (node['object'] === 'list' && step === 'data') {
    for (const item of node['data'] as Json[]) walk(reads, item, rest, path)
    return
  }
  if (node['object'] === 'checkout.session' && step === 'total_details' && rest[0] === 'breakdown')
    node[step] = { ...(node[step] as Json), breakdown: breakdownOf(reads, node) }
  const child = childOf(reads, node, step, path)
  if (child === null) return
  if (Array.isArray(child)) for (const item of child as Json[]) walk(reads, item, rest, path)
  else walk(reads, child, rest, path)
}

function childOf(reads: Reads, node: Json, step: string, path: string): Json | null {
  const kind = String(node['object'])
  const table = REFERENCES[kind]?.[step]
  const list = LISTS[kind]?.[step]
  const value = node[step]
  if (list) {
    const expanded = typeof value === 'object' && value !== null ? value : list(reads, node)
    if (expanded !== null) node[step] = expanded
    return expanded as Json | null
  }
  if (table && typeof value === 'string') {
    const record = reads.get(table, value)
    if (!record) return null
    const expanded = render(reads, table, record) as unknown as Json
    node[step] = expanded
    return expanded
  }
  if (typeof value === 'object' && value !== null) {
    // A copy: what hangs below may belong to a record.
    const copy = (Array.isArray(value) ? value.map((item: object) => ({ ...item })) : { ...value }) as Json
    node[step] = copy
    return copy
  }
  if (table || NOT_EXPANDABLE.has(step)) return null
  throw invalidParameter(
    `This property cannot be expanded (${step}). You may want to try expanding '${path}' on another object.`,
    { param: 'expand' },
  )
}

function lineItemsOf(reads: Reads, owner: Json): object {
  const session = reads.get('sessions', String(owner['id']))
  const data = session?.lineItems.map((item) => renderLineItem(reads, item)) ?? []
  return {
    object: 'list',
    data,
    has_more: false,
    url: `/v1/checkout/sessions/${String(owner['id'])}/line_items`,
  }
}

function linkItemsOf(reads: Reads, owner: Json): object {
  const link = reads.get('payment_links', String(owner['id']))
  const data = link?.lineItems.map((item) => renderLinkItem(reads, item)) ?? []
  const url = `/v1/payment_links/${String(owner['id'])}/line_items`
  return { object: 'list', data, has_more: false, url }
}

function detailOf(reads: Reads, owner: Json, field: 'applies_to' | 'currency_options'): object | null {
  const coupon = reads.get('coupons', String(owner['id']))
  return coupon ? couponDetail(coupon, field) : null
}

function breakdownOf(reads: Reads, owner: Json): object {
  const session = reads.get('sessions', String(owner['id']))
  const { discount } = session ?? {}
  if (!session || !discount) return { discounts: [], taxes: [] }
  return {
    discounts: [{ amount: discountOf(session), discount: renderSessionDiscount(session, discount) }],
    taxes: [],
  }
}

function itemDiscountsOf(reads: Reads, owner: Json): object {
  const amount = owner['amount_discount']
  if (amount === 0) return []
  for (const session of reads.table('sessions').newestFirst()) {
    if (!session.discount || !session.lineItems.some(({ id }) => id === owner['id'])) continue
    return [{ amount, discount: renderSessionDiscount(session, session.discount) }]
  }
  return []
}

function refundsOf(reads: Reads, owner: Json): object {
  const id = String(owner['id'])
  const data = [...reads.table('refunds').newestFirst()]
    .filter((refund) => refund.charge === id)
    .slice(0, 10)
    .map((refund) => render(reads, 'refunds', refund))
  return { object: 'list', data, has_more: false, url: `/v1/charges/${id}/refunds` }
}
