// The only file that calls Stripe. Answers and failures come out in our own words; nothing of the SDK leaks further.
import Stripe from 'stripe'
import type { StripeConfig } from '../config.ts'
import { isObject } from './event.ts'
import type { StripeObject } from './event.ts'
import { createStripeClock } from './stripe-clock.ts'
import type { StripeClock } from './stripe-clock.ts'

export type StripeClient = {
  readonly createSession: (
    params: Stripe.Checkout.SessionCreateParams,
    idempotencyKey: string,
  ) => Promise<StripeAnswer>
  readonly retrieveSession: (id: string) => Promise<StripeAnswer>
  readonly expireSession: (id: string) => Promise<StripeAnswer>
  /** Our session of an attempt among those made since, or `not_found`: for when creating it had no clear answer. */
  readonly findSessionOfAttempt: (attemptId: string, createdSince: Date) => Promise<StripeAnswer>
  readonly createIntent: (
    params: Stripe.PaymentIntentCreateParams,
    idempotencyKey: string,
  ) => Promise<StripeAnswer>
  readonly findIntentOfAttempt: (attemptId: string, createdSince: Date) => Promise<StripeAnswer>
  readonly retrieveIntent: (id: string) => Promise<StripeAnswer>
  readonly cancelIntent: (id: string) => Promise<StripeAnswer>
  readonly createRefund: (params: Stripe.RefundCreateParams, idempotencyKey: string) => Promise<StripeAnswer>
  readonly findRefundOfRequest: (requestId: string, intentId: string) => Promise<StripeAnswer>
  /** The intent with its charge and, as `refunds`, every refund of it. */
  readonly retrieveIntentWithRefunds: (id: string) => Promise<StripeAnswer>
  readonly retrieveRefund: (id: string) => Promise<StripeAnswer>
  readonly retrieveBalanceTransaction: (id: string) => Promise<StripeAnswer>
  readonly retrieveDispute: (id: string) => Promise<StripeAnswer>
  readonly retrieveCharge: (id: string) => Promise<StripeAnswer>
  readonly retrieveFraudWarning: (id: string) => Promise<StripeAnswer>
  /** One page, newest first, after the event `after`. */
  readonly listEvents: (wish: EventsWish) => Promise<EventsAnswer>
  /** Unix seconds by Stripe's clock as far as it is known, without asking. */
  readonly nowSeconds: () => number
  /** Unix seconds by Stripe's clock, the one under way included; null when Stripe does not answer. */
  readonly askNowSeconds: () => Promise<number | null>
}

export type EventsWish = {
  /** Unix seconds, both included. */
  readonly from: number
  readonly to: number
  /** At most 20. */
  readonly types: readonly string[]
  /** Only those that some endpoint has not acknowledged. */
  readonly undelivered: boolean
  readonly after: string | null
}

export type EventsAnswer =
  | {
      readonly kind: 'answered'
      readonly events: readonly unknown[]
      readonly hasMore: boolean
      readonly lastId: string | null
    }
  | Exclude<StripeAnswer, { kind: 'answered' }>

/**
 *  answered      the object, read by Stripe's clock at `second`
 *  not_found     Stripe has no such object
 *  refused       Stripe understood and said no: asking the same again is pointless
 *  busy          409, 429, a lock, or a key that may not (401, 403): nothing happened, ask again with the same key
 *  unreachable   no answer: it may have happened or not, ask again with the same key
 *  indeterminate a 5xx: it may have happened, and the same key would repeat the same 5xx: read before a new try
 *                (docs.stripe.com/error-low-level)
 */
export type StripeAnswer =
  | {
      readonly kind: 'answered'
      readonly object: StripeObject & { readonly id: string }
      readonly second: number
    }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string }
  | { readonly kind: 'busy' | 'unreachable' | 'indeterminate'; readonly message: string }

