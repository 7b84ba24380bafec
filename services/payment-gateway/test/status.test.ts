import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { call, eventually, payAtSandbox, SERVICE_TOKEN, startPlatform, tokenOf } from './platform.ts'
import type { Platform } from './platform.ts'

let deaf: Platform
before(async () => {
  // No webhook ever arrives here: what is known is known by asking.
  deaf = await startPlatform({ webhooks: false })
})
after(() => deaf.stop())

type Open = { bookingId: string; sessionId: string; statusToken: string }

async function openSession(): Promise<Open> {
  const booking = deaf.addBooking()
  const { body } = await call(deaf, 'POST', '/sessions', { body: { bookingId: booking.id } })
  return {
    bookingId: booking.id,
    sessionId: body.data['sessionId'] ?? '',
    statusToken: body.data['statusToken'] ?? '',
  }
}

describe('GET /sessions/:id/verify', () => {
  it('confirms the booking all by itself when every webhook is lost', async () => {
    const { bookingId, sessionId } = await openSession()
    const before = await call(deaf, 'GET', `/sessions/${sessionId}/verify`)
    assert.deepEqual(
      [before.status, before.body.data['status'], before.body.data['paymentStatus']],
      [200, 'open', 'pending'],
    )
    await payAtSandbox(deaf, sessionId)
    const paid = await eventually('verify to say complete', async () => {
      const { body } = await call(deaf, 'GET', `/sessions/${sessionId}/verify`)
      return body.data['status'] === 'complete' && body.data
    })
    assert.deepEqual(Object.keys(paid).sort(), [
      'amount',
      'amountMinor',
      'bookingId',
      'currency',
      'duplicate',
      'paidAt',
      'paymentStatus',
      'sessionId',
      'status',
    ])
    assert.equal(paid['amount'], 129)
    assert.match(paid['paidAt'] ?? '', /^\d{4}-\d\d-\d\dT.*Z$/)
    await eventually('the confirmation', () => deaf.booking.toldOf(bookingId).length === 1)
    assert.equal(deaf.booking.toldOf(bookingId)[0]?.status, 'confirmed')
  })

  it('tells a decline, with the session still open', async () => {
    const { bookingId, sessionId } = await openSession()
    await payAtSandbox(deaf, sessionId, '4000000000009979')
    const { body } = await call(deaf, 'GET', `/sessions/${sessionId}/verify`)
    assert.deepEqual([body.data['status'], body.data['paymentStatus']], ['open', 'failed'])
    // The bank said "stolen card"; the payer never hears that.
    const status = await call(deaf, 'GET', `/payments/${bookingId}/status`)
    assert.deepEqual(
      [
        status.body.data['errorCode'],
        status.body.data['errorMessage'],
        // "Never again", with no reason, would tell as much.
        status.body.data['adviceCode'],
      ],
      ['generic_decline', 'Your card was declined.', null],
    )
  })

  it('tells what the bank advises after a refusal', async () => {
    for (const [card, errorCode, adviceCode] of [
      ['4000000000000002', 'generic_decline', 'try_again_later'],
      ['4000000000000069', 'expired_card', 'do_not_try_again'],
      ['4000000000000127', 'incorrect_cvc', 'confirm_card_data'],
    ]) {
      const { bookingId, sessionId } = await openSession()
      await payAtSandbox(deaf, sessionId, card)
      const { body } = await call(deaf, 'GET', `/payments/${bookingId}/verify`)
      assert.deepEqual([body.data['errorCode'], body.data['adviceCode']], [errorCode, adviceCode])
    }
  })

  it('asks Stripe at most once in a while, however often it is called', async () => {
    const { sessionId } = await openSession()
    const requests = async (): Promise<string> =>
      (
        await deaf.pool.query<{ at: string }>(
          'select checked_at::text as at from payment_attempts where session_id = $1',
          [sessionId],
        )
      ).rows[0]?.at ?? ''
    await call(deaf, 'GET', `/sessions/${sessionId}/verify`)
    const checkedAt = await requests()
    await Promise.all(Array.from({ length: 20 }, () => call(deaf, 'GET', `/sessions/${sessionId}/verify`)))
    assert.equal(await requests(), checkedAt)
  })

  it('answers from what is known while Stripe is away', async () => {
    const { sessionId } = await openSession()
    const { startGatewayWith } = await import('./platform.ts')
    const other = await startGatewayWith({ ...deaf.env, PORT: '0', STRIPE_API_BASE: 'http://127.0.0.1:9' })
    try {
      const { status, body } = await call({ gateway: other }, 'GET', `/sessions/${sessionId}/verify`)
      assert.deepEqual([status, body.data['status']], [200, 'open'])
    } finally {
      await other.stop()
    }
  })
})

