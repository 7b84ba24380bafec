import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { startBooking } from '../src/app.ts'
import { bookingConfig } from '../src/config.ts'
import { clientOf, dayFrom, environment, startService } from './running-service.ts'
import type { Answer, RunningService } from './running-service.ts'

const SHOP = 'http://localhost:5173'
const PATH = '/api/v1/auth/demo'
const DEMO = { AUTH_DEMO: 'on', AUTH_JWT_SECRET: undefined }

let service: RunningService

before(async () => {
  service = await startService(DEMO)
})
after(() => service.stop())

function signIn(body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return service.call('POST', PATH, { body, headers: { origin: SHOP, ...headers } })
}

/** The cookie of an answer as the browser sends it back. */
function cookieOf(answer: Answer): string {
  return answer.headers.get('set-cookie')?.split(';', 1)[0] ?? ''
}

describe('POST /api/v1/auth/demo', () => {
  it('signs anyone in with a token that the published keys verify, and that books a tour', async () => {
    const { status, body } = await signIn({ name: 'Ada' })
    assert.equal(status, 200)
    const { token, customerId } = body.data
    assert.match(customerId, /^cus_[0-9a-f]{32}$/)
    const jwks = await service.call('GET', '/.well-known/jwks.json')
    assert.ok(!jwks.text.includes('"d":'), 'the private half stays here')
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks.body))
    assert.equal(protectedHeader.alg, 'ES256')
    assert.deepEqual([payload.sub, payload['name'], payload['roles']], [customerId, 'Ada', []])
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 12 * 60 * 60)
    const order = { tourId: 'paris-after-dark', date: dayFrom(service.clock.now, 20), seats: 1 }
    const booked = await service.call('POST', '/api/v1/bookings', { token, body: order })
    assert.deepEqual([booked.status, booked.body.data.customerId], [201, customerId])
  })

  it('makes an operator of who asks for it, and of nobody else', async () => {
    const rolesOf = ({ body }: Answer) => decodeJwt(body.data.token)['roles']
    assert.deepEqual(rolesOf(await signIn({ role: 'operator' })), ['operator'])
    assert.deepEqual(rolesOf(await signIn({ role: 'customer' })), [])
    for (const role of ['admin', 1, null]) assert.equal((await signIn({ role })).status, 400)
  })

  it('knows the same browser again after a page load, by a cookie kept as a hash', async () => {
    const first = await signIn({ name: 'Ada', role: 'operator' })
    const cookie = cookieOf(first)
    assert.match(
      first.headers.get('set-cookie') ?? '',
      /; Path=\/api\/v1\/auth; Max-Age=2592000; HttpOnly; SameSite=Lax$/,
    )
    const again = await signIn({}, { cookie })
    assert.equal(again.body.data.customerId, first.body.data.customerId)
    assert.deepEqual(
      [decodeJwt(again.body.data.token)['name'], decodeJwt(again.body.data.token)['roles']],
      ['Ada', ['operator']],
    )
    assert.equal(cookieOf(again), cookie)
    const renamed = await signIn({ name: 'Grace', role: 'customer' }, { cookie })
    assert.equal(renamed.body.data.customerId, first.body.data.customerId)
    assert.equal(decodeJwt(renamed.body.data.token)['name'], 'Grace')
    const { rows } = await service.pool.query('select cookie_hash from demo_customers where id = $1', [
      first.body.data.customerId,
    ])
    assert.ok(!cookie.includes(rows[0].cookie_hash))
  })

  it('takes a name without the cookie, an unknown cookie or an old one for somebody new', async () => {
    const first = await signIn({ name: 'Ada' })
    const others = [await signIn({ name: 'Ada' }), await signIn({}, { cookie: 'passerelle_demo=guessed' })]
    const now = service.clock.now
    service.clock.now = new Date(now.getTime() + 30 * 24 * 60 * 60 * 1000)
    others.push(await signIn({}, { cookie: cookieOf(first) }))
    service.clock.now = now
    const ids = [first, ...others].map(({ body }) => body.data.customerId)
    assert.equal(new Set(ids).size, 4)
  })

  it('neither reads nor sets the cookie for a page of another origin', async () => {
    const first = await signIn({})
    for (const origin of ['http://localhost:9999', 'https://localhost:5173', 'null']) {
      const stolen = await signIn({}, { cookie: cookieOf(first), origin })
      assert.notEqual(stolen.body.data.customerId, first.body.data.customerId)
      assert.equal(stolen.headers.get('set-cookie'), null)
      assert.equal(stolen.headers.get('access-control-allow-origin'), null)
    }
    assert.equal(
      (await service.call('DELETE', PATH, { headers: { origin: 'http://localhost:9999' } })).status,
      403,
    )
  })

  it('lets the shop send the cookie, and forget it', async () => {
    const headers = { origin: SHOP, 'access-control-request-method': 'POST' }
    const preflight = await service.call('OPTIONS', PATH, { headers })
    assert.equal(preflight.headers.get('access-control-allow-credentials'), 'true')
    assert.equal(preflight.headers.get('access-control-allow-origin'), SHOP)
    const forgotten = await service.call('DELETE', PATH, { headers: { origin: SHOP } })
    assert.match(forgotten.headers.get('set-cookie') ?? '', /^passerelle_demo=; .*Max-Age=0/)
  })

  it('is fine without a body, and says what is wrong with a bad one', async () => {
    assert.equal((await service.call('POST', PATH)).status, 200)
    for (const name of ['', 'a\u0000b', 'x'.repeat(101), 7])
      assert.equal((await signIn({ name })).status, 400)
    const form = await service.call('POST', PATH, { body: '{}', headers: { 'content-type': 'text/plain' } })
    assert.deepEqual([form.status, form.body.error.code], [415, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  it('logs neither the token, nor the cookie, nor the name', async () => {
    const answer = await signIn({ name: 'Augusta-in-no-log' })
    const log = JSON.stringify(service.logLines)
    for (const secret of [answer.body.data.token, cookieOf(answer).split('=')[1] ?? '', 'Augusta-in-no-log'])
      assert.ok(!log.includes(secret))
  })
})

describe('the keys of the demo', () => {
  it('are made once by ten processes that start at once, and are the same after a restart', async () => {
    const fresh = await startService()
    try {
      const { AUTH_JWT_SECRET: _, ...env } = environment(fresh.databaseUrl)
      const config = bookingConfig({
        ...env,
        AUTH_DEMO: 'on',
        AUTH_ISSUER: 'the-demo',
        AUTH_AUDIENCE: 'the-shop',
      })
      const keysOf = async (url: string) => (await clientOf(url)('GET', '/.well-known/jwks.json')).text
      const started = await Promise.all(Array.from({ length: 10 }, () => startBooking(config, fresh.log)))
      const [first, second] = started
      assert.ok(first && second)
      const keys = await Promise.all(started.map(({ url }) => keysOf(url)))
      assert.equal(new Set(keys).size, 1)

      const { token } = (await clientOf(first.url)('POST', PATH)).body.data
      assert.deepEqual([decodeJwt(token).iss, decodeJwt(token).aud], ['the-demo', 'the-shop'])
      assert.equal((await clientOf(second.url)('GET', '/api/v1/bookings', { token })).status, 200)
      await Promise.all(started.map(({ stop }) => stop()))

      const restarted = await startBooking(config, fresh.log)
      assert.equal(await keysOf(restarted.url), keys[0])
      assert.equal((await clientOf(restarted.url)('GET', '/api/v1/bookings', { token })).status, 200)
      await restarted.stop()
    } finally {
      await fresh.stop()
    }
  })

  it('are not needed where AUTH_JWT_SECRET is set: it signs and verifies', async () => {
    const shared = await startService({ AUTH_DEMO: 'on' })
    try {
      const { token } = (await shared.call('POST', PATH, { body: {} })).body.data
      assert.equal((await shared.call('GET', '/api/v1/bookings', { token })).status, 200)
      assert.equal((await shared.call('GET', '/.well-known/jwks.json')).status, 404)
      const foreign = await signIn({})
      assert.equal(
        (await shared.call('GET', '/api/v1/bookings', { token: foreign.body.data.token })).status,
        401,
      )
    } finally {
      await shared.stop()
    }
  })
})

describe('without AUTH_DEMO', () => {
  it('nobody is signed in: the address does not exist', async () => {
    const real = await startService()
    try {
      for (const method of ['POST', 'DELETE']) {
        const { status, body } = await real.call(method, PATH, method === 'POST' ? { body: {} } : {})
        assert.deepEqual([status, body.error.code], [404, 'NOT_FOUND'])
      }
    } finally {
      await real.stop()
    }
  })
})
