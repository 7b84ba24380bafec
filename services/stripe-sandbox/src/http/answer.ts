import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Relay } from '../listen/relay.ts'
import { requestLog } from '../listen/request-log.ts'
import type { Store } from '../store/store.ts'

/** One call that came in, and what answers it. */
export type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse }

const STRIPE_HEADERS = {
  // Stripe names no charset.
  'Content-Type': 'application/json',
  'Cache-Control': 'no-cache, no-store',
  Vary: 'Origin',
  'Access-Control-Allow-Credentials': 'true',
  'Access-Control-Allow-Methods': 'GET, HEAD, PUT, PATCH, POST, DELETE',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Request-Id, Stripe-Manage-Version, Stripe-Should-Retry',
  'Access-Control-Max-Age': '300',
  'Strict-Transport-Security': 'max-age=63072000; includeSubDomains; preload',
  'X-Stripe-Routing-Context-Priority-Tier': 'api-testmode',
} as const

/** Whether the call is one of Stripe's API, and not of the sandbox's own pages. */
export function isApi(url: string | undefined): boolean {
  return /^\/v[12]\//.test(url ?? '')
}

/** Sends an answer with what all of Stripe's carry, and shows it to the terminals that tail the log. */
export function answer(
  { store, relay }: { readonly store: Store; readonly relay: Relay },
  { request, response }: Exchange,
  { status, body, headers }: { status: number; body: string; headers: Readonly<Record<string, string>> },
): void {
  response.writeHead(status, {
    ...STRIPE_HEADERS,
    ...headers,
    'Content-Length': Buffer.byteLength(body),
    // The sandbox's own time, as in every `created`.
    Date: new Date(store.clock.nowMs()).toUTCString(),
  })
  response.end(body)
  if (relay.isTailed && isApi(request.url))
    relay.tell(requestLog(request, { status, requestId: headers['Request-Id'] ?? '', body }))
}
