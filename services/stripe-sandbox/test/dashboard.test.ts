import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import type { World } from './merchant.ts'
import { control, sessionParams, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.stop())

const page = async (path: string): Promise<string> => (await fetch(world.sandbox.url + path)).text()

async function paid(card = '4242424242424242'): Promise<{ session: string; intent: string; charge: string }> {
  const { id } = await world.stripe.checkout.sessions.create(sessionParams())
  await control(world.sandbox, `sessions/${id}/pay`, { card, email: 'ana@example.com' })
  const session = await world.stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] })
  const intent = session.payment_intent as { id: string; latest_charge: string }
  return { session: id, intent: intent.id, charge: intent.latest_charge }
}

/** A POST as a browser makes it; `fetch` does not let a program set these headers. */
function post(
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<{ status: number; to?: string }> {
  return new Promise((resolve, reject) => {
    const call = request(world.sandbox.url + path, { method: 'POST', headers }, (response) => {
      response.resume()
      const { location } = response.headers
      resolve({ status: response.statusCode ?? 0, ...(location === undefined ? {} : { to: location }) })
    })
    call.on('error', reject)
    call.end(body)
  })
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' }

describe('the dashboard', () => {
  test('shows one payment with its objects, its events, and what can be done to it', async () => {
    const { session, intent, charge } = await paid()
    for (const id of [session, intent]) {
      const shown = await page(`/_sandbox/payments/${id}`)
      for (const text of [
        intent,
        charge,
        'checkout.session.completed',
        `charges/${charge}/dispute`,
        '€129.00',
      ])
        assert.ok(shown.includes(text), text)
    }
  })

  test('shows every attempt at a delivery with what was sent and what came back', async () => {
    const { session } = await paid()
    await world.receiver.until((received) =>
      received.some(({ event }) => event.type === 'checkout.session.completed'),
    )
    const { data } = await world.stripe.events.list({ type: 'checkout.session.completed', limit: 1 })
    assert.equal((data[0]?.data.object as { id: string } | undefined)?.id, session)
    await control(world.sandbox, `events/${data[0]?.id}/resend`, {})
    const shown = await page(`/_sandbox/events/${data[0]?.id}`)
    assert.match(shown, /Stripe-Signature: t=\d+,v1=[0-9a-f]{64}/)
    assert.match(shown, /HTTP 200/)
    assert.match(shown, /connection: keep-alive/)
    assert.match(shown, /manual/)
  })

  test('escapes what a merchant wrote, and answers 404 for what is not there', async () => {
    await world.stripe.paymentIntents.create({ amount: 500, currency: 'eur', description: '<img src=x>' })
    const home = await page('/_sandbox')
    assert.ok(!home.includes('<img src=x>'))
    assert.ok(home.includes('&lt;img src=x&gt;'))
    for (const path of ['payments/pi_none', 'events/evt_none'])
      assert.equal((await fetch(`${world.sandbox.url}/_sandbox/${path}`)).status, 404)
  })

  test('tells open pages of every change, and of nothing while nothing changes', async () => {
    const stop = new AbortController()
    const live = await fetch(`${world.sandbox.url}/_sandbox/live`, { signal: stop.signal })
    const reader = live.body?.pipeThrough(new TextDecoderStream()).getReader()
    assert.equal((await reader?.read())?.value, 'retry: 1000\n\n')
    await world.stripe.customers.create({})
    assert.equal((await reader?.read())?.value, 'data: changed\n\n')
    stop.abort()
  })
})

describe('a button of the dashboard', () => {
  test('leads back to its page, with the reason when nothing was changed', async () => {
    const { charge } = await paid()
    const from = `${world.sandbox.url}/_sandbox/payments/x?y=1`
    const done = await post(`/_sandbox/charges/${charge}/refund`, { ...FORM, referer: from }, 'amount=900')
    assert.deepEqual(done, { status: 303, to: '/_sandbox/payments/x?y=1' })
    assert.equal((await world.stripe.charges.retrieve(charge)).amount_refunded, 900)
    const outside = await post(`/_sandbox/charges/${charge}/warn`, { ...FORM, referer: 'http://evil.test/x' })
    assert.deepEqual(outside, { status: 303, to: '/_sandbox' })
    assert.equal((await post(`/_sandbox/charges/${charge}/refund`, FORM, 'amount=-1')).status, 400)
  })

  const { host } = { host: '127.0.0.1' }
  const foreign: [who: string, headers: Record<string, string>][] = [
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another port of the same machine', { 'sec-fetch-site': 'same-site' }],
    ['another site in a browser that only sends the origin', { origin: 'http://evil.test' }],
    ['a page without an origin', { origin: 'null' }],
  ]
  for (const [who, headers] of foreign) {
    test(`pressed by ${who} does nothing`, async () => {
      await control(world.sandbox, 'faults', { rules: [] })
      const rule = 'on=webhook&fault=drop'
      assert.equal((await post('/_sandbox/faults/add', { ...FORM, ...headers }, rule)).status, 403)
      assert.deepEqual((await control<{ rules: unknown[] }>(world.sandbox, 'faults')).rules, [])
    })
  }

  test('pressed on its own page works, as does a program', async () => {
    const own = { origin: `http://${host}:${world.sandbox.port}`, 'sec-fetch-site': 'same-origin' }
    assert.equal(
      (await post('/_sandbox/faults/add', { ...FORM, ...own }, 'on=webhook&fault=skew&times=')).status,
      303,
    )
    assert.equal((await post('/_sandbox/faults/add', {}, '')).status, 400)
    const { rules } = await control<{ rules: { fault: string; left: number | null }[] }>(
      world.sandbox,
      'faults',
    )
    assert.deepEqual(
      rules.map(({ fault, left }) => ({ fault, left })),
      [{ fault: 'skew', left: null }],
    )
    await control(world.sandbox, 'faults', { rules: [] })
  })
})

describe('what a person provokes', () => {
  test('a Session expires, a hold is captured or canceled, 3-D Secure is passed or failed', async () => {
    const open = await world.stripe.checkout.sessions.create(sessionParams())
    assert.equal((await control(world.sandbox, `sessions/${open.id}/expire`, {}))['status'], 'expired')
    const hold = () =>
      world.stripe.paymentIntents.create({
        amount: 900,
        currency: 'eur',
        capture_method: 'manual',
        payment_method: 'pm_card_visa',
        confirm: true,
      })
    assert.equal(
      (await control(world.sandbox, `payment_intents/${(await hold()).id}/capture`, {}))['status'],
      'succeeded',
    )
    assert.equal(
      (await control(world.sandbox, `payment_intents/${(await hold()).id}/cancel`, {}))['status'],
      'canceled',
    )
    const challenged = () =>
      world.stripe.paymentIntents.create({
        amount: 900,
        currency: 'eur',
        payment_method: 'pm_card_authenticationRequired',
        confirm: true,
        return_url: 'http://localhost/r',
      })
    const answer = async (result: string) =>
      (await control(world.sandbox, `payment_intents/${(await challenged()).id}/authenticate`, { result }))[
        'status'
      ]
    assert.equal(await answer('complete'), 'succeeded')
    assert.equal(await answer('fail'), 'requires_payment_method')
  })

  test('an endpoint is added, disabled and enabled', async () => {
    const made = await control<{ webhook_endpoint: string; secret: string }>(
      world.sandbox,
      'webhook_endpoints',
      {
        url: `${world.receiver.url}/other`,
        events: 'product.created, price.created',
      },
    )
    assert.match(made.secret, /^whsec_/)
    const { enabled_events } = await world.stripe.webhookEndpoints.retrieve(made.webhook_endpoint)
    assert.deepEqual(enabled_events, ['product.created', 'price.created'])
    for (const [verb, status] of [
      ['disable', 'disabled'],
      ['enable', 'enabled'],
    ]) {
      await control(world.sandbox, `webhook_endpoints/${made.webhook_endpoint}/${verb}`, {})
      assert.equal((await world.stripe.webhookEndpoints.retrieve(made.webhook_endpoint)).status, status)
    }
    await world.stripe.webhookEndpoints.del(made.webhook_endpoint)
  })
})
