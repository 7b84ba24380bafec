import type Stripe from 'stripe'
import type { EventRecord } from '../store/records.ts'

// A thin event says what happened to which object, and nothing about it: whoever wants to know asks.

/** As on the wire; the SDK makes a context of the text and adds methods. */
export type ThinEvent = Omit<Stripe.V2.Core.EventNotification, 'type' | 'context' | 'fetchEvent'> & {
  readonly type: string
  readonly related_object?: { readonly id?: string; readonly type: string; readonly url: string }
}

export const PING = 'v2.core.event_destination.ping'

const PREFIX = 'evt_test_'
// What the API's second version has no thin event for.
const SNAPSHOT_ONLY = /^customer\.source\./

const PATHS: Readonly<Record<string, string>> = {
  charge: '/v1/charges',
  'checkout.session': '/v1/checkout/sessions',
  coupon: '/v1/coupons',
  customer: '/v1/customers',
  dispute: '/v1/disputes',
  payment_intent: '/v1/payment_intents',
  payment_link: '/v1/payment_links',
  payment_method: '/v1/payment_methods',
  payout: '/v1/payouts',
  price: '/v1/prices',
  product: '/v1/products',
  promotion_code: '/v1/promotion_codes',
  'radar.early_fraud_warning': '/v1/radar/early_fraud_warnings',
  refund: '/v1/refunds',
  setup_intent: '/v1/setup_intents',
  'v2.core.event_destination': '/v2/core/event_destinations',
}

/** The thin event's type, `v1.charge.refunded`, or null for what is only told as a snapshot. */
export function thinType(type: string): string | null {
  if (type.startsWith('v2.')) return type
  return SNAPSHOT_ONLY.test(type) ? null : `v1.${type}`
}

/** The id of the event that a thin event's id stands for. */
export function recordIdOf(thinId: string): string {
  return thinId.startsWith(PREFIX) ? `evt_${thinId.slice(PREFIX.length)}` : ''
}

/** The same event as a notification of the API's second version. */
export function renderThinEvent(event: EventRecord): ThinEvent {
  const { id: request, idempotencyKey } = event.request
  const isSnapshot = !event.type.startsWith('v2.')
  const related = relatedObject(event.object as Related)
  return {
    id: PREFIX + event.id.slice('evt_'.length),
    object: 'v2.core.event',
    type: thinType(event.type) ?? event.type,
    created: new Date(event.created * 1000).toISOString(),
    livemode: false,
    ...(request === null
      ? {}
      : { reason: { type: 'request', request: { id: request, idempotency_key: idempotencyKey ?? '' } } }),
    ...(related ? { related_object: related } : {}),
    ...(isSnapshot ? { snapshot_event: event.id } : {}),
  }
}

type Related = { readonly object: string; readonly id?: string; readonly customer?: unknown }

function relatedObject({ object, id, customer }: Related): ThinEvent['related_object'] {
  const theirs = `/v1/customers/${String(customer)}`
  switch (object) {
    // Of these there is one: its address is enough.
    case 'balance':
      return { type: object, url: '/v1/balance' }
    case 'cash_balance':
    case 'discount':
      return { type: object, url: `${theirs}/${object}` }
    case 'customer_cash_balance_transaction':
      return id ? { id, type: object, url: `${theirs}/cash_balance_transactions/${id}` } : undefined
    default:
  }
  const path = PATHS[object]
  return path && id ? { id, type: object, url: `${path}/${id}` } : undefined
}
