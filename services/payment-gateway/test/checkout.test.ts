import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  call,
  eventually,
  freePort,
  payAtSandbox,
  SERVICE_TOKEN,
  startPlatform,
  tokenOf,
} from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform()
})
after(() => platform.stop())

type SandboxSession = {
  id: string
  status: string
  amount_total: number
  currency: string
  success_url: string
  cancel_url: string
  client_reference_id: string
  metadata: Record<string, string>
  customer_email: string | null
}

async function sessionsAtSandbox(bookingId: string, at = platform): Promise<SandboxSession[]> {
  const response = await fetch(`${at.sandbox.url}/v1/checkout/sessions?limit=100`, {
    headers: { authorization: 'Bearer sk_test_platform' },
  })
  const { data } = (await response.json()) as { data: SandboxSession[] }
  return data.filter((session) => session.metadata['booking_id'] === bookingId)
}

const open = (bookingId: string, more: Record<string, unknown> = {}) =>
  call(platform, 'POST', '/sessions', { body: { bookingId, ...more } })

describe('POST /sessions answers 200', () => {
  it("opens a session for the booking's own price, with our ids on it and the lesson's return pages", async () => {
    const booking = platform.addBooking({ amountMinor: 25_800, customerEmail: 'ana@example.com' })
    const { status, body } = await open(booking.id)
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body.data).sort(), [
      'checkoutUrl',
      'expiresAt',
      'paymentId',
      'sessionId',
      'statusToken',
      'statusUrl',
    ])
    const [session] = await sessionsAtSandbox(booking.id)
    assert.equal(session?.id, body.data['sessionId'])
    assert.equal(session?.amount_total, 25_800)
    assert.equal(session?.currency, 'eur')
    assert.equal(session?.client_reference_id, body.data['paymentId'])
    assert.equal(session?.metadata['payment_id'], body.data['paymentId'])
    assert.ok(session?.metadata['attempt_id'])
    assert.equal(
      session?.success_url,
      `http://localhost:5173/payment-success?session_id={CHECKOUT_SESSION_ID}&booking_id=${booking.id}`,
    )
    assert.equal(session?.cancel_url, `http://localhost:5173/payment-cancel?booking_id=${booking.id}`)
    assert.equal(session?.customer_email, 'ana@example.com')
  })

  it('returns the open session when asked again, also by a double click', async () => {
    const booking = platform.addBooking()
    const answers = await Promise.all(Array.from({ length: 8 }, () => open(booking.id)))
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array.from({ length: 8 }, () => 200),
    )
    assert.equal(new Set(answers.map(({ body }) => body.data['sessionId'])).size, 1)
    assert.equal((await open(booking.id)).body.data['sessionId'], answers[0]?.body.data['sessionId'])
    assert.equal((await sessionsAtSandbox(booking.id)).length, 1)
  })

  it('takes the amount and currency of the lesson where they agree with the booking', async () => {
    const booking = platform.addBooking({ amountMinor: 1999 })
    assert.equal(
      (
        await open(booking.id, {
          amount: 19.99,
          currency: 'EUR',
          tourName: 'Kayak',
          customerEmail: 'a@example.com',
        })
      ).status,
      200,
    )
    const yen = platform.addBooking({ amountMinor: 12_950, currency: 'jpy' })
    assert.equal((await open(yen.id, { amount: 12_950, currency: 'jpy' })).status, 200)
    assert.equal((await sessionsAtSandbox(yen.id))[0]?.amount_total, 12_950)
  })

  it('expires the old session and opens another when the price changed', async () => {
    const booking = platform.addBooking()
    const first = await open(booking.id)
    booking.amountMinor = 15_000
    const second = await open(booking.id)
    assert.equal(second.status, 200)
    assert.notEqual(second.body.data['sessionId'], first.body.data['sessionId'])
    const sessions = await sessionsAtSandbox(booking.id)
    assert.deepEqual(
      sessions.map(({ status, amount_total: total }) => [status, total]),
      [
        ['open', 15_000],
        ['expired', 12_900],
      ],
    )
  })

  it('opens another session after the first one expired at Stripe', async () => {
    const booking = platform.addBooking()
    const first = await open(booking.id)
    const sessionId = first.body.data['sessionId'] ?? ''
    await fetch(`${platform.sandbox.url}/v1/checkout/sessions/${sessionId}/expire`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_platform' },
    })
    await eventually(
      'the expiry',
      async () =>
        (await call(platform, 'GET', `/payments/${booking.id}/status`)).body.data['status'] === 'expired',
    )
    const second = await open(booking.id)
    assert.equal(second.status, 200)
    assert.notEqual(second.body.data['sessionId'], sessionId)
  })

  it('keeps the session open after a decline: the payer tries again on the same one', async () => {
    const booking = platform.addBooking()
    const first = await open(booking.id)
    const sessionId = first.body.data['sessionId'] ?? ''
    await payAtSandbox(platform, sessionId, '4000000000009995')
    const failed = await eventually('the decline', async () => {
      const { body } = await call(platform, 'GET', `/payments/${booking.id}/status`)
      return body.data['status'] === 'failed' && body.data
    })
    assert.equal(failed['errorCode'], 'insufficient_funds')
    assert.equal((await call(platform, 'GET', `/sessions/${sessionId}/verify`)).body.data['status'], 'open')
    assert.equal((await open(booking.id)).body.data['sessionId'], sessionId)
    assert.equal((await payAtSandbox(platform, sessionId)).outcome, 'paid')
    await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length === 1)
  })

  it('finishes what a crash left between the stored attempt and Stripe, without a second session', async () => {
    const booking = platform.addBooking()
    const first = await open(booking.id)
    // As after a kill -9 between Stripe's answer and our commit: the attempt is stored, its session is not.
    await platform.pool.query(
      "update payment_attempts set state = 'creating', session_id = null, checkout_url = null, expires_at = null where session_id = $1",
      [first.body.data['sessionId']],
    )
    const second = await open(booking.id)
    assert.equal(second.body.data['sessionId'], first.body.data['sessionId'])
    assert.equal((await sessionsAtSandbox(booking.id)).length, 1)
  })
})

