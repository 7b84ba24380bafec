import type { CliConfig } from './config.ts'
import { CommandError } from './errors.ts'

export type Query = Readonly<Record<string, string | undefined>>
/** One page of a list, and where the next begins. */
export type Page<T> = { readonly items: readonly T[]; readonly nextCursor: string | null }

/** The gateway's admin routes. Every answer that is no success becomes a CommandError with the gateway's own sentence. */
export type GatewayClient = {
  readonly url: string
  readonly get: <T>(path: string, query?: Query) => Promise<T>
  readonly list: <T>(path: string, query: Query, most: number) => Promise<Page<T>>
  readonly post: <T>(path: string, body: unknown) => Promise<T>
  /** The status of a route outside the API, 0 when nothing answers. */
  readonly statusOf: (path: string) => Promise<{ readonly status: number; readonly message: string }>
}

type Envelope = {
  readonly data?: unknown
  readonly nextCursor?: string | null
  readonly error?: { readonly code: string; readonly message: string; readonly requestId: string }
}

const PREFIX = '/api/v1/payment-gateway/admin'
// A reconciliation by hand answers when it is done.
const ANSWER_MS_MAX = 120_000
const PAGE_ITEMS_MAX = 100

export function createGatewayClient({ url, token }: CliConfig): GatewayClient {
  async function call(method: string, path: string, body?: unknown): Promise<Envelope> {
    const response = await reach(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = await envelopeOf(response)
    if (response.ok) return answer
    throw new CommandError(refusal(response.status, answer))
  }
  const get = async <T>(path: string, query: Query = {}): Promise<T> =>
    (await call('GET', PREFIX + path + searchOf(query))).data as T
  return {
    url,
    get,
    list: async <T>(path: string, query: Query, most: number): Promise<Page<T>> => {
      const items: T[] = []
      let cursor: string | null = null
      do {
        const limit = String(Math.min(most - items.length, PAGE_ITEMS_MAX))
        const search = searchOf({ ...query, limit, cursor: cursor ?? undefined })
        const page: Envelope = await call('GET', PREFIX + path + search)
        items.push(...(page.data as T[]))
        cursor = page.nextCursor ?? null
      } while (cursor !== null && items.length < most)
      return { items, nextCursor: cursor }
    },
    post: async <T>(path: string, body: unknown) => (await call('POST', PREFIX + path, body)).data as T,
    statusOf: async (path) => {
      try {
        const response = await reach(url + path, {})
        return { status: response.status, message: (await envelopeOf(response)).error?.message ?? '' }
      } catch (error) {
        return { status: 0, message: error instanceof Error ? error.message : String(error) }
      }
    },
  }
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS_MAX) })
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } }
    throw new CommandError(
      `Nothing answers at ${new URL(url).origin} (${cause?.code ?? 'no answer'}). Start the gateway, or name another with --url or PASSERELLE_URL.`,
    )
  }
}

async function envelopeOf(response: Response): Promise<Envelope> {
  try {
    return (await response.json()) as Envelope
  } catch {
    return {}
  }
}

function refusal(status: number, { error }: Envelope): string {
  if (error === undefined) return `The answer was ${status} without a reason. Is this address the gateway's?`
  const hint =
    error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN'
      ? " Set PASSERELLE_TOKEN to an operator's JWT or to the service token."
      : ''
  return `${error.message}${hint} (${error.code}, request ${error.requestId})`
}

function searchOf(query: Query): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}
