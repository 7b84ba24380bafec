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
      [status.body.data['errorCode'], status.body.data['errorMessage']],
      ['generic_decline', 'Your card was declined.'],
    )
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

describe('GET /payments/:bookingId/status', () => {
  it("answers with the contract's fields", async () => {
    const { bookingId } = await openSession()
    const { status, body } = await call(deaf, 'GET', `/payments/${bookingId}/status`)
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body.data).sort(), [
      'amount',
      'amountMinor',
      'bookingId',
      'currency',
      'errorCode',
      'errorMessage',
      'paidAt',
      'refundedAmount',
      'refundedAmountMinor',
      'status',
      'updatedAt',
      'version',
    ])
  })
})

describe('who may look', () => {
  const paths = ({ bookingId, sessionId }: Open): string[] => [
    `/payments/${bookingId}/status`,
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