describe('POST /sessions answers 400', () => {
  it('names the field that is wrong', async () => {
    for (const [body, field] of [
      [{}, 'body.bookingId'],
      [{ bookingId: 5 }, 'body.bookingId'],
      [{ bookingId: '../admin' }, 'body.bookingId'],
      [{ bookingId: 'x', amount: '12' }, 'body.amount'],
      [{ bookingId: 'x', amount: -1 }, 'body.amount'],
      [{ bookingId: 'x', currency: 'euro' }, 'body.currency'],
      [{ bookingId: 'x', customerEmail: 'nobody' }, 'body.customerEmail'],
    ] as const) {
      const answer = await call(platform, 'POST', '/sessions', { body })
      assert.equal(answer.status, 400)
      assert.equal(answer.body.error.code, 'VALIDATION_ERROR')
      assert.match(answer.body.error.message, new RegExp(`^${field}`), JSON.stringify(body))
      assert.equal(answer.headers.get('x-request-id'), answer.body.error.requestId)
    }
  })
})

describe('POST /sessions answers 401', () => {
  it('refuses no token, a foreign token, an unsigned token, an expired one', async () => {
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"cus_ana","exp":9999999999}').toString('base64url')}.`
    const { id } = platform.addBooking()
    const answers = [
      await call(platform, 'POST', '/sessions', { body: { bookingId: id }, as: null }),
      await call(platform, 'POST', '/sessions', { body: { bookingId: id }, bearer: 'nonsense' }),
      await call(platform, 'POST', '/sessions', { body: { bookingId: id }, bearer: unsigned }),
    ]
    for (const answer of answers) {
      assert.equal(answer.status, 401)
      assert.equal(answer.body.error.code, 'UNAUTHENTICATED')
    }
  })

  it('before it looks at what is asked', async () => {
    const body = { nonsense: true }
    for (const path of ['/sessions', '/payments', '/payments/bkg_1/refunds'])
      assert.equal((await call(platform, 'POST', path, { body, as: null })).status, 401, path)
  })
})

