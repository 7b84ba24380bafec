import { invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { LIST, LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { changeMetadata, flag, list, metadata, text, url } from '../http/params.ts'
import { render } from '../resources.ts'
import { API_VERSION } from '../settings.ts'
import type { EventRecord, WebhookEndpointRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { pendingWebhooks } from './event.ts'
import { MAX_ENDPOINTS, newWebhookEndpoint, renderWebhookEndpoint } from './webhook-endpoint.ts'

const EVENTS_KEPT_S = 30 * 86_400

const ENDPOINT = {
  description: text(),
  enabled_events: list(text()),
  metadata: metadata(),
  url: url(),
}

export const eventOperations: readonly Operation[] = [
  operation(
    'GET /v1/events',
    { ...LIST_CREATED, delivery_success: flag(), type: text(), types: list(text(), 20) },
    (tx, { params, path }) => {
      if (params.type && params.types) {
        throw invalidRequest('You may only specify one of these parameters: type, types.', { param: 'type' })
      }
      const types = params.types ?? (params.type ? [params.type] : null)
      return listPage(tx, 'events', {
        url: path,
        params,
        noun: 'event',
        keep: (row) =>
          row.created > tx.now - EVENTS_KEPT_S &&
          (types === null || types.some((type) => fits(type, row.type))) &&
          wasDelivered(tx, row, params.delivery_success),
      })
    },
  ),
  operation('GET /v1/events/:id', {}, (tx, { id }) => {
    const event = tx.get('events', id)
    if (!event || event.created <= tx.now - EVENTS_KEPT_S) throw noSuch('event', id, { param: 'id' })
    return render(tx, 'events', event)
  }),
  operation(
    'POST /v1/webhook_endpoints',
    { ...ENDPOINT, api_version: text(), connect: flag() },
    (tx, { params }) => {
      if (!params.url) throw missingParameter('url')
      if (!params.enabled_events || params.enabled_events.length === 0)
        throw missingParameter('enabled_events')
      if (tx.table('webhook_endpoints').size >= MAX_ENDPOINTS) {
        throw invalidRequest(`You have reached the maximum of ${MAX_ENDPOINTS} test webhook endpoints.`)
      }
      const endpoint = newWebhookEndpoint(tx, {
        url: params.url,
        enabledEvents: params.enabled_events,
        apiVersion: params.api_version ?? API_VERSION,
        description: params.description ?? null,
        metadata: changeMetadata({}, params.metadata),
      })
      return renderWebhookEndpoint(endpoint, true)
    },
  ),
  operation('GET /v1/webhook_endpoints', LIST, (tx, { params, path }) =>
    listPage(tx, 'webhook_endpoints', { url: path, params, noun: 'webhook endpoint' }),
  ),
  operation('GET /v1/webhook_endpoints/:id', {}, (tx, { id }) =>
    render(tx, 'webhook_endpoints', find(tx, id)),
  ),
  operation('POST /v1/webhook_endpoints/:id', { ...ENDPOINT, disabled: flag() }, (tx, { id, params }) => {
    const endpoint = find(tx, id)
    const status =
      params.disabled === undefined || params.disabled === null
        ? endpoint.status
        : params.disabled
          ? 'disabled'
          : 'enabled'
    const changed = tx.put('webhook_endpoints', {
      ...endpoint,
      status,
      url: params.url ?? endpoint.url,
      enabledEvents: params.enabled_events ?? endpoint.enabledEvents,
      description: params.description === undefined ? endpoint.description : params.description,
      metadata: changeMetadata(endpoint.metadata, params.metadata),
    })
    return render(tx, 'webhook_endpoints', changed)
  }),
  operation('DELETE /v1/webhook_endpoints/:id', {}, (tx, { id }) => {
    find(tx, id)
    tx.remove('webhook_endpoints', id)
    return { id, object: 'webhook_endpoint', deleted: true }
  }),
]

function wasDelivered(reads: Reads, event: EventRecord, asked: boolean | null | undefined): boolean {
  if (asked === undefined || asked === null) return true
  return (pendingWebhooks(reads, event) === 0) === asked
}

// `charge.*` asks for a whole family.
function fits(pattern: string, type: string): boolean {
  return (
    pattern === type || pattern === '*' || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)))
  )
}

function find(tx: Tx, id: string): WebhookEndpointRecord {
  const endpoint = tx.get('webhook_endpoints', id)
  if (!endpoint) throw noSuch('webhook endpoint', id, { param: 'webhook_endpoint' })
  return endpoint
}
