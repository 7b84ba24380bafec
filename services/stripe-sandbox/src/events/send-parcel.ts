import type { IncomingHttpHeaders } from 'node:http'
import { createRequire } from 'node:module'
import type * as Undici from 'undici'
import type { Dispatcher, Pool } from 'undici'

/** What came of one attempt: the receiver's status, or why there is none. */
export type Result = {
  readonly status: number | null
  readonly error: string | null
  /** The receiver's own words, cut short: for whoever looks into why it refused. */
  readonly answer?: Answer | undefined
}
export type Answer = { readonly headers: Record<string, string>; readonly body: string }
export type Parcel = { readonly url: string; readonly body: string; readonly signature: string }

// A fifth of a start, for what only the first delivery needs.
const loadUndici = (): typeof Undici => createRequire(import.meta.url)('undici')

const MAX_SOCKETS_PER_ORIGIN = 50
const ANSWER_BYTES_KEPT = 2048
const HEADERS_KEPT = 20
const HEADER_CHARACTERS_KEPT = 200

type Target = { readonly pool: Pool; readonly path: string }
type Failure = Error & { readonly code?: string; readonly socket?: { readonly bytesRead?: number } | null }

/** Posts parcels to their endpoints over kept connections. No redirects are followed. */
export class Sender {
  readonly #pools = new Map<string, Pool>()
  readonly #targets = new Map<string, Target>()

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
  }

  send(parcel: Parcel, timeoutMs: number, again = false): Promise<Result> {
    const { promise, resolve } = Promise.withResolvers<Result>()
    const { pool, path } = this.#targetOf(parcel.url)
    const answer = new Reading()
    let controller: Dispatcher.DispatchController | undefined
    const timer = setTimeout(() => {
      resolve(answer.result({ status: null, error: noAnswerWithin(timeoutMs) }))
      controller?.abort(new Error('too late'))
    }, timeoutMs)
    const finish = (result: Result | Promise<Result>): void => {
      clearTimeout(timer)
      resolve(result)
    }
    pool.dispatch(
      { method: 'POST', path, headers: webhookHeaders(parcel), body: parcel.body },
      {
        onRequestStart: (started) => {
          controller = started
        },
        onResponseStart: (_controller, status, headers) => answer.begin(status, headers),
        onResponseData: (_controller, chunk) => answer.add(chunk),
        onResponseEnd: () => finish(answer.result({ status: null, error: null })),
        onResponseError: (_controller, error) => {
          const isStale = !again && !answer.hasBegun && wasClosedWhileIdle(error)
          finish(
            isStale
              ? this.send(parcel, timeoutMs, true)
              : answer.result({ status: null, error: reasonOf(error) }),
          )
        },
      },
    )
    return promise
  }

  #targetOf(url: string): Target {
    const known = this.#targets.get(url)
    if (known) return known
    const { origin, pathname, search } = new URL(url)
    const pool = this.#pools.get(origin) ?? newPool(origin)
    const target = { pool, path: `${pathname}${search}` }
    this.#pools.set(origin, pool)
    this.#targets.set(url, target)
    return target
  }
}

function newPool(origin: string): Pool {
  const { Pool: UndiciPool } = loadUndici()
  return new UndiciPool(origin, { connections: MAX_SOCKETS_PER_ORIGIN, headersTimeout: 0, bodyTimeout: 0 })
}

/** What the receiver says, as much of it as it sends, and never an error once its status is known. */
class Reading {
  #status: number | null = null
  #headers: Record<string, string> = {}
  readonly #chunks: Buffer[] = []
  #size = 0

  get hasBegun(): boolean {
    return this.#status !== null
  }

  begin(status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    for (const name of Object.keys(headers).slice(0, HEADERS_KEPT)) {
      this.#headers[name] = String(headers[name]).slice(0, HEADER_CHARACTERS_KEPT)
    }
  }

  add(chunk: Buffer): void {
    if (this.#size < ANSWER_BYTES_KEPT) this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  /** The receiver's answer, or `otherwise` when there was none. */
  result(otherwise: Result): Result {
    if (this.#status === null) return otherwise
    const body = Buffer.concat(this.#chunks).subarray(0, ANSWER_BYTES_KEPT).toString('utf8')
    return { status: this.#status, error: null, answer: { headers: this.#headers, body } }
  }
}

/** The headers of a webhook of Stripe's, its signature among them. */
export function webhookHeaders(parcel: Parcel): Record<string, string> {
  return {
    'Content-Type': 'application/json; charset=utf-8',
    'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    Accept: '*/*; q=0.5, application/xml',
    'Accept-Encoding': 'gzip',
    'Cache-Control': 'no-cache',
    'Stripe-Signature': parcel.signature,
  }
}

// The receiver closed a connection that had served before, in the very moment it was used: that is no answer, ask again.
function wasClosedWhileIdle(error: Failure): boolean {
  return (
    (error.code === 'UND_ERR_SOCKET' || error.code === 'ECONNRESET') && (error.socket?.bytesRead ?? 0) > 0
  )
}

function reasonOf(error: Failure): string {
  return error.code === 'UND_ERR_SOCKET' ? 'ECONNRESET' : (error.code ?? error.message)
}

export function noAnswerWithin(timeoutMs: number): string {
  return `no answer within ${timeoutMs} ms`
}