describe('POST /sessions answers 404', () => {
  it("for a booking that does not exist, and just the same for somebody else's", async () => {
    const foreign = platform.addBooking({ customerId: 'cus_bob' })
    const unknown = await open('bkg_unknown')
    const other = await open(foreign.id)
    assert.equal(unknown.status, 404)
    assert.equal(other.status, 404)
    assert.deepEqual(other.body.error.message, unknown.body.error.message)
    assert.equal((await sessionsAtSandbox(foreign.id)).length, 0)
  })

  it('lets an operator and a service open it for the customer', async () => {
    const booking = platform.addBooking({ customerId: 'cus_bob' })
    assert.equal(
      (await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id }, bearer: SERVICE_TOKEN }))
        .status,
      200,
    )
  })
})

describe('POST /sessions answers 409', () => {
  it('AMOUNT_MISMATCH when the browser names another price, and creates nothing', async () => {
    const booking = platform.addBooking({ amountMinor: 1999 })
    for (const more of [
      { amount: 19.98 },
      { amount: 1999 },
      { amount: 19.999 },
      { currency: 'usd' },
      { amount: 19.99, currency: 'jpy' },
    ]) {
      const answer = await open(booking.id, more)
      assert.equal(answer.status, 409)
      assert.equal(answer.body.error.code, 'AMOUNT_MISMATCH')
    }
    assert.equal((await sessionsAtSandbox(booking.id)).length, 0)
  })

  it('BOOKING_ALREADY_PAID once the money is there, whether the booking knows it or not', async () => {
    const booking = platform.addBooking()
    const { body } = await open(booking.id)
    await payAtSandbox(platform, body.data['sessionId'] ?? '')
    assert.equal((await open(booking.id)).body.error.code, 'BOOKING_ALREADY_PAID')
    assert.equal(
      (await open(platform.addBooking({ status: 'confirmed' }).id)).body.error.code,
      'BOOKING_ALREADY_PAID',
    )
  })

  it('INVALID_STATE for a cancelled booking and for a price Stripe cannot charge', async () => {
    assert.equal(
      (await open(platform.addBooking({ status: 'cancelled' }).id)).body.error.code,
      'INVALID_STATE',
    )
    assert.equal((await open(platform.addBooking({ amountMinor: 49 }).id)).body.error.code, 'INVALID_STATE')
  })
})

describe('POST /sessions for a booking that was cancelled elsewhere', () => {
  it('leaves nothing that could still be paid: the session opened before is expired', async () => {
    const booking = platform.addBooking()
    const first = (await open(booking.id)).body.data
    booking.status = 'cancelled'
    const answer = await open(booking.id)
    assert.equal(answer.status, 409)
    assert.equal(answer.body.error.code, 'INVALID_STATE')
    assert.deepEqual(
      (await sessionsAtSandbox(booking.id)).map(({ id, status }) => [id, status]),
      [[first['sessionId'], 'expired']],
    )
    const status = await call(platform, 'GET', `/payments/${booking.id}/status`)
    assert.equal(status.body.data['status'], 'canceled')
    assert.equal((await open(booking.id)).body.error.code, 'INVALID_STATE')
  })

  it("touches nobody else's: who may not see the booking ends no session of it", async () => {
    const booking = platform.addBooking()
    await open(booking.id)
    booking.status = 'cancelled'
    const stranger = await call(platform, 'POST', '/sessions', {
      body: { bookingId: booking.id },
      bearer: await tokenOf('cus_stranger'),
    })
    assert.equal(stranger.status, 404)
    assert.equal((await sessionsAtSandbox(booking.id))[0]?.status, 'open')
  })

  it('is answered the same while Stripe is away', async () => {
    const cut = await startPlatform()
    try {
      const booking = cut.addBooking()
      const opened = await call(cut, 'POST', '/sessions', { body: { bookingId: booking.id } })
      assert.equal(opened.status, 200)
      booking.status = 'cancelled'
      await cut.sandbox.stop()
      const answer = await call(cut, 'POST', '/sessions', { body: { bookingId: booking.id } })
      assert.equal(answer.body.error.code, 'INVALID_STATE')
    } finally {
      await cut.stop()
    }
  })
})