describe('GET /payments/:bookingId/verify', () => {
  it('confirms a PaymentIntent whose webhooks are lost', async () => {
    const booking = deaf.addBooking()
    const { body } = await call(deaf, 'POST', '/payments', { body: { bookingId: booking.id } })
    const answer = await fetch(
      `${deaf.sandbox.url}/v1/payment_intents/${body.data['paymentIntentId']}/confirm`,
      {
        method: 'POST',
        headers: { authorization: 'Bearer sk_test_x' },
        body: new URLSearchParams({ payment_method: 'pm_card_visa' }),
      },
    )
    assert.equal(answer.status, 200)
    const paid = await eventually('verify to hear of it', async () => {
      const verified = await call(deaf, 'GET', `/payments/${booking.id}/verify`)
      return verified.body.data['status'] === 'succeeded' && verified.body.data
    })
    assert.equal(paid['bookingId'], booking.id)
    await eventually('the booking service to hear of it', () => deaf.booking.toldOf(booking.id).length === 1)
  })

  it('says what the payer still has to do for the bank', async () => {
    const { bookingId, sessionId } = await openSession()
    await payAtSandbox(deaf, sessionId, '4000002760003184')
    const { body } = await call(deaf, 'GET', `/payments/${bookingId}/verify`)
    assert.deepEqual([body.data['status'], body.data['nextAction']], ['pending', 'authenticate'])
  })

  it('says by when a bank debit should arrive', async () => {
    const { bookingId, sessionId } = await openSession()
    await payAtSandbox(deaf, sessionId, 'FR3020041010050500013M02609')
    const { body } = await call(deaf, 'GET', `/payments/${bookingId}/verify`)
    assert.equal(body.data['status'], 'processing')
    assert.match(body.data['expectedBy'] ?? '', /^\d{4}-\d\d-\d\d$/)
  })
})

