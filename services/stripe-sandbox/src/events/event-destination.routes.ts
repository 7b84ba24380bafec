import { invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { isWithin } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import type { Params } from '../http/params.ts'
import { changeMetadata, choice, integer, list, metadata, object, only, text, url } from '../http/params.ts'
import { newNumberedId } from '../ids.ts'
import { API_VERSION } from '../settings.ts'
import type { EventRecord, WebhookEndpointRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { tellOne } from './event.ts'
import { renderEventDestination } from './event-destination.ts'
import { recordIdOf, PING, renderThinEvent, thinType } from './thin-event.ts'
import { MAX_ENDPOINTS, newWebhookEndpoint, versionAsked } from './webhook-endpoint.ts'

// The second version of the API: JSON both ways, ISO times, pages by address.

const EVENTS_KEPT_S = 30 * 86_400
const INCLUDE = { include: list(choice('webhook_endpoint.signing_secret', 'webhook_endpoint.url')) }
const PAGE = { limit: integer({ min: 1, max: 100 }), page: text() }

const CHANGE = {
  ...INCLUDE,
  description: text(),
  enabled_events: list(text(), 300),
  metadata: metadata(),
  name: text(),
  webhook_endpoint: object({ url: url() }),
}

const CREATE = {
  ...CHANGE,
  event_payload: choice('snapshot', 'thin'),
  events_from: list(only(text(), '@self')),
  snapshot_api_version: text(),
  type: only(text(), 'webhook_endpoint'),
}

const TIMES = object({ gt: text(), gte: text(), lt: text(), lte: text() })

export const eventDestinationOperations: readonly Operation[] = [
  operation('POST /v2/core/event_destinations', CREATE, (tx, { params }) =>
    shown(create(tx, params), params, true),
  ),
  operation('GET /v2/core/event_destinations', { ...INCLUDE, ...PAGE }, (tx, { params, path }) =>
    page([...tx.table('webhook_endpoints').newestFirst()], {
      url: path,
      params,
      shown: (row) => shown(row, params),
    }),
  ),
  operation('GET /v2/core/event_destinations/:id', INCLUDE, (tx, { id, params }) =>
    shown(find(tx, id), params),
  ),
  operation('POST /v2/core/event_destinations/:id', CHANGE, (tx, { id, params }) => {
    const before = find(tx, id)
    const changed = touched(tx, before, {
      description: params.description === undefined ? before.description : params.description,
      enabledEvents: params.enabled_events ?? before.enabledEvents,
      metadata: changeMetadata(before.metadata, params.metadata),
      url: params.webhook_endpoint?.url ?? before.url,
      name: params.name ?? undefined,
    })
    return shown(changed, params)
  }),
  operation('DELETE /v2/core/event_destinations/:id', {}, (tx, { id }) => {
    find(tx, id)
    tx.remove('webhook_endpoints', id)
    return { id, object: 'v2.core.event_destination' }
  }),
  operation('POST /v2/core/event_destinations/:id/disable', INCLUDE, (tx, { id, params }) =>
    shown(touched(tx, find(tx, id), { status: 'disabled' }), params),
  ),
  operation('POST /v2/core/event_destinations/:id/enable', INCLUDE, (tx, { id, params }) =>
    shown(touched(tx, find(tx, id), { status: 'enabled' }), params),
  ),
  operation('POST /v2/core/event_destinations/:id/ping', {}, (tx, { id }) => {
    const destination = find(tx, id)
    const what = { object: 'v2.core.event_destination', id }
    return renderThinEvent(tellOne(tx, PING, what, destination))
  }),
  operation(
    'GET /v2/core/events',
    { ...PAGE, created: TIMES, object_id: text(), types: list(text(), 20) },
    (tx, { params, path }) => {
      const events = [...tx.table('events').newestFirst()].filter((event) => isAsked(tx, event, params))
      return page(events, { url: path, params, shown: renderThinEvent })
    },
  ),
  operation('GET /v2/core/events/:id', {}, (tx, { id }) => {
    const event = tx.get('events', recordIdOf(id))
    if (!event || !isKept(tx, event)) throw noSuch('event', id, { param: 'id' })
    return renderThinEvent(event)
  }),
]

function create(tx: Tx, params: Params<typeof CREATE>): WebhookEndpointRecord {
  const { name, event_payload: payload, enabled_events: events } = params
  const address = params.webhook_endpoint?.url
  if (!name) throw missingParameter('name')
  if (!params.type) throw missingParameter('type')
  if (!payload) throw missingParameter('event_payload')
  if (!events || events.length === 0) throw missingParameter('enabled_events')
  if (!address) throw missingParameter('webhook_endpoint[url]')
  if (tx.table('webhook_endpoints').size >= MAX_ENDPOINTS)
    throw invalidRequest(`You have reached the maximum of ${MAX_ENDPOINTS} test webhook endpoints.`)
  return newWebhookEndpoint(tx, {
    id: newNumberedId('ed_test'),
    url: address,
    enabledEvents: events,
    apiVersion: payload === 'thin' ? API_VERSION : versionAsked(params.snapshot_api_version),
    description: params.description ?? null,
    metadata: changeMetadata({}, params.metadata),
    destination: { name, payload, updated: tx.now },
  })
}

function touched(
  tx: Tx,
  before: WebhookEndpointRecord,
  { name, ...change }: Partial<WebhookEndpointRecord> & { readonly name?: string | undefined },
): WebhookEndpointRecord {
  const { destination } = before
  return tx.put('webhook_endpoints', {
    ...before,
    ...change,
    destination: {
      name: name ?? destination?.name ?? before.url,
      payload: destination?.payload ?? 'snapshot',
      updated: tx.now,
    },
  })
}

function shown(record: WebhookEndpointRecord, { include }: Params<typeof INCLUDE>, isNew = false): object {
  return renderEventDestination(record, {
    url: include?.includes('webhook_endpoint.url') ?? false,
    secret: isNew && (include?.includes('webhook_endpoint.signing_secret') ?? false),
  })
}

type EventFilter = {
  readonly created?: ReturnType<typeof TIMES> | null
  readonly object_id?: string | null
  readonly types?: readonly string[] | null
}

function isAsked(reads: Reads, event: EventRecord, filter: EventFilter): boolean {
  const type = thinType(event.type)
  if (type === null || !isKept(reads, event)) return false
  if (filter.types && !filter.types.includes(type)) return false
  if (filter.object_id && (event.object as { id?: string }).id !== filter.object_id) return false
  const bounds = Object.entries(filter.created ?? {}).map(([name, time]) => [
    name,
    Date.parse(time ?? '') / 1000,
  ])
  return isWithin(event.created, Object.fromEntries(bounds))
}

function isKept(reads: Reads, event: EventRecord): boolean {
  return event.created > reads.nowSeconds() - EVENTS_KEPT_S
}

/** A page with the addresses of its neighbours; `page` names the first row. */
function page<T extends { readonly id: string }>(
  rows: readonly T[],
  how: { url: string; params: Params<typeof PAGE>; shown: (row: T) => object },
): object {
  const limit = how.params.limit ?? 20
  const start = how.params.page ? rows.findIndex(({ id }) => id === how.params.page) : 0
  if (start === -1) throw invalidRequest('There is no such page.', { param: 'page' })
  const address = (at: number): string | null => {
    const row = at === start || at < 0 ? undefined : rows[at]
    return row ? `${how.url}?limit=${limit}&page=${row.id}` : null
  }
  return {
    data: rows.slice(start, start + limit).map(how.shown),
    next_page_url: address(start + limit),
    previous_page_url: address(start === 0 ? -1 : Math.max(0, start - limit)),
  }
}

function find(reads: Reads, id: string): WebhookEndpointRecord {
  const endpoint = reads.get('webhook_endpoints', id)
  if (!endpoint) throw noSuch('event destination', id, { param: 'id' })
  return endpoint
}
