import { invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { LIST, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { changeMetadata, flag, metadata, only, text, url } from '../http/params.ts'
import { render } from '../resources.ts'
import type { WebhookEndpointRecord } from '../store/records.ts'
import type { Reads } from '../store/store.ts'
import {
  eventTypes,
  MAX_ENDPOINTS,
  newWebhookEndpoint,
  renderWebhookEndpoint,
  versionAsked,
} from './webhook-endpoint.ts'

const ENDPOINT = {
  description: text(),
  enabled_events: eventTypes(),
  metadata: metadata(),
  url: url(),
}

export const webhookEndpointOperations: readonly Operation[] = [
  operation(
    'POST /v1/webhook_endpoints',
    { ...ENDPOINT, api_version: text(), connect: only(flag(), false) },
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
        apiVersion: versionAsked(params.api_version),
        description: params.description ?? null,
        metadata: changeMetadata({}, params.metadata),
      })
      return renderWebhookEndpoint(endpoint, true)
    },
  ),
  operation('GET /v1/webhook_endpoints', LIST, (tx, { params, path }) =>
    listPage(tx, 'webhook_endpoints', {
      url: path,
      params,
      noun: 'webhook endpoint',
      keep: (row) => isOfFirstVersion(row),
    }),
  ),
  operation('GET /v1/webhook_endpoints/:id', {}, (tx, { id }) =>
    render(tx, 'webhook_endpoints', find(tx, id)),
  ),
  operation('POST /v1/webhook_endpoints/:id', { ...ENDPOINT, disabled: flag() }, (tx, { id, params }) => {
    const endpoint = find(tx, id)
    const changed = tx.put('webhook_endpoints', {
      ...endpoint,
      status: statusAfter(endpoint.status, params.disabled),
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

function statusAfter(
  before: WebhookEndpointRecord['status'],
  disabled: boolean | null | undefined,
): WebhookEndpointRecord['status'] {
  if (disabled === undefined || disabled === null) return before
  return disabled ? 'disabled' : 'enabled'
}

// What was made as an event destination is not there for the first version of the API.
function isOfFirstVersion({ id }: WebhookEndpointRecord): boolean {
  return id.startsWith('we_')
}

function find(reads: Reads, id: string): WebhookEndpointRecord {
  const endpoint = reads.get('webhook_endpoints', id)
  if (!endpoint || !isOfFirstVersion(endpoint))
    throw noSuch('webhook endpoint', id, { param: 'webhook_endpoint' })
  return endpoint
}