// A payer waits for these answers. The SDK tries again twice on its own where that is safe.
const TIMEOUT_MS = 6000
const NETWORK_RETRIES_MAX = 2
const LIST_PAGE_MAX = 100
// A key that was rolled or lacks a right says nothing about what was asked for: once it is mended, the same call works.
const MAY_PASS: ReadonlySet<number> = new Set([401, 403, 409, 429])
const REFUNDS_MAX = 1000
// Our clock and Stripe's may differ; a session made for the attempt is not missed for it.
const CLOCK_SKEW_SECONDS = 300

const CHARGE_OF_INTENT = ['latest_charge'] as const
const INTENT_OF_SESSION = ['payment_intent', 'payment_intent.latest_charge'] as const

export function createStripeClient(config: StripeConfig): StripeClient {
  const clock = createStripeClock()
  const stripe = connect(config, clock)
  const ask = (type: string, call: () => Promise<unknown>): Promise<StripeAnswer> => askFor(type, call, clock)
  return {
    createSession: (params, idempotencyKey) =>
      ask('checkout.session', () => stripe.checkout.sessions.create(params, { idempotencyKey })),
    retrieveSession: (id) =>
      ask('checkout.session', () =>
        stripe.checkout.sessions.retrieve(id, { expand: [...INTENT_OF_SESSION] }),
      ),
    expireSession: (id) => ask('checkout.session', () => stripe.checkout.sessions.expire(id)),
    findSessionOfAttempt: (attemptId, createdSince) =>
      ask('checkout.session', () =>
        withMetadata('attempt_id', attemptId, stripe.checkout.sessions.list(madeSince(createdSince))),
      ),
    createIntent: (params, idempotencyKey) =>
      ask('payment_intent', () => stripe.paymentIntents.create(params, { idempotencyKey })),
    findIntentOfAttempt: (attemptId, createdSince) =>
      ask('payment_intent', () =>
        withMetadata('attempt_id', attemptId, stripe.paymentIntents.list(madeSince(createdSince))),
      ),
    cancelIntent: (id) => ask('payment_intent', () => stripe.paymentIntents.cancel(id)),
    retrieveIntent: (id) =>
      ask('payment_intent', () => stripe.paymentIntents.retrieve(id, { expand: [...CHARGE_OF_INTENT] })),
    createRefund: (params, idempotencyKey) =>
      ask('refund', () => stripe.refunds.create(params, { idempotencyKey })),
    findRefundOfRequest: (requestId, intentId) =>
      ask('refund', () => {
        const list = stripe.refunds.list({ payment_intent: intentId, limit: LIST_PAGE_MAX })
        return withMetadata('refund_request_id', requestId, list)
      }),
    retrieveIntentWithRefunds: (id) =>
      ask('payment_intent', async () => {
        const intent = await stripe.paymentIntents.retrieve(id, { expand: [...CHARGE_OF_INTENT] })
        const refunds = await stripe.refunds
          .list({ payment_intent: id, limit: LIST_PAGE_MAX })
          .autoPagingToArray({ limit: REFUNDS_MAX })
        return { ...intent, refunds }
      }),
    retrieveRefund: (id) => ask('refund', () => stripe.refunds.retrieve(id)),
    retrieveBalanceTransaction: (id) =>
      ask('balance_transaction', () => stripe.balanceTransactions.retrieve(id)),
    retrieveDispute: (id) => ask('dispute', () => stripe.disputes.retrieve(id)),
    retrieveCharge: (id) => ask('charge', () => stripe.charges.retrieve(id)),
    retrieveFraudWarning: (id) =>
      ask('radar.early_fraud_warning', () => stripe.radar.earlyFraudWarnings.retrieve(id)),
    listEvents: (wish) => listEvents(stripe, wish),
    nowSeconds: clock.nowSeconds,
    askNowSeconds: () => askNowSeconds(stripe, clock),
  }
}

