import type Stripe from 'stripe'
import type { WebhookEndpointRecord } from '../store/records.ts'

/** What an answer carries only when asked for, and the secret only where it was just made. */
export type Included = { readonly url: boolean; readonly secret: boolean }

/** The endpoint as the API's second version shows it; an endpoint of the first version is one too. */
export function renderEventDestination(
  record: WebhookEndpointRecord,
  included: Included,
): Stripe.V2.Core.EventDestination {
  const { destination } = record
  const secret = included.secret ? record.secrets[0]?.value : undefined
  const isThin = destination?.payload === 'thin'
  return {
    id: record.id,
    object: 'v2.core.event_destination',
    created: isoTime(record.created),
    description: record.description ?? '',
    enabled_events: record.enabledEvents,
    event_payload: isThin ? 'thin' : 'snapshot',
    events_from: ['@self'],
    livemode: false,
    metadata: record.metadata,
    name: destination?.name ?? record.url,
    ...(isThin || record.apiVersion === null ? {} : { snapshot_api_version: record.apiVersion }),
    status: record.status,
    ...(record.status === 'disabled' ? { status_details: { disabled: { reason: 'user' } } } : {}),
    type: 'webhook_endpoint',
    updated: isoTime(destination?.updated ?? record.created),
    webhook_endpoint: {
      ...(secret === undefined ? {} : { signing_secret: secret }),
      ...(included.url ? { url: record.url } : {}),
    },
  }
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
