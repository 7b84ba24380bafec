import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { createLog } from '@passerelle/kit/log'
import { createApp } from '../server/app.ts'
import { fr } from '../src/language/messages.fr.ts'
import { keyOf } from '../server/access-cookie.ts'
import { builtSite } from '../server/build-site.ts'
import { frontendConfig } from '../server/config.ts'

// Nobody answers there: what is tested here needs no gateway.
const GATEWAY_URL = 'http://127.0.0.1:9'
const log = createLog({ name: 'frontend', level: 'silent' })

async function appWith(env: Record<string, string>): Promise<FastifyInstance> {
  return await createApp(frontendConfig({ GATEWAY_URL, ...env }), {
    site: await builtSite(() => undefined),
    log,
  })
}

let server: FastifyInstance
before(async () => {
  server = await appWith({})
})
after(() => server.close())

const access = {
  bookingId: 'bkg_1',
  sessionId: 'cs_test_1',
  statusToken: 'a-status-token-of-some-length',
  expiresAt: '2026-11-24T11:00:00Z',
  tour: { name: 'Paris After Dark', date: '2027-06-12', seats: 2, timeZone: 'Europe/Paris' },
}
const post = (payload: object, headers: Record<string, string | undefined>) =>
  server.inject({ method: 'POST', url: '/payment-access', payload, headers })

async function keptCookie(): Promise<string> {
  const { headers } = await post(access, { 'sec-fetch-site': 'same-origin' })
  return String(headers['set-cookie']).split(';')[0] ?? ''
}

test('what opens a payment is kept for the pages of this site alone, where no script can read it', async () => {
  const kept = await post(access, { 'sec-fetch-site': 'same-origin' })
  assert.equal(kept.statusCode, 204)
  assert.match(String(kept.headers['set-cookie']), /; HttpOnly; SameSite=Lax/)
  assert.equal((await post(access, { origin: 'http://localhost:5173' })).statusCode, 204)
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    {},
  ]) {
    const refused = await post(access, headers)
    assert.equal(refused.statusCode, 403)
    assert.equal(refused.headers['set-cookie'], undefined)
  }
})

test('nonsense is refused', async () => {
  for (const change of [
    { bookingId: '../x' },
    { statusToken: 'short' },
    { expiresAt: 'tomorrow' },
    { tour: { ...access.tour, timeZone: '<script>' } },
  ]) {
    const answer = await post({ ...access, ...change }, { 'sec-fetch-site': 'same-origin' })
    assert.equal(answer.statusCode, 400, JSON.stringify(change))
  }
})

test('a return with ids leads to a page without them, with what Stripe adds to the address left behind', async () => {
  const cookie = await keptCookie()
  const query = 'session_id=cs_test_2&booking_id=bkg_1&payment_intent_client_secret=pi_1_secret_x&lang=fr'
  const answer = await server.inject({ url: `/payment-success?${query}`, headers: { cookie } })
  assert.equal(answer.statusCode, 303)
  assert.equal(answer.headers.location, `/payment-success?ref=${keyOf('bkg_1')}&lang=fr`)
  assert.equal(answer.headers['referrer-policy'], 'no-referrer')
})

test('while the gateway is away the page is there all the same, and looks again where no script runs', async () => {
  const cookie = await keptCookie()
  const answer = await server.inject({
    url: `/payment-success?ref=${keyOf('bkg_1')}`,
    headers: { cookie, 'accept-language': 'fr' },
  })
  assert.equal(answer.statusCode, 200)
  assert.match(answer.body, /<html lang="fr">/)
  assert.match(answer.body, /data-state="verifying"/)
  assert.match(answer.body, /<noscript><meta http-equiv="refresh"/)
  assert.match(answer.headers['cache-control'] as string, /no-store/)
})

test('a status link that cannot be read right now is asked for again, and its token goes nowhere', async () => {
  const answer = await server.inject({
    url: `/p/${'t'.repeat(43)}`,
    headers: { 'accept-language': 'fr' },
  })
  assert.deepEqual(
    [answer.statusCode, answer.headers['refresh'], answer.headers['retry-after']],
    [503, '5', '5'],
  )
  assert.match(
    answer.body,
    new RegExp(`<html lang="fr">.*<h1[^>]*>${fr.payment.unreadable.heading}</h1>`, 's'),
  )
  assert.match(answer.body, new RegExp(`<title>${fr.payment.unreadable.heading}`))
  assert.match(answer.headers['cache-control'] as string, /no-store/)
  // A script would find no payment, and say so.
  assert.doesNotMatch(answer.body, /<script|<noscript|<button|__[A-Z_]+__/)
  assert.doesNotMatch(answer.body + JSON.stringify(answer.headers), /ttt/)
})

test('the page with the card fields lets in Stripe and nobody else; the others not even Stripe', async () => {
  const url = '/bookings/bkg_1/card'
  assert.equal((await server.inject({ url, headers: { accept: 'text/html' } })).statusCode, 404)
  const policyOf = async (app: FastifyInstance, path: string): Promise<string> =>
    String((await app.inject({ url: path })).headers['content-security-policy'])
  const real = await appWith({ STRIPE_PUBLISHABLE_KEY: 'pk_test_mine' })
  const sandbox = await appWith({
    STRIPE_PUBLISHABLE_KEY: 'pk_test_mine',
    STRIPE_JS_URL: 'http://localhost:12111/v3/',
  })
  try {
    const policy = await policyOf(real, url)
    assert.match(policy, /script-src 'self' https:\/\/js\.stripe\.com /)
    assert.match(policy, /frame-src https:\/\/js\.stripe\.com .*https:\/\/hooks\.stripe\.com/)
    assert.match(policy, /connect-src [^;]*https:\/\/api\.stripe\.com/)
    assert.doesNotMatch(policy, /unsafe/)
    const stand = await policyOf(sandbox, url)
    assert.match(stand, /script-src 'self' http:\/\/localhost:12111;/)
    assert.match(stand, /frame-src http:\/\/localhost:12111(?:;|$)/)
    assert.doesNotMatch(stand, /stripe\.com/)
    for (const path of ['/', '/payment-success', '/bookings/bkg_1'])
      assert.doesNotMatch(await policyOf(real, path), /stripe\.com|frame-src/, path)
  } finally {
    await real.close()
    await sandbox.close()
  }
})

test('a secret key is never taken for a publishable one', () => {
  assert.throws(
    () => frontendConfig({ STRIPE_PUBLISHABLE_KEY: 'sk_test_oops' }),
    ({ message }: Error) => message.includes('STRIPE_PUBLISHABLE_KEY') && !message.includes('oops'),
  )
})
