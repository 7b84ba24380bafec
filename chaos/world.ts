// What payers and operators can do, over HTTP like anybody: every answer that matters goes into the history.
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { ask, askUntil, saysSomething } from './client.ts'
import type { Answer, Call } from './client.ts'
import { timed } from './history.ts'
import type { ClientAction, History } from './history.ts'
import { at, textAt } from './json.ts'
import type { PlannedPayment } from './plan.ts'
import { JWT_SECRET, SERVICE_TOKEN, STRIPE_KEY } from './platform.ts'

export type World = {
  readonly gatewayUrl: string
  readonly bookingUrl: string
  readonly sandboxUrl: string
  readonly history: History
  /** Whether payers should come to an end: the campaign is over its time. */
  readonly isOver: () => boolean
}

/** One planned payment on its way. */
export type Journey = {
  readonly world: World
  readonly plan: PlannedPayment
  readonly bookingId: string
  readonly amountMinor: number
  readonly currency: string
  readonly token: string
}

const PATIENCE_MS = 90_000
const API = '/api/v1/payment-gateway'
// A gateway whose clock is hours off takes every token for expired: the next one does not.
const ASK_AGAIN = new Set(['PAYMENT_IN_PROGRESS', 'UNAUTHENTICATED'])

export function tokenOf(customerId: string): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(customerId)
    .setExpirationTime('2h')
    .sign(new TextEncoder().encode(JWT_SECRET))
}

/** Books the tour; null when the booking service never answered. */
export async function book(world: World, plan: PlannedPayment): Promise<Journey | null> {
  const token = await tokenOf(plan.customer)
  const date = new Date(Date.now() + plan.day * 86_400_000).toISOString().slice(0, 10)
  const request = {
    method: 'POST' as const,
    url: `${world.bookingUrl}/api/v1/bookings`,
    headers: { authorization: `Bearer ${token}`, 'idempotency-key': `booking ${plan.number}` },
    body: { tourId: plan.tour, date, seats: plan.seats },
  }
  const answer = await timed(world.history, 'to book', () =>
    // Cut off from its database the service cannot know the customer either.
    askUntil(request, PATIENCE_MS, (it) => saysSomething(it) && textAt(it.body, 'data', 'id') !== ''),
  )
  const data = at(answer?.body, 'data')
  const bookingId = textAt(data, 'id')
  if (bookingId === '') return null
  const amountMinor = Number(at(data, 'amountMinor'))
  const currency = textAt(data, 'currency')
  world.history.bookings.push({ bookingId, life: plan.life, amountMinor, currency })
  return { world, plan, bookingId, amountMinor, currency, token }
}

/** Asks the gateway as the payer until it says something, and writes down what it said. */
export async function askGateway(
  journey: Journey,
  action: Pick<ClientAction, 'kind' | 'about'> & { readonly askedMinor?: number },
  call: Pick<Call, 'method' | 'body' | 'headers'> & { readonly path: string; readonly bearer?: string },
): Promise<Answer | null> {
  const { world, bookingId } = journey
  const request = {
    method: call.method,
    url: `${world.gatewayUrl}${API}${call.path}`,
    headers: { authorization: `Bearer ${call.bearer ?? journey.token}`, ...call.headers },
    body: call.body,
  }
  const isFinal = (it: Answer): boolean =>
    saysSomething(it) && !ASK_AGAIN.has(textAt(it.body, 'error', 'code'))
  const answer = await timed(world.history, `for the answer to ${action.kind}`, () =>
    askUntil(request, PATIENCE_MS, isFinal),
  )
  const { kind, about, askedMinor = null } = action
  world.history.actions.push({ kind, about, askedMinor, bookingId, atMs: Date.now(), answered: answer })
  return answer
}

/** Gives money back as an operator does; the same key is the same refund. */
export function refund(journey: Journey, key: string, amountMinor: number | null): Promise<Answer | null> {
  return askGateway(
    journey,
    { kind: 'refund', about: key, ...(amountMinor === null ? {} : { askedMinor: amountMinor }) },
    {
      method: 'POST',
      path: `/payments/${journey.bookingId}/refunds`,
      body: amountMinor === null ? {} : { amountMinor },
      headers: { 'idempotency-key': key },
      bearer: SERVICE_TOKEN,
    },
  )
}

/** Stripe's own API, as the Dashboard and other systems of the account use it. */
export function askStripe(
  world: World,
  method: 'GET' | 'POST',
  path: string,
  form?: Readonly<Record<string, string>>,
): Promise<Answer | null> {
  const key = randomUUID()
  return askUntil(
    {
      method,
      url: `${world.sandboxUrl}/v1/${path}`,
      headers: {
        authorization: `Bearer ${STRIPE_KEY}`,
        ...(method === 'POST' ? { 'idempotency-key': key } : {}),
      },
      ...(form === undefined ? {} : { form }),
    },
    PATIENCE_MS,
    // A 500 is kept under its key for a day: what it did shows in Stripe's own records.
    (it) => saysSomething(it) || it.status === 500,
  )
}

/** What the payer, the bank and Stripe's staff do. */
export function control(world: World, path: string, body: unknown = {}): Promise<Answer | null> {
  return ask({ method: 'POST', url: `${world.sandboxUrl}/_sandbox/${path}`, body })
}

export function until(what: string, journey: Journey, look: () => Promise<boolean>): Promise<boolean> {
  return timed(journey.world.history, `for ${what}`, () => lookUntil(what, journey, look))
}

async function lookUntil(what: string, journey: Journey, look: () => Promise<boolean>): Promise<boolean> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end && !journey.world.isOver();) {
    if (await look()) return true
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  journey.world.history.log.push(`waited in vain: ${what} of ${journey.bookingId} (${journey.plan.life})`)
  return false
}
