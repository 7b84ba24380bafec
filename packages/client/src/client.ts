import { ApiError, requestData } from './request.ts'
import type { Operations } from './operations.ts'

export { ApiError } from './request.ts'
export type { Operations } from './operations.ts'

export type ClientOptions = {
  /** Where the gateway answers, such as `https://pay.example.com`. */
  readonly gatewayUrl: string
  /** The bearer: a customer's JWT or a service's token. `isFresh` asks for a new one after a 401. */
  readonly getToken?: (wish: { readonly isFresh: boolean }) => Promise<string> | string
}

type Name = keyof Operations
type Parts<N extends Name> = Pick<Operations[N], 'path' | 'query' | 'body'>
// What there is none of, or what may be left out whole, need not be given.
type Key<N extends Name> = {
  [K in keyof Parts<N>]: Parts<N>[K] extends undefined
    ? never
    : Partial<Parts<N>[K]> extends Parts<N>[K]
      ? never
      : K
}[keyof Parts<N>]

/** What a call of this operation needs: the parts of its address and its body, where it has any. */
export type Input<N extends Name> = { readonly [K in Key<N>]: Parts<N>[K] } & {
  readonly query?: Operations[N]['query']
  readonly body?: Operations[N]['body']
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
}
export type Data<N extends Name> = Operations[N]['data']

export type GatewayClient = {
  /** The `data` of the answer. Rejects with an ApiError that carries the gateway's code and request id. */
  readonly call: <N extends Name>(name: N, input: Input<N>) => Promise<Data<N>>
}

const PREFIX = '/api/v1/payment-gateway'

/** A client of the gateway whose calls are typed by the gateway's own OpenAPI document. */
export function createClient({ gatewayUrl, getToken }: ClientOptions): GatewayClient {
  async function call<N extends Name>(name: N, input: Input<N>): Promise<Data<N>> {
    const send = (token?: string): Promise<Data<N>> =>
      requestData(urlOf(gatewayUrl, name, input), initOf(name, input, token))
    if (!getToken) return await send()
    try {
      return await send(await getToken({ isFresh: false }))
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      return await send(await getToken({ isFresh: true }))
    }
  }
  return { call }
}

type AnyInput = {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | undefined>> | undefined
  readonly body?: unknown
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
}

function urlOf(gatewayUrl: string, name: Name, { path = {}, query = {} }: AnyInput): string {
  const [, pattern = ''] = name.split(' ')
  const address = pattern.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(path[key] ?? ''))
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))
  return `${gatewayUrl}${PREFIX}${address}${given.length > 0 ? `?${new URLSearchParams(given)}` : ''}`
}

function initOf(
  name: Name,
  { body, idempotencyKey, signal }: AnyInput,
  jwt?: string,
): Parameters<typeof requestData>[1] {
  const method = name.startsWith('POST ') ? 'POST' : 'GET'
  return {
    method,
    signal,
    // A POST without anything to say still says JSON.
    ...(method === 'POST' ? { body: body ?? {} } : {}),
    ...(jwt === undefined ? {} : { jwt }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  }
}
