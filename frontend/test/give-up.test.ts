// Giving up a booking, as the payer's page does it, against the real gateway and the sandbox.
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { createClient } from '@passerelle/client'
import { payAtSandbox, startPlatform, tokenOf } from '../../services/payment-gateway/test/platform.ts'
import type { Platform } from '../../services/payment-gateway/test/platform.ts'
import { giveUpBooking } from '../src/payment/give-up.ts'
import type { GiveUpCalls } from '../src/payment/give-up.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform()
})
after(() => platform.stop())

type Payer = GiveUpCalls & {
  readonly freed: string[]
  readonly openIntent: (bookingId: string) => Promise<{ readonly paymentIntentId: string }>
}

function payer(): Payer {
  const freed: string[] = []
  const gateway = createClient({ gatewayUrl: platform.gateway.url, getToken: () => tokenOf('cus_ana') })
  return {
    freed,
    openSession: (bookingId) => gateway.call('POST /sessions', { body: { bookingId } }),
    openIntent: (bookingId) => gateway.call('POST /payments', { body: { bookingId } }),
    cancelSession: (sessionId) => gateway.call('POST /sessions/{sessionId}/cancel', { path: { sessionId } }),
    cancelBooking: async (bookingId) => void freed.push(bookingId),
  }
}

async function stateAtStripe(path: string): Promise<unknown> {
  const response = await fetch(`${platform.sandbox.url}/v1/${path}`, {
    headers: { authorization: `Bearer ${platform.env['STRIPE_SECRET_KEY']}` },
  })
  return ((await response.json()) as { status?: unknown }).status
}

it('ends the session at Stripe and frees the seats, after a refusal too', async () => {
  for (const card of [null, '4000000000000002']) {
    const { id } = platform.addBooking()
    const calls = payer()
    const { sessionId } = await calls.openSession(id)
    if (card !== null) await payAtSandbox(platform, sessionId, card)
    const payment = await giveUpBooking(calls, id, sessionId)
    assert.deepEqual([payment.status, calls.freed], ['canceled', [id]])
    assert.equal(await stateAtStripe(`checkout/sessions/${sessionId}`), 'expired')
  }
})

it('frees no seats while something else may still be paid for them: the card form of another tab is ended too', async () => {
  const { id } = platform.addBooking()
  const calls = payer()
  const { sessionId } = await calls.openSession(id)
  const { paymentIntentId } = await calls.openIntent(id)
  const payment = await giveUpBooking(calls, id, sessionId)
  assert.deepEqual([payment.status, calls.freed], ['canceled', [id]])
  assert.equal(await stateAtStripe(`payment_intents/${paymentIntentId}`), 'canceled')
})

it('leaves the seats to a payment that was faster', async () => {
  const { id } = platform.addBooking()
  const calls = payer()
  const { sessionId } = await calls.openSession(id)
  await payAtSandbox(platform, sessionId)
  assert.equal((await giveUpBooking(calls, id, sessionId)).status, 'succeeded')
  assert.deepEqual(calls.freed, [])
})
