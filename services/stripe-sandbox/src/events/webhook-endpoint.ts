import type Stripe from 'stripe'
import { invalidParameter, invalidRequest } from '../errors.ts'
import type { Reader } from '../http/params.ts'
import { list, text } from '../http/params.ts'
import { newNumberedId, randomText } from '../ids.ts'
import { API_VERSION } from '../settings.ts'
import type { WebhookEndpointRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { EVENT_TYPES } from './event-types.ts'

export const MAX_ENDPOINTS = 16

/** The endpoint as the API shows it; the secret only where it was just created. */
export function renderWebhookEndpoint(
  record: WebhookEndpointRecord,
  withSecret = false,
): Stripe.WebhookEndpoint {
  return {
    id: record.id,
    object: 'webhook_endpoint',
    api_version: record.apiVersion,
    application: null,
    created: record.created,
    description: record.description,
    enabled_events: record.enabledEvents,
    livemode: false,
    metadata: record.metadata,
    ...(withSecret && record.secrets[0] ? { secret: record.secrets[0].value } : {}),
    status: record.status,
    url: record.url,
  }
}

/** The version asked for, the account's when none is; it holds for the life of the endpoint. */
export function versionAsked(version: string | null | undefined): string {
  if (!version) return API_VERSION
  if (/^20\d\d-\d\d-\d\d(\.\w+)?$/.test(version)) return version
  throw invalidRequest(`Invalid API version: ${version}. It reads like ${API_VERSION}.`, {
    param: 'api_version',
  })
}

/** Reads the types that an endpoint asks for; a name that Stripe does not have would never be heard. */
export function eventTypes(): Reader<string[]> {
  return list((value, path) => {
    const type = text()(value, path)
    if (EVENT_TYPES.has(type)) return type
    const [family] = type.split('.')
    const near = [...EVENT_TYPES].filter((each) => each.startsWith(`${family}.`))
    const some = near.length > 0 ? ` There are: ${near.join(', ')}.` : ''
    throw invalidParameter(`Invalid ${path}: Stripe has no event ${type}.${some}`, { param: path })
  }, 300)
}

export function newSecret(): string {
  return `whsec_${randomText(32)}`
}

export function newWebhookEndpoint(
  tx: Tx,
  from: { url: string; enabledEvents: string[]; secret?: string } & Partial<WebhookEndpointRecord>,
): WebhookEndpointRecord {
  const { secret, ...rest } = from
  return tx.put('webhook_endpoints', {
    id: newNumberedId('we'),
    created: tx.now,
    apiVersion: API_VERSION,
    description: null,
    metadata: {},
    status: 'enabled',
    secrets: [{ value: secret ?? newSecret(), expiresAtMs: null }],
    ...rest,
  })
}

/** The secrets that sign now: the current one, and rolled ones whose overlap has not ended. */
export function activeSecrets(record: WebhookEndpointRecord, nowMs: number): string[] {
  return record.secrets
    .filter(({ expiresAtMs }) => expiresAtMs === null || expiresAtMs > nowMs)
    .map(({ value }) => value)
}

/** Everyone who may hear events: the webhook endpoints, and the terminals that listen now. */
export function endpointsOf(reads: Reads): WebhookEndpointRecord[] {
  const all = [...reads.table('webhook_endpoints').oldestFirst()]
  for (const terminal of reads.table('listeners').oldestFirst())
    if (terminal.status === 'enabled') all.push(terminal)
  return all
}

export function endpointOf(reads: Reads, id: string): WebhookEndpointRecord | undefined {
  return reads.get('webhook_endpoints', id) ?? reads.get('listeners', id)
}

/** Whether that id is a terminal's, reached over its socket instead of a URL. */
export function isListener(reads: Reads, id: string): boolean {
  return reads.get('listeners', id) !== undefined
}

// The endpoint of the environment follows its URL from one start to the next.
const MARK = 'from_environment'

/** Makes sure an endpoint listens to everything at `url` with that secret, and returns it. */
export function ensureEndpoint(tx: Tx, url: string, secret: string | undefined): WebhookEndpointRecord {
  const endpoints = [...tx.table('webhook_endpoints').oldestFirst()]
  const existing =
    endpoints.find((endpoint) => endpoint.url === url) ??
    endpoints.find(({ metadata }) => metadata[MARK] === 'yes')
  if (!existing) {
    const metadata = { [MARK]: 'yes' }
    return newWebhookEndpoint(tx, { url, enabledEvents: ['*'], metadata, ...(secret ? { secret } : {}) })
  }
  return tx.put('webhook_endpoints', {
    ...existing,
    url,
    status: 'enabled',
    enabledEvents: ['*'],
    secrets: secret === undefined ? existing.secrets : [{ value: secret, expiresAtMs: null }],
  })
}
