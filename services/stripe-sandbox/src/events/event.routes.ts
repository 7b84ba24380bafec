import { invalidRequest, noSuch } from '../errors.ts'
import { LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { flag, list, text } from '../http/params.ts'
import { render } from '../resources.ts'
import type { EventRecord } from '../store/records.ts'
import type { Reads } from '../store/store.ts'
import { pendingWebhooks } from './event.ts'
import { endpointOf } from './webhook-endpoint.ts'

const EVENTS_KEPT_S = 30 * 86_400

/** To one endpoint, to the terminals that listen, or to everyone (null). */
export type ResendTo = { readonly endpoint: string } | 'terminals' | null
export type Resend = (event: string, to: ResendTo) => void

/** `resend` is called once the caller has been answered. */
export const eventOperations = (resend: Resend): readonly Operation[] => [
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
          isOfFirstVersion(row) &&
          row.created > tx.now - EVENTS_KEPT_S &&
          (types === null || types.some((type) => fits(type, row.type))) &&
          wasDelivered(tx, row, params.delivery_success),
      })
    },
  ),
  operation('GET /v1/events/:id', {}, (tx, { id }) => render(tx, 'events', find(tx, id))),
  // What `stripe events resend` calls.
  operation(
    'POST /v1/events/:id/retry',
    { account: text(), for_stripecli: flag(), webhook_endpoint: text() },
    (tx, { id, params }) => {
      const event = find(tx, id)
      const endpoint = params.webhook_endpoint
      if (endpoint && !endpointOf(tx, endpoint)) {
        throw noSuch('webhook endpoint', endpoint, { param: 'webhook_endpoint', inBody: true })
      }
      setImmediate(resend, id, endpoint ? { endpoint } : params.for_stripecli ? 'terminals' : null)
      return render(tx, 'events', event)
    },
  ),
]

function find(reads: Reads, id: string): EventRecord {
  const event = reads.get('events', id)
  if (!event || !isOfFirstVersion(event) || event.created <= reads.nowSeconds() - EVENTS_KEPT_S)
    throw noSuch('event', id, { param: 'id' })
  return event
}

// A ping of an event destination is told as a thin event only.
function isOfFirstVersion({ type }: EventRecord): boolean {
  return !type.startsWith('v2.')
}

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
