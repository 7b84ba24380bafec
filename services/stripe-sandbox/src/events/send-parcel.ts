import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** What came of one attempt: the receiver's status, or why there is none. */
export type Result = { readonly status: number | null; readonly error: string | null }
export type Parcel = { readonly url: string; readonly body: string; readonly signature: string }
type Limits = { readonly timeoutMs: number; readonly signal: AbortSignal }

const MAX_FREE_SOCKETS = 50

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
        response.on('error', () => {}).resume()
        resolve({ status: response.statusCode ?? null, error: null })
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
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return `no answer within ${timeoutMs} ms`
  return error.code ?? error.message
}
