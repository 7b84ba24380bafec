import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** What came of one attempt: the receiver's status, or why there is none. */
export type Result = {
  readonly status: number | null
  readonly error: string | null
  /** The receiver's own words, cut short: for whoever looks into why it refused. */
  readonly answer?: Answer | undefined
}
export type Answer = { readonly headers: Record<string, string>; readonly body: string }
export type Parcel = { readonly url: string; readonly body: string; readonly signature: string }
type Limits = { readonly timeoutMs: number; readonly signal: AbortSignal }

const MAX_FREE_SOCKETS = 50
const ANSWER_BYTES_KEPT = 2048
const HEADERS_KEPT = 20
const HEADER_CHARACTERS_KEPT = 200

/** Posts parcels to their endpoints over kept connections. No redirects are followed. */
export class Sender {
  readonly #agents = {
    http: new HttpAgent({ keepAlive: true, maxFreeSockets: MAX_FREE_SOCKETS }),
    https: new HttpsAgent({ keepAlive: true, maxFreeSockets: MAX_FREE_SOCKETS }),
  }

  close(): void {
    this.#agents.http.destroy()
    this.#agents.https.destroy()
  }

  async send(parcel: Parcel, limits: Limits, fresh = false): Promise<Result> {
    return new Promise((resolve) => {
      const url = new URL(parcel.url)
      const secure = url.protocol === 'https:'
      const call = (secure ? httpsRequest : httpRequest)(url, {
        method: 'POST',
        agent: fresh ? false : secure ? this.#agents.https : this.#agents.http,
        signal: AbortSignal.any([limits.signal, AbortSignal.timeout(limits.timeoutMs)]),
        headers: { ...webhookHeaders(parcel), 'Content-Length': String(Buffer.byteLength(parcel.body)) },
      })
      call.on('response', (response) => {
        const status = response.statusCode ?? null
        void readAnswer(response).then((answer) => resolve({ status, error: null, answer }))
      })
      call.on('error', (error: NodeJS.ErrnoException) => {
        // The receiver closed an idle connection in the very moment it was used: that is no answer, ask again.
        if (call.reusedSocket && error.code === 'ECONNRESET' && !fresh)
          resolve(this.send(parcel, limits, true))
        else resolve({ status: null, error: reasonOf(error, limits.timeoutMs) })
      })
      call.end(parcel.body)
    })
  }
}

/** What the receiver said, as much of it as it sent before it closed, and never an error: its status is known already. */
function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve) => {
    response.on('data', (chunk: Buffer) => {
      if (size < ANSWER_BYTES_KEPT) chunks.push(chunk)
      size += chunk.length
    })
    response.on('error', () => {})
    response.on('close', () => {
      const body = Buffer.concat(chunks).subarray(0, ANSWER_BYTES_KEPT).toString('utf8')
      resolve({ headers: shortHeaders(response), body })
    })
  })
}

function shortHeaders(response: IncomingMessage): Record<string, string> {
  const kept = Object.entries(response.headers).slice(0, HEADERS_KEPT)
  return Object.fromEntries(
    kept.map(([name, value]) => [name, String(value).slice(0, HEADER_CHARACTERS_KEPT)]),
  )
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

function reasonOf(error: NodeJS.ErrnoException, timeoutMs: number): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return noAnswerWithin(timeoutMs)
  return error.code ?? error.message
}

export function noAnswerWithin(timeoutMs: number): string {
  return `no answer within ${timeoutMs} ms`
}
