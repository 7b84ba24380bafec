import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
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

describe('a key that Stripe does not accept for a while', () => {
  it('is no answer to what was asked: nothing is given up, and all of it works once the key is right', async () => {
    // In front of the sandbox, which takes any test key.
    let stripe = ''
    let refuses: number | null = null
    const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      if (refuses !== null) {
        const error = { type: 'invalid_request_error', message: 'Invalid API Key provided' }
        response.writeHead(refuses, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
        return
      }
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers
      const answer = await fetch(`${stripe}${request.url}`, {
        method: request.method ?? 'GET',
        headers: headers as Record<string, string>,
        ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
      })
      const body = Buffer.from(await answer.arrayBuffer())
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body)
    }
    const door = createServer((request, response) => void serve(request, response))
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
    const address = door.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const locked = await startPlatform({ env: { STRIPE_API_BASE: `http://127.0.0.1:${port}` } })
    stripe = locked.sandbox.url
    try {
      const open = (bookingId: string) => call(locked, 'POST', '/sessions', { body: { bookingId } })
      const [waiting, paid, wanted] = [locked.addBooking(), locked.addBooking(), locked.addBooking()]
      const { body: session } = await open(waiting.id)
      await payAtSandbox(locked, (await open(paid.id)).body.data['sessionId'] ?? '')
      await eventually('the confirmation', () => locked.booking.toldOf(paid.id).length === 1)
      const refund = {
        body: { amountMinor: 500 },
        bearer: SERVICE_TOKEN,
        headers: { 'idempotency-key': 'one' },
      }
      const giveBack = () => call(locked, 'POST', `/payments/${paid.id}/refunds`, refund)
      for (const status of [401, 403]) {
        refuses = status
        for (const answer of [await open(wanted.id), await giveBack()])
          assert.deepEqual([answer.status, answer.body.error?.code], [503, 'STRIPE_UNAVAILABLE'])
        const reconcile = { body: { schedule: 'reconcile' }, bearer: SERVICE_TOKEN }
        assert.equal((await call(locked, 'POST', '/admin/reconciliation', reconcile)).status, 200)
      }
      refuses = null
      assert.equal((await giveBack()).status, 200)
      assert.equal((await open(wanted.id)).status, 200)
      assert.equal((await open(waiting.id)).body.data['sessionId'], session.data['sessionId'])
      const { rows } = await locked.pool.query("select from payment_attempts where state = 'closed'")
      assert.equal(rows.length, 1, 'the one that was paid')
    } finally {
      await locked.stop()
      door.closeAllConnections()
      await new Promise((resolve) => door.close(resolve))
    }
  })
})