describe('a booking that was paid, but whose seats are gone', () => {
  const payLost = async (env: Record<string, string>) => {
    const platform = await startPlatform({ env })
    const booking = platform.addBooking({ overbooked: true })
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
    await payAtSandbox(platform, body.data['sessionId'] ?? '')
    const read = async () => (await call(platform, 'GET', `/payments/${booking.id}/status`)).body.data
    return { platform, read, bookingId: booking.id }
  }

  it('is told to the payer, to a person, and refunded once', async () => {
    const { platform, read, bookingId } = await payLost({})
    try {
      const told = await eventually('the refund', async () => {
        const data: Readonly<Record<string, unknown>> = await read()
        return data['status'] === 'refunded' && data
      })
      assert.equal(told['bookingLost'], true)
      const { rows: incidents } = await platform.pool.query<{ subject: string }>(
        "select subject from incidents where kind = 'booking_lost'",
      )
      assert.deepEqual(incidents, [{ subject: bookingId }])
      const { rows: refunds } = await platform.pool.query('select from refunds')
      assert.equal(refunds.length, 1)
    } finally {
      await platform.stop()
    }
  })

  it('is refunded what is left while a part is still on its way back', async () => {
    const platform = await startPlatform({ sandbox: { settings: { refundSettledDelayMs: 500 } } })
    try {
      const booking = platform.addBooking({ amountMinor: 10_000, overbooked: true })
      platform.booking.misbehave(503)
      const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
      await payAtSandbox(platform, body.data['sessionId'] ?? '', '4000000000007726')
      const read = async () => (await call(platform, 'GET', `/payments/${booking.id}/status`)).body.data
      await eventually('the money', async () => (await read())['status'] === 'succeeded')
      const part = await call(platform, 'POST', `/payments/${booking.id}/refunds`, {
        body: { amountMinor: 4000 },
        bearer: SERVICE_TOKEN,
      })
      assert.equal(part.body.data['status'], 'pending')
      platform.booking.misbehave(null)
      await eventually('all of it to be given back', async () => (await read())['status'] === 'refunded')
      const { rows } = await platform.pool.query('select amount_minor::int as sum from refunds order by 1')
      assert.deepEqual(rows, [{ sum: 4000 }, { sum: 6000 }])
    } finally {
      await platform.stop()
    }
  })

  it('keeps the money where a person decides', async () => {
    const { platform, read } = await payLost({ REFUND_LOST_BOOKINGS: 'off' })
    try {
      const told = await eventually('the payer to be told', async () => {
        const data: Readonly<Record<string, unknown>> = await read()
        return data['bookingLost'] === true && data
      })
      assert.equal(told['status'], 'succeeded')
      const { rows: requests } = await platform.pool.query('select from refund_requests')
      assert.equal(requests.length, 0)
    } finally {
      await platform.stop()
    }
  })
})

describe('GET /payments/:bookingId/status', () => {
  it("answers with the contract's fields", async () => {
    const { bookingId } = await openSession()
    const { status, body } = await call(deaf, 'GET', `/payments/${bookingId}/status`)
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body.data).sort(), [
      'adviceCode',
      'amount',
      'amountMinor',
      'bookingId',
      'bookingLost',
      'currency',
      'errorCode',
      'errorMessage',
      'expectedBy',
      'nextAction',
      'paidAt',
      'refundedAmount',
      'refundedAmountMinor',
      'refundedAt',
      'status',
      'updatedAt',
      'version',
    ])
  })
})

describe('GET /payments/:bookingId/status, asked again', () => {
  const ask = async (path: string, tag: string | null) =>
    await fetch(`${deaf.gateway.url}/api/v1/payment-gateway${path}`, {
      headers: { origin: 'http://localhost:5173', ...(tag === null ? {} : { 'if-none-match': tag }) },
    })

  it('answers 304 without a body until something changes, to whoever may look', async () => {
    const { bookingId, sessionId, statusToken } = await openSession()
    const other = await openSession()
    for (const path of [
      `/payments/${bookingId}/status?token=${statusToken}`,
      `/status?token=${statusToken}`,
    ]) {
      const first = await ask(path, null)
      const tag = first.headers.get('etag') ?? ''
      assert.match(tag, /^W\/"\d+"$/)
      assert.match(first.headers.get('access-control-expose-headers') ?? '', /\bETag\b/)
      for (const named of [tag, tag.slice(2), `"other", ${tag}`, '*']) {
        const again = await ask(path, named)
        assert.deepEqual([again.status, await again.text(), again.headers.get('etag')], [304, '', tag], named)
        assert.notEqual(again.headers.get('x-request-id'), null)
      }
      for (const named of ['W/"0"', 'nonsense', '"', ''])
        assert.equal((await ask(path, named)).status, 200, named)
    }
    const foreign = `/payments/${bookingId}/status?token=${other.statusToken}`
    assert.equal((await ask(foreign, '*')).status, 404)
    const path = `/payments/${bookingId}/status?token=${statusToken}`
    const tag = (await ask(path, null)).headers.get('etag')
    await payAtSandbox(deaf, sessionId)
    await call(deaf, 'GET', `/payments/${bookingId}/verify`)
    const changed = await ask(path, tag)
    assert.equal(changed.status, 200)
    assert.notEqual(changed.headers.get('etag'), tag)
  })

  it('goes by the link when the sign-in beside it has run out, and by neither when both are worth nothing', async () => {
    const { bookingId, statusToken } = await openSession()
    const path = `/payments/${bookingId}/status`
    const bearer = 'of yesterday'
    assert.equal((await call(deaf, 'GET', `${path}?token=${statusToken}`, { bearer })).status, 200)
    assert.equal((await call(deaf, 'GET', `${path}?token=nonsense`, { bearer })).status, 404)
    assert.equal((await call(deaf, 'GET', path, { bearer })).status, 401)
  })

  it('lets the shop’s pages ask so', async () => {
    const answer = await fetch(`${deaf.gateway.url}/api/v1/payment-gateway/payments/bkg_1/status`, {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:5173', 'access-control-request-method': 'GET' },
    })
    assert.match(answer.headers.get('access-control-allow-headers') ?? '', /\bIf-None-Match\b/)
  })
})

