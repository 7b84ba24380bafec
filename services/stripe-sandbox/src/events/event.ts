import type Stripe from 'stripe'
import { newNumberedId, stemOf, stemmedId } from '../ids.ts'
import { API_VERSION } from '../settings.ts'
import type { EventRecord, WebhookEndpointRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { atVersion } from './older-versions.ts'
import { thinType } from './thin-event.ts'
import { endpointsOf } from './webhook-endpoint.ts'

export type EventType = Exclude<Stripe.Event.Type, never>

/**
 * Records that something happened to `object`, as it is now and for ever, and one delivery per endpoint that listens.
 * Delivery starts when the transaction commits, in the order of the calls.
 */
export function emit(
  tx: Tx,
  type: EventType,
  object: { readonly object: string },
  previousAttributes: object | null = null,
): EventRecord {
  const endpoints = endpointsOf(tx).filter((endpoint) => listensTo(endpoint, type))
  const event = tx.put('events', {
    id: eventId(object),
    created: tx.now,
    type,
    object,
    previousAttributes,
    request: { id: tx.cause.requestId, idempotencyKey: tx.cause.idempotencyKey },
    endpoints: endpoints.map(({ id }) => id),
  })
  for (const endpoint of endpoints) owe(tx, event, endpoint)
  return event
}

/** Records what is only for one endpoint to hear, whatever it listens to. */
export function tellOne(
  tx: Tx,
  type: string,
  object: { readonly object: string; readonly id: string },
  endpoint: WebhookEndpointRecord,
): EventRecord {
  const event = tx.put('events', {
    id: newNumberedId('evt'),
    created: tx.now,
    type,
    object,
    previousAttributes: null,
    request: { id: tx.cause.requestId, idempotencyKey: tx.cause.idempotencyKey },
    endpoints: [endpoint.id],
  })
  owe(tx, event, endpoint)
  return event
}

function owe(tx: Tx, event: EventRecord, endpoint: WebhookEndpointRecord): void {
  tx.put('deliveries', {
    id: deliveryId(event.id, endpoint.id),
    event: event.id,
    endpoint: endpoint.id,
    status: 'pending',
    automaticAttempts: 0,
    nextAttemptMs: tx.nowMs,
    attempts: [],
  })
}

export function deliveryId(event: string, endpoint: string): string {
  return `${event}.${endpoint}`
}

export function listensTo(endpoint: WebhookEndpointRecord, type: string): boolean {
  if (endpoint.status !== 'enabled') return false
  const asked = endpoint.destination?.payload === 'thin' ? thinType(type) : type
  if (asked === null) return false
  return endpoint.enabledEvents.includes('*') || endpoint.enabledEvents.includes(asked)
}

/** How many endpoints have not yet answered 2xx. */
export function pendingWebhooks(reads: Reads, event: EventRecord): number {
  let pending = 0
  for (const endpoint of event.endpoints) {
    if (reads.get('deliveries', deliveryId(event.id, endpoint))?.status !== 'delivered') pending++
  }
  return pending
}

/** The event for an endpoint of that version; the API shows it at the account's. */
export function renderEvent(reads: Reads, event: EventRecord, version = API_VERSION): object {
  return {
    id: event.id,
    object: 'event',
    api_version: version,
    created: event.created,
    data: {
      object: atVersion(event.object, version, reads),
      ...(event.previousAttributes ? { previous_attributes: event.previousAttributes } : {}),
    },
    livemode: false,
    pending_webhooks: pendingWebhooks(reads, event),
    request: { id: event.request.id, idempotency_key: event.request.idempotencyKey },
    type: event.type,
  }
}

// Events about a payment share its stem, as Stripe's do; the others start with evt_1.
function eventId(object: {
  readonly object: string
  readonly id?: string
  payment_intent?: unknown
}): string {
  const payment = object.object === 'payment_intent' ? object.id : object.payment_intent
  const belongs = object.object !== 'checkout.session' && typeof payment === 'string'
  return belongs ? stemmedId('evt', stemOf(payment)) : newNumberedId('evt')
}
