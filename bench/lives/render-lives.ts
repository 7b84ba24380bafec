// Whole payment lives as HTTP requests that are ready to be written: rendered, signed, doubled and shuffled beforehand,
// so that sending one costs a write.
import { createHmac } from 'node:crypto'
import { attemptId, bookingId, paymentId, sessionId, stripeId } from './ids.ts'
import { PLACEHOLDER } from './record-life.ts'
import type { LifeEvent } from './record-life.ts'

export type LivesOrder = {
  readonly life: readonly LifeEvent[]
  readonly tag: string
  readonly payments: number
  /** Of a hundred events how many are sent a second time. */
  readonly duplicates: number
  readonly secret: string
  readonly path: string
}

export type Lives = {
  readonly requests: readonly Buffer[]
  /** Which payment each request is about. */
  readonly paymentOf: Int32Array
  /** Whether the request alone proves the payment: the booking can be told from then on. */
  readonly proves: Uint8Array
  readonly bytes: number
}

// Events of one payment arrive within about a second of each other: at the peak that many events pass meanwhile.
const SHUFFLE_WINDOW = 11_500
// Seconds after the first event, as by card in Checkout; the fee comes last.
const SECOND_OF: Readonly<Record<string, number>> = { 'payment_intent.created': 0, 'charge.updated': 3 }
const PROVING = new Set(['payment_intent.succeeded', 'checkout.session.completed'])

type Slot = {
  readonly at: number
  readonly request: Buffer
  readonly payment: number
  readonly proves: boolean
}

export function renderLives(order: LivesOrder): Lives {
  const pieces = order.life.map(({ type, template }) => ({ type, parts: template.split(/(\{[a-z]+\})/) }))
  const second = Math.floor(Date.now() / 1000)
  const slots: Slot[] = []
  let bytes = 0
  for (let payment = 0; payment < order.payments; payment += 1) {
    const values = valuesOf(order.tag, payment, second)
    for (const { type, parts } of pieces) {
      values.set(PLACEHOLDER.event, stripeId('evt', second, payment))
      values.set(PLACEHOLDER.created, String(second - 3 + (SECOND_OF[type] ?? 1)))
      const body = Buffer.from(parts.map((part) => values.get(part) ?? part).join(''))
      const request = requestOf(body, order, second)
      const proves = PROVING.has(type)
      const at = payment * pieces.length + Math.random() * SHUFFLE_WINDOW
      slots.push({ at, request, payment, proves })
      bytes += request.length
      // A repetition comes after the original: Stripe sends again what it takes for lost.
      if (Math.random() * 100 < order.duplicates)
        slots.push({ at: at + Math.random() * SHUFFLE_WINDOW, request, payment, proves })
    }
  }
  slots.sort((a, b) => a.at - b.at)
  return {
    requests: slots.map((slot) => slot.request),
    paymentOf: Int32Array.from(slots, (slot) => slot.payment),
    proves: Uint8Array.from(slots, (slot) => Number(slot.proves)),
    bytes,
  }
}

function valuesOf(tag: string, payment: number, second: number): Map<string, string> {
  return new Map<string, string>([
    [PLACEHOLDER.payment, paymentId(tag, payment)],
    [PLACEHOLDER.booking, bookingId(tag, payment)],
    [PLACEHOLDER.attempt, attemptId(tag, payment)],
    [PLACEHOLDER.session, sessionId(tag, payment)],
    [PLACEHOLDER.intent, stripeId('pi', second, payment)],
    [PLACEHOLDER.charge, stripeId('ch', second, payment)],
    [PLACEHOLDER.transaction, stripeId('txn', second, payment)],
  ])
}

/** Signed as Stripe does, with the headers Stripe sends. */
function requestOf(body: Buffer, order: LivesOrder, second: number): Buffer {
  const signature = createHmac('sha256', order.secret).update(`${second}.`).update(body).digest('hex')
  const head = [
    `POST ${order.path} HTTP/1.1`,
    'host: 127.0.0.1',
    'accept: */*; q=0.5, application/xml',
    'cache-control: no-cache',
    'user-agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    'content-type: application/json; charset=utf-8',
    `content-length: ${body.length}`,
    `stripe-signature: t=${second},v1=${signature}`,
    '\r\n',
  ].join('\r\n')
  return Buffer.concat([Buffer.from(head), body])
}
