import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { call, eventually, payAtSandbox, SERVICE_TOKEN, startPlatform } from './platform.ts'
import type { Answer, Platform } from './platform.ts'

// Whatever Stripe does to a call, the payer ends with one payable page, one charge and, where asked, one refund.
let platform: Platform
before(async () => {
  platform = await startPlatform({ sandbox: { settings: { redirectWaitMs: 500 } } })
})
after(() => platform.stop())

const FAULTS = [
  'rate_limit',
  'lock_timeout',
  'conflict',
  'error_before',
  'error_after',
  'reset_before',
  'reset_after',
  'truncate',
] as const

async function strike(route: string, fault: string, times: number): Promise<void> {
  await setFaults([{ on: 'api', route, fault, times }])
}

async function setFaults(rules: readonly Record<string, unknown>[]): Promise<void> {
  const response = await fetch(`${platform.sandbox.url}/_sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ seed: 1, rules }),
  })
  assert.equal(response.status, 200)
}

async function atSandbox<T>(path: string): Promise<T[]> {
  const response = await fetch(`${platform.sandbox.url}/v1/${path}`, {
    headers: { authorization: 'Bearer sk_test_platform' },
  })
  return ((await response.json()) as { data: T[] }).data
}

async function openSessionsOf(bookingId: string): Promise<string[]> {
  const sessions = await atSandbox<{ id: string; status: string; metadata: Record<string, string> }>(
    'checkout/sessions?limit=100',
  )
  return sessions
    .filter(({ status, metadata }) => status === 'open' && metadata['booking_id'] === bookingId)
    .map(({ id }) => id)
}

/** Asks again as a payer would, until it works; every refusal on the way must be an honest 503. */
async function untilAnswered(ask: () => Promise<Answer>): Promise<Answer> {
  return eventually('an answer', async () => {
    const answer = await ask()
    if (answer.status === 200) return answer
    assert.equal(answer.status, 503, JSON.stringify(answer.body))
    assert.equal(answer.body.error.code, 'STRIPE_UNAVAILABLE')
    return null
  })
}

describe('opening a session while Stripe fails', () => {
  for (const fault of FAULTS)
    for (const times of [1, 4])
      it(`${fault}, ${times} time${times === 1 ? '' : 's'}: one payable session, one confirmation`, async () => {
        const booking = platform.addBooking()
        await strike('POST /v1/checkout/sessions', fault, times)
        const answer = await untilAnswered(() =>
          call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } }),
        )
        const sessionId = answer.body.data['sessionId'] ?? ''
        assert.deepEqual(await openSessionsOf(booking.id), [sessionId])
        assert.equal((await payAtSandbox(platform, sessionId)).outcome, 'paid')
        await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length === 1)
        const { rows } = await platform.pool.query(
          "select count(*)::int as live from payment_attempts a join payments p on p.id = a.payment_id where p.booking_id = $1 and a.state <> 'closed'",
          [booking.id],
        )
        assert.deepEqual(rows, [{ live: 0 }])
      })
})

describe('replacing an intent by a session while Stripe fails', () => {
  for (const fault of ['lock_timeout', 'rate_limit', 'conflict', 'error_before', 'reset_before'])
    it(`${fault}: no session is opened while the intent may still be paid`, async () => {
      const { id: bookingId } = platform.addBooking()
      const { body } = await call(platform, 'POST', '/payments', { body: { bookingId } })
      const intentId = body.data['paymentIntentId'] ?? ''
      await strike(`POST /v1/payment_intents/${intentId}/cancel`, fault, 100)
      const refused = await call(platform, 'POST', '/sessions', { body: { bookingId } })
      assert.deepEqual([refused.status, refused.body.error.code], [503, 'STRIPE_UNAVAILABLE'])
      assert.deepEqual(await openSessionsOf(bookingId), [])
      await setFaults([])
      const opened = await call(platform, 'POST', '/sessions', { body: { bookingId } })
      assert.deepEqual(await openSessionsOf(bookingId), [opened.body.data['sessionId']])
      const intents = await atSandbox<{ id: string; status: string }>('payment_intents?limit=100')
      assert.equal(intents.find(({ id }) => id === intentId)?.status, 'canceled')
    })
})

describe('refunding while Stripe fails', () => {
  for (const fault of FAULTS)
    it(`${fault}: one refund`, async () => {
      await setFaults([])
      const booking = platform.addBooking()
      const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
      await payAtSandbox(platform, body.data['sessionId'] ?? '')
      await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length === 1)
      await strike('POST /v1/refunds', fault, 4)
      const headers = { 'idempotency-key': randomUUID() }
      const ask = () =>
        call(platform, 'POST', `/payments/${booking.id}/refunds`, {
          body: { amountMinor: 5000 },
          bearer: SERVICE_TOKEN,
          headers,
        })
      const answer = await untilAnswered(ask)
      assert.equal(answer.body.data['amountMinor'], 5000)
      const intent = platform.booking.toldOf(booking.id)[0]?.paymentIntentId ?? ''
      const refunds = await atSandbox<{ amount: number }>(`refunds?payment_intent=${intent}`)
      assert.deepEqual(
        refunds.map(({ amount }) => amount),
        [5000],
      )
    })
})

describe('verifying and giving up while Stripe fails', () => {
  it('answers from what is known, heals at the next look, and gives nothing up that it cannot expire', async () => {
    const deaf = await startPlatform({ webhooks: false })
    try {
      const booking = deaf.addBooking()
      const { body } = await call(deaf, 'POST', '/sessions', { body: { bookingId: booking.id } })
      const sessionId = body.data['sessionId'] ?? ''
      await fetch(`${deaf.sandbox.url}/_sandbox/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ seed: 1, rules: [{ on: 'api', route: '*', fault: 'reset_before' }] }),
      })
      assert.equal((await call(deaf, 'GET', `/sessions/${sessionId}/verify`)).body.data['status'], 'open')
      const refused = await call(deaf, 'POST', `/sessions/${sessionId}/cancel`, { body: {} })
      assert.deepEqual([refused.status, refused.body.error.code], [503, 'STRIPE_UNAVAILABLE'])
      assert.equal((await call(deaf, 'GET', `/payments/${booking.id}/status`)).body.data['status'], 'pending')
      await fetch(`${deaf.sandbox.url}/_sandbox/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"rules":[]}',
      })
      const canceled = await call(deaf, 'POST', `/sessions/${sessionId}/cancel`, { body: {} })
      assert.equal(canceled.body.data['status'], 'canceled')
    } finally {
      await deaf.stop()
    }
  })
})

describe('a fraud warning', () => {
  it('that is heard of before its payment is raised all the same, and is no dead letter', async () => {
    await setFaults(
      ['payment_intent.*', 'checkout.*', 'charge.*'].map((type) => ({ on: 'webhook', type, fault: 'drop' })),
    )
    const { id: bookingId } = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId } })
    await payAtSandbox(platform, body.data['sessionId'] ?? '', '4000000000005423')
    await eventually('the incident', async () => {
      const { rows } = await platform.pool.query(
        `select from incidents i join payments p on p.id = i.payment_id
         where i.kind = 'early_fraud_warning' and p.booking_id = $1`,
        [bookingId],
      )
      return rows.length === 1
    })
    const { rows: held } = await platform.pool.query("select id from stripe_events where status = 'failed'")
    assert.deepEqual(held, [])
    await setFaults([])
  })
})
