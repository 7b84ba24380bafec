// Events with a good signature that cannot be read: they must be kept, and be in nobody's way.
import { createHmac, randomUUID } from 'node:crypto'
import { askUntil, saysSomething } from './client.ts'
import type { Call } from './client.ts'
import { textAt } from './json.ts'
import { WEBHOOK_SECRET } from './platform.ts'
import type { Poison } from './plan.ts'
import type { Journey, World } from './world.ts'

const PATIENCE_MS = 60_000

/** Sends one until it is acknowledged; its id goes into the history. */
export async function sendPoison({ world, bookingId }: Journey, poison: Poison): Promise<void> {
  const id = `evt_poison_${randomUUID().replaceAll('-', '')}`
  const payload = payloadOf(poison, id, bookingId)
  const answered = await askUntil(
    webhookOf(world, payload),
    PATIENCE_MS,
    // A gateway whose clock is off takes no event; with the next one it is another matter.
    (it) => saysSomething(it) && !textAt(it.body, 'error').endsWith('Check the clocks.'),
  )
  world.history.actions.push({
    kind: 'poison',
    bookingId,
    atMs: Date.now(),
    about: id,
    askedMinor: null,
    answered,
  })
}

/** The delivery of an event by whoever has the secret. */
export function webhookOf({ gatewayUrl }: World, payload: string): Call {
  return {
    method: 'POST',
    url: `${gatewayUrl}/api/v1/payment-gateway/webhooks/stripe`,
    headers: { 'stripe-signature': signatureOf(payload) },
    body: JSON.parse(payload) as unknown,
  }
}

function payloadOf(poison: Poison, id: string, bookingId: string): string {
  const intent = {
    id: `pi_poison_${id.slice(-12)}`,
    object: 'payment_intent',
    amount: 1000,
    amount_received: 1000,
    currency: 'eur',
    livemode: false,
    status: 'succeeded',
    metadata: { booking_id: bookingId },
  }
  const event = {
    id,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    type: 'payment_intent.succeeded',
    data: { object: intent as Record<string, unknown> },
  }
  switch (poison) {
    case 'no_such_object':
      break
    case 'unknown_type':
      event.type = 'payment_intent.teleported'
      break
    case 'nul_in_metadata':
      event.data.object['metadata'] = { booking_id: 'bkg_\0', payment_id: 'pay_\ud800' }
      break
    case 'huge_amount':
      event.data.object['amount_received'] = 2 ** 60
      break
    case 'ancient_version':
      event.api_version = '2017-08-15'
      break
    case 'unknown_status':
      event.data.object['status'] = 'requires_patience'
      break
    default:
      poison satisfies never
  }
  return JSON.stringify(event)
}

function signatureOf(payload: string): string {
  const second = Math.floor(Date.now() / 1000)
  return `t=${second},v1=${createHmac('sha256', WEBHOOK_SECRET).update(`${second}.${payload}`).digest('hex')}`
}