describe('GET /payments/:bookingId/receipt', () => {
  async function paidWith(card: string): Promise<Open> {
    const open = await openSession()
    await payAtSandbox(deaf, open.sessionId, card)
    await call(deaf, 'GET', `/sessions/${open.sessionId}/verify`)
    return open
  }

  it('tells the owner what was paid with, and where Stripe’s receipt is', async () => {
    const { bookingId } = await paidWith('5555555555554444')
    for (const bearer of [await tokenOf('cus_ana'), await tokenOf('cus_op', ['operator']), SERVICE_TOKEN]) {
      const { status, body } = await call(deaf, 'GET', `/payments/${bookingId}/receipt`, { bearer })
      const { receiptUrl = '', ...rest } = body.data
      assert.equal(status, 200)
      assert.deepEqual(rest, { bookingId, method: 'card', brand: 'mastercard', last4: '4444' })
      assert.equal((await fetch(receiptUrl)).status, 200)
    }
  })

  it('is nobody else’s, above all not of whoever holds the status link', async () => {
    const { bookingId, statusToken } = await paidWith('4242424242424242')
    const path = `/payments/${bookingId}/receipt`
    const byLink = await call(deaf, 'GET', `${path}?token=${statusToken}`, { as: null })
    const foreign = await call(deaf, 'GET', path, { as: 'cus_bob' })
    const byLinkOfAnother = await call(deaf, 'GET', `${path}?token=${statusToken}`, { as: 'cus_bob' })
    assert.deepEqual([byLink.status, foreign.status, byLinkOfAnother.status], [401, 404, 404])
  })

  it('is not there before there is a payment, nor while Stripe is away', async () => {
    const { bookingId } = await openSession()
    const unpaid = await call(deaf, 'GET', `/payments/${bookingId}/receipt`)
    assert.deepEqual([unpaid.status, unpaid.body.error.code], [409, 'INVALID_STATE'])
    const paid = await paidWith('4242424242424242')
    const { startGatewayWith } = await import('./platform.ts')
    const other = await startGatewayWith({ ...deaf.env, PORT: '0', STRIPE_API_BASE: 'http://127.0.0.1:9' })
    try {
      const away = await call({ gateway: other }, 'GET', `/payments/${paid.bookingId}/receipt`)
      assert.deepEqual([away.status, away.body.error.code], [503, 'STRIPE_UNAVAILABLE'])
      assert.notEqual(away.headers.get('retry-after'), null)
    } finally {
      await other.stop()
    }
  })
})

