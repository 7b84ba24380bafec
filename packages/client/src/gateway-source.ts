import { verificationOf } from './payment.ts'
import { retryAfterMs } from './polling.ts'
import { readEvents } from './status-stream.ts'
import type { Payment, Verification } from './payment.ts'
import type { PaymentSource, ReadOutcome, StreamEnd } from './watch-payment.ts'

export type GatewayAccess = {
  readonly gatewayUrl: string
  readonly bookingId: string
  /** Asked about once at Stripe, which heals a lost webhook. */
  readonly sessionId?: string | null
  /** Asks Stripe once also where no session is named: for the return from a payment made without a session. */
  readonly verifies?: boolean
  /** May read this one payment and nothing else. */
  readonly statusToken?: string | null
  /** Sent with every request, by a server that asks for somebody else. */
  readonly headers?: Readonly<Record<string, string>>
  /** The payer's JWT, for when there is no status token or it no longer opens; `isFresh` asks for a new one. */
  readonly getJwt?: (options: { isFresh: boolean }) => Promise<string>
}

const READ_TIMEOUT_MS = 8000
const OPEN_MS_MAX = 4000
const PREFIX = '/api/v1/payment-gateway'
const NO_ACCESS: ReadonlySet<number> = new Set([401, 403, 404])
const NO_ACCESS_TO_STREAM: ReadonlySet<number> = new Set([401, 403])
// Answers that would be the same the next time. Everything else (429, 5xx, a proxy's page) is a passing condition.
const UNKNOWN = new Set([400, 401, 403, 404, 410])

/** The gateway's read routes of one payment, as a source for `watchPayment`. */
export function gatewaySource(access: GatewayAccess): PaymentSource {
  const booking = encodeURIComponent(access.bookingId)
  const source: PaymentSource = {
    readStatus: statusReader(access, `/payments/${booking}/status`),
    stream: (signal, onPayment, seen) =>
      readStream({ access, path: `/payments/${booking}/stream`, signal, onPayment, seen }),
  }
  if (access.sessionId) {
    const path = `/sessions/${encodeURIComponent(access.sessionId)}/verify`
    return { ...source, verify: (signal) => readJson<Verification>(access, path, signal) }
  }
  if (access.verifies !== true) return source
  return {
    ...source,
    verify: async (signal) => {
      const outcome = await readJson<Payment>(access, `/payments/${booking}/verify`, signal)
      return outcome.kind === 'answer' ? { kind: 'answer', value: verificationOf(outcome.value) } : outcome
    },
  }
}

const NOTHING_LEARNT = { kind: 'unavailable', retryAfterMs: null } as const

/** Reads the status, and from the second time on whether it changed: what did not comes without its body. */
function statusReader(access: GatewayAccess, path: string): PaymentSource['readStatus'] {
  let last: { readonly tag: string; readonly value: Payment } | null = null
  return async (signal) => {
    const known = last
    try {
      const response = await ask(access, path, signal, known === null ? {} : { 'if-none-match': known.tag })
      if (response.status === 304 && known !== null) return { kind: 'answer', value: known.value }
      const outcome = await outcomeOf<Payment>(response)
      const tag = response.headers.get('etag')
      if (outcome.kind === 'answer') last = tag === null ? null : { tag, value: outcome.value }
      return outcome
    } catch {
      return NOTHING_LEARNT
    }
  }
}

async function readJson<T>(
  access: GatewayAccess,
  path: string,
  signal: AbortSignal,
): Promise<ReadOutcome<T>> {
  try {
    return await outcomeOf<T>(await ask(access, path, signal))
  } catch {
    return NOTHING_LEARNT
  }
}

/** Rejects where there is no network, no answer in time, or nobody left to ask for. */
async function ask(
  access: GatewayAccess,
  path: string,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<Response> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)])
  return await fetchAllowed(access, path, { signal: limited, headers })
}