describe('POST /sessions answers 503', () => {
  it('with nothing created while Stripe or the booking service is away, and works once they are back', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`
    const noStripe = await startPlatform({ env: { STRIPE_API_BASE: nowhere } })
    const noBooking = await startPlatform({ env: { BOOKING_SERVICE_URL: nowhere } })
    try {
      const first = await call(noStripe, 'POST', '/sessions', {
        body: { bookingId: noStripe.addBooking().id },
      })
      assert.equal(first.status, 503)
      assert.equal(first.body.error.code, 'STRIPE_UNAVAILABLE')
      assert.equal(first.headers.get('retry-after'), '2')
      const second = await call(noBooking, 'POST', '/sessions', {
        body: { bookingId: noBooking.addBooking().id },
      })
      assert.equal(second.status, 503)
      assert.equal(second.body.error.code, 'BOOKING_SERVICE_UNAVAILABLE')
      const { rows } = await noBooking.pool.query('select from payments')
      assert.equal(rows.length, 0)
    } finally {
      await noStripe.stop()
      await noBooking.stop()
    }
  })
})

describe('POST /sessions/:id/cancel', () => {
  it('really expires the session, says canceled, and lets the customer begin anew', async () => {
    const booking = platform.addBooking()
    const sessionId = (await open(booking.id)).body.data['sessionId'] ?? ''
    const canceled = await call(platform, 'POST', `/sessions/${sessionId}/cancel`, { body: {} })
    assert.equal(canceled.status, 200)
    assert.equal(canceled.body.data['status'], 'canceled')
    assert.equal((await sessionsAtSandbox(booking.id))[0]?.status, 'expired')
    assert.equal(
      (await call(platform, 'POST', `/sessions/${sessionId}/cancel`, { body: {} })).body.data['status'],
      'canceled',
    )
    assert.notEqual((await open(booking.id)).body.data['sessionId'], sessionId)
  })

  it('says succeeded when the payer paid meanwhile, even if no webhook told so yet', async () => {
    const deaf = await startPlatform({ webhooks: false })
    try {
      const booking = deaf.addBooking()
      const { body } = await call(deaf, 'POST', '/sessions', { body: { bookingId: booking.id } })
      await payAtSandbox(deaf, body.data['sessionId'] ?? '')
      const answer = await call(deaf, 'POST', `/sessions/${body.data['sessionId']}/cancel`, { body: {} })
      assert.equal(answer.body.data['status'], 'succeeded')
      await eventually('the confirmation', () => deaf.booking.toldOf(booking.id).length === 1)
    } finally {
      await deaf.stop()
    }
  })

  it('stands in the audit log, once, when it was an operator or a service; what the payer gives up does not', async () => {
    const bearers = { cus_operator: await tokenOf('cus_operator', ['operator']), service: SERVICE_TOKEN }
    for (const [actor, bearer] of Object.entries({ ...bearers, cus_ana: await tokenOf('cus_ana') })) {
      const booking = platform.addBooking()
      const sessionId = (await open(booking.id)).body.data['sessionId'] ?? ''
      const answers = await Promise.all(
        [1, 2, 3].map(() => call(platform, 'POST', `/sessions/${sessionId}/cancel`, { body: {}, bearer })),
      )
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200],
      )
      const { rows } = await platform.pool.query<Record<string, unknown>>(
        'select actor, action, before, after from audit_log where subject = $1 and payment_id is not null',
        [booking.id],
      )
      const told = rows.map(({ before, ...entry }) => ({ ...entry, ...(before as Record<string, unknown>) }))
      // Of three at once, one may look when another has had the session expired already.
      const status = told[0]?.['status'] === 'expired' ? 'expired' : 'pending'
      const entry = { actor, action: 'session.canceled', sessionId, status, after: { status: 'canceled' } }
      assert.deepEqual(told, actor in bearers ? [entry] : [])
    }
  })

  it("is 404 for somebody else's session", async () => {
    const sessionId = (await open(platform.addBooking().id)).body.data['sessionId'] ?? ''
    assert.equal(
      (await call(platform, 'POST', `/sessions/${sessionId}/cancel`, { body: {}, as: 'cus_bob' })).status,
      404,
    )
  })
})

describe('POST /payments', () => {
  it('opens one PaymentIntent for the price, and the same one when asked again', async () => {
    const booking = platform.addBooking({ amountMinor: 1999 })
    const first = await call(platform, 'POST', '/payments', { body: { bookingId: booking.id } })
    assert.equal(first.status, 200)
    assert.equal(first.body.data['amountMinor'], 1999)
    assert.equal(first.body.data['amount'], 19.99)
    assert.equal(first.body.data['currency'], 'eur')
    assert.match(first.body.data['clientSecret'] ?? '', /^pi_.*_secret_/)
    const second = await call(platform, 'POST', '/payments', { body: { bookingId: booking.id } })
    assert.equal(second.body.data['paymentIntentId'], first.body.data['paymentIntentId'])
    const { rows } = await platform.pool.query(
      'select 1 from payment_attempts a join payments p on p.id = a.payment_id where p.booking_id = $1',
      [booking.id],
    )
    assert.equal(rows.length, 1)
  })

  it('confirms the booking when the intent succeeds', async () => {
    const booking = platform.addBooking()
    const { body } = await call(platform, 'POST', '/payments', { body: { bookingId: booking.id } })
    const response = await fetch(
      `${platform.sandbox.url}/v1/payment_intents/${body.data['paymentIntentId']}/confirm`,
      {
        method: 'POST',
        headers: {
          authorization: 'Bearer sk_test_platform',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'payment_method=pm_card_visa&return_url=http%3A%2F%2Flocalhost%2Fback',
      },
    )
    assert.equal(response.status, 200)
    await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length === 1)
    assert.equal(
      (await call(platform, 'POST', '/payments', { body: { bookingId: booking.id } })).body.error.code,
      'BOOKING_ALREADY_PAID',
    )
  })
})

describe('POST /payments, a day later', () => {
  let later: Platform
  before(async () => {
    later = await startPlatform()
  })
  after(() => later.stop())
  const control = (path: string, body: unknown) =>
    fetch(`${later.sandbox.url}/_sandbox/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const ask = (bookingId: string) => call(later, 'POST', '/payments', { body: { bookingId } })

  it('does not go on with what was never finished: Stripe has forgotten its key', async () => {
    const booking = later.addBooking()
    const fault = { on: 'api', route: 'POST /v1/payment_intents', fault: 'reset_before', times: 9 }
    await control('faults', { seed: 1, rules: [fault] })
    assert.equal((await ask(booking.id)).status, 503)
    await control('faults', { seed: 1, rules: [] })
    await later.pool.query("update payment_attempts set created_at = now() - interval '25 hours'")
    assert.equal((await ask(booking.id)).status, 200)
    const { rows } = await later.pool.query(
      'select number, state, closed_because from payment_attempts order by number',
    )
    assert.deepEqual(rows, [
      { number: 1, state: 'closed', closed_because: 'never finished' },
      { number: 2, state: 'open', closed_because: null },
    ])
  })

  it('brings the same PaymentIntent back, although Stripe has forgotten its key, and another when it is over', async () => {
    const booking = later.addBooking()
    const { body: first } = await ask(booking.id)
    await control('clock/advance', { seconds: 25 * 3600 })
    const { status, body: again } = await ask(booking.id)
    assert.equal(status, 200)
    assert.equal(again.data['paymentIntentId'], first.data['paymentIntentId'])
    assert.equal(again.data['clientSecret'], first.data['clientSecret'])
    await fetch(`${later.sandbox.url}/v1/payment_intents/${first.data['paymentIntentId']}/cancel`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_platform' },
    })
    const { body: anew } = await ask(booking.id)
    assert.match(anew.data['paymentIntentId'] ?? '', /^pi_/)
    assert.notEqual(anew.data['paymentIntentId'], first.data['paymentIntentId'])
  })
})