describe('who may look', () => {
  const paths = ({ bookingId, sessionId }: Open): string[] => [
    `/payments/${bookingId}/status`,
    `/payments/${bookingId}/verify`,
    `/sessions/${sessionId}/verify`,
  ]

  it('the owner, an operator, a service, and the bearer of that status token', async () => {
    const mine = await openSession()
    const operator = await tokenOf('cus_operator', ['operator'])
    for (const path of paths(mine)) {
      assert.equal((await call(deaf, 'GET', path)).status, 200)
      assert.equal((await call(deaf, 'GET', path, { bearer: operator })).status, 200)
      assert.equal((await call(deaf, 'GET', path, { bearer: SERVICE_TOKEN })).status, 200)
      assert.equal((await call(deaf, 'GET', `${path}?token=${mine.statusToken}`, { as: null })).status, 200)
    }
  })

  it('nobody else: 401 without credentials, 404 as if it did not exist with those of another', async () => {
    const mine = await openSession()
    const other = await openSession()
    for (const path of paths(mine)) {
      assert.equal((await call(deaf, 'GET', path, { as: null })).status, 401)
      const foreign = await call(deaf, 'GET', path, { as: 'cus_bob' })
      const byOtherToken = await call(deaf, 'GET', `${path}?token=${other.statusToken}`, { as: null })
      const unknown = await call(
        deaf,
        'GET',
        path.replace(mine.bookingId, 'bkg_x').replace(mine.sessionId, 'cs_x'),
      )
      for (const answer of [foreign, byOtherToken, unknown]) {
        assert.equal(answer.status, 404)
        assert.equal(answer.body.error.message, unknown.body.error.message)
      }
    }
  })

  it('whoever gives a session up is told when that was, not when the payment had changed before', async () => {
    const { bookingId, sessionId } = await openSession()
    const before = (await call(deaf, 'GET', `/payments/${bookingId}/status`)).body.data
    const after = (await call(deaf, 'POST', `/sessions/${sessionId}/cancel`, { body: {} })).body.data
    assert.equal(after['status'], 'canceled')
    assert.ok(String(after['updatedAt']) > String(before['updatedAt']))
  })

  it('a status token opens its payment by itself, until it runs out', async () => {
    const { bookingId, statusToken } = await openSession()
    const open = (token: string) => call(deaf, 'GET', `/status?token=${token}`, { as: null })
    const first = await open(statusToken)
    assert.deepEqual([first.status, first.body.data['bookingId']], [200, bookingId])
    assert.equal((await call(deaf, 'GET', '/status', { as: null })).status, 400)
    assert.equal((await open(`${statusToken.slice(0, -1)}_`)).status, 404)
    await deaf.pool.query(
      `update status_tokens set expires_at = now()
       where payment_id = (select id from payments where booking_id = $1)`,
      [bookingId],
    )
    assert.equal((await open(statusToken)).status, 404)
    const path = `/payments/${bookingId}/status?token=${statusToken}`
    assert.equal((await call(deaf, 'GET', path, { as: null })).status, 404)
  })

  it('a status token may look and nothing else', async () => {
    const { bookingId, sessionId, statusToken } = await openSession()
    const ways: readonly [string, unknown][] = [
      [`/sessions/${sessionId}/cancel`, {}],
      ['/sessions', { bookingId }],
      [`/payments/${bookingId}/refunds`, { amountMinor: 1 }],
    ]
    for (const [path, body] of ways)
      assert.equal(
        (await call(deaf, 'POST', `${path}?token=${statusToken}`, { as: null, body })).status,
        401,
        path,
      )
  })

  it('keeps only the hash of a status token', async () => {
    const { statusToken } = await openSession()
    const { rows } = await deaf.pool.query('select from status_tokens where token_hash = $1', [statusToken])
    assert.equal(rows.length, 0)
  })
})

describe('health', () => {
  it('is ready beside a newer version that has migrated, and not ready on a schema older than the code', async () => {
    const get = async (path: string) => (await fetch(`${deaf.gateway.url}${path}`)).status
    assert.equal(await get('/healthz'), 200)
    assert.equal(await get('/readyz'), 200)
    await deaf.pool.query(
      "insert into schema_migrations (version, name, checksum) values (999, 'from the future', '')",
    )
    assert.equal(await get('/readyz'), 200)
    await deaf.pool.query('update schema_migrations set version = -version')
    assert.equal(await get('/readyz'), 503)
    assert.equal(await get('/healthz'), 200)
    await deaf.pool.query('update schema_migrations set version = -version')
    await deaf.pool.query('delete from schema_migrations where version = 999')
    assert.equal(await get('/readyz'), 200)
  })
})