/** Rejects when the body is no JSON. */
async function outcomeOf<T>(response: Response): Promise<ReadOutcome<T>> {
  if (UNKNOWN.has(response.status)) return { kind: 'unknown' }
  if (!response.ok) return { kind: 'unavailable', retryAfterMs: askedToWait(response) }
  const body = (await response.json()) as { data?: T }
  return body.data === undefined ? NOTHING_LEARNT : { kind: 'answer', value: body.data }
}

type StreamRequest = {
  readonly access: GatewayAccess
  readonly path: string
  readonly signal: AbortSignal
  readonly onPayment: (payment: Payment) => void
  /** The version of the newest answer so far; the stream begins after it. */
  readonly seen: number | null
}

// Answers of a gateway that is restarting or full, or of a proxy in front of it: the stream is worth another try.
const PASSING: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])

async function readStream({ access, path, signal, onPayment, seen }: StreamRequest): Promise<StreamEnd> {
  let isOpen = false
  let hasArrived = false
  let isHeldBack = false
  const ending = new AbortController()
  // A proxy that holds back even the headers would hold back the payer.
  const opening = setTimeout(() => {
    isHeldBack = true
    ending.abort()
  }, OPEN_MS_MAX)
  try {
    const init = {
      signal: AbortSignal.any([signal, ending.signal]),
      headers: {
        accept: 'text/event-stream',
        // With a status token alone this header would be the only reason for a preflight, and save half a kilobyte.
        ...(seen !== null && !access.statusToken ? { 'last-event-id': String(seen) } : {}),
      },
    }
    // A gateway without this route says 404 to everyone: no reason to ask it again with the JWT.
    const response = await fetchAllowed(access, path, init, NO_ACCESS_TO_STREAM)
    if (PASSING.has(response.status)) return 'unreachable'
    const isStream = response.ok && response.headers.get('content-type')?.startsWith('text/event-stream')
    if (!isStream || !response.body) return 'not_offered'
    isOpen = true
    clearTimeout(opening)
    await readEvents(response.body, {
      onEvent: (event) => {
        if (event.name === 'status') onPayment(JSON.parse(event.data) as Payment)
      },
      onBytes: () => {
        hasArrived = true
      },
    })
  } catch {
    // A broken stream is no news: the caller asks once and tries again.
  } finally {
    clearTimeout(opening)
    ending.abort()
  }
  if (hasArrived) return 'ended'
  return isOpen || isHeldBack ? 'held_back' : 'unreachable'
}

/** Asks with the status token, then with the JWT, then with a fresh JWT, until one of them opens. */
async function fetchAllowed(
  access: GatewayAccess,
  path: string,
  given: RequestInit,
  noAccess: ReadonlySet<number> = NO_ACCESS,
): Promise<Response> {
  const url = `${access.gatewayUrl}${PREFIX}${path}`
  const { statusToken, getJwt } = access
  const init = withHeaders(given, access.headers ?? {})
  if (statusToken) {
    // In the query, as the contract has it: no header means no preflight, one round trip less.
    const response = await fetch(`${url}?token=${encodeURIComponent(statusToken)}`, init)
    if (!getJwt || !noAccess.has(response.status)) return response
  }
  if (!getJwt) return await fetch(url, init)
  const response = await fetch(url, withJwt(init, await getJwt({ isFresh: false })))
  if (response.status !== 401) return response
  return await fetch(url, withJwt(init, await getJwt({ isFresh: true })))
}

function withJwt(init: RequestInit, jwt: string): RequestInit {
  return withHeaders(init, { authorization: `Bearer ${jwt}` })
}

function withHeaders(init: RequestInit, more: Readonly<Record<string, string>>): RequestInit {
  const headers = new Headers(init.headers)
  for (const [name, value] of Object.entries(more)) headers.set(name, value)
  return { ...init, headers }
}

function askedToWait(response: Response): number | null {
  return retryAfterMs(response.headers.get('retry-after'), Date.now())
}