async function askNowSeconds(stripe: Stripe, clock: StripeClock): Promise<number | null> {
  try {
    await stripe.events.list({ limit: 1 })
  } catch (error) {
    // A refusal tells the time as well.
    if (failure(error).kind === 'unreachable') return null
  }
  // An answer tells whole seconds only: the one that has begun counts too.
  return clock.nowSeconds() + 1
}

function connect(config: StripeConfig, clock: StripeClock): Stripe {
  const base = new URL(config.apiBase)
  return new Stripe(config.secretKey, {
    apiVersion: '2026-10-28.endive',
    host: base.hostname,
    port: base.port === '' ? (base.protocol === 'https:' ? 443 : 80) : Number(base.port),
    protocol: base.protocol === 'https:' ? 'https' : 'http',
    timeout: TIMEOUT_MS,
    maxNetworkRetries: NETWORK_RETRIES_MAX,
    telemetry: false,
    httpClient: listeningTo(clock),
    appInfo: { name: 'Passerelle', version: '0.1.0' },
  })
}

/** The SDK's own client, with the time of every answer noted. */
function listeningTo(clock: StripeClock): Stripe.HttpClient {
  const client = Stripe.createNodeHttpClient()
  const send = client.makeRequest.bind(client)
  client.makeRequest = async (...request) => {
    const response = await send(...request)
    clock.note(response.getHeaders()['date'])
    return response
  }
  return client
}

async function listEvents(stripe: Stripe, wish: EventsWish): Promise<EventsAnswer> {
  const { from, to, types, undelivered, after } = wish
  try {
    const page: unknown = await stripe.events.list({
      created: { gte: from, lte: to },
      types: [...types],
      limit: LIST_PAGE_MAX,
      ...(undelivered ? { delivery_success: false } : {}),
      ...(after === null ? {} : { starting_after: after }),
    })
    if (!isObject(page) || !Array.isArray(page['data']))
      return { kind: 'indeterminate', message: 'the answer is no list' }
    const events: unknown[] = page['data']
    const last = events.at(-1)
    const lastId = isObject(last) && typeof last['id'] === 'string' ? last['id'] : null
    return { kind: 'answered', events, hasMore: page['has_more'] === true, lastId }
  } catch (error) {
    return failure(error)
  }
}

function madeSince(createdSince: Date): { created: { gte: number }; limit: number } {
  return {
    created: { gte: Math.floor(createdSince.getTime() / 1000) - CLOCK_SKEW_SECONDS },
    limit: LIST_PAGE_MAX,
  }
}

async function withMetadata(
  key: string,
  value: string,
  list: AsyncIterable<{ readonly metadata: Stripe.Metadata | null }>,
): Promise<unknown> {
  for await (const object of list) if (object.metadata?.[key] === value) return object
  return null
}

async function askFor(type: string, call: () => Promise<unknown>, clock: StripeClock): Promise<StripeAnswer> {
  try {
    const answer = await call()
    if (answer === null) return { kind: 'not_found' }
    // The SDK resolves a 5xx whose body has no `error`: an answer counts only when it is the object asked for.
    if (!isObject(answer) || answer['object'] !== type || typeof answer['id'] !== 'string')
      return { kind: 'indeterminate', message: `the answer is no ${type}` }
    return {
      kind: 'answered',
      object: { ...answer, id: answer['id'] },
      second: clock.nowSeconds(),
    }
  } catch (error) {
    return failure(error)
  }
}

function failure(error: unknown): Exclude<StripeAnswer, { kind: 'answered' }> {
  if (!(error instanceof Stripe.errors.StripeError)) throw error
  const { statusCode: status, message } = error
  if (status === undefined) return { kind: 'unreachable', message }
  if (status === 404) return { kind: 'not_found' }
  if (MAY_PASS.has(status)) return { kind: 'busy', message }
  if (status >= 500) return { kind: 'indeterminate', message }
  return { kind: 'refused', status, code: error.code ?? error.type, message }
}
