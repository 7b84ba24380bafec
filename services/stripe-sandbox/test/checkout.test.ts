import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type Stripe from 'stripe'
import type { World } from './merchant.ts'
import { control, failure, sessionParams, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.stop())

const pay = (id: string, card = '4242424242424242') =>
  control(world.sandbox, `sessions/${id}/pay`, { card, email: 'ana@example.com' })

describe('a Checkout Session', () => {
  test('starts open, unpaid, without a PaymentIntent, and tells nobody', async () => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    assert.equal(session.status, 'open')
    assert.equal(session.payment_status, 'unpaid')
    assert.equal(session.payment_intent, null)
    assert.equal(session.amount_total, 12_900)
    assert.equal(session.expires_at, session.created + 86_400)
    assert.equal(session.line_items, undefined)
    assert.equal(session.url, `http://localhost:${world.sandbox.port}/c/pay/${session.id}`)
    const events = await world.stripe.events.list({ limit: 100 })
    assert.ok(!events.data.some((event) => JSON.stringify(event.data.object).includes(session.id)))
  })

  test('paid by card, ends complete and paid, its events told in the order Stripe tells them', async () => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    const from = world.receiver.received.length
    const result = await pay(session.id)
    assert.equal(result['redirect'], `http://localhost:5173/success?session_id=${session.id}`)
    await world.receiver.until((received) =>
      received.slice(from).some(({ event }) => event.type === 'charge.updated'),
    )
    const listed = await world.stripe.events.list({ limit: 5 })
    assert.deepEqual(listed.data.map(({ type }) => type).toReversed(), [
      'charge.succeeded',
      'payment_intent.succeeded',
      'payment_intent.created',
      'checkout.session.completed',
      'charge.updated',
    ])
    const after = await world.stripe.checkout.sessions.retrieve(session.id, {
      expand: ['payment_intent.latest_charge.balance_transaction', 'line_items'],
    })
    assert.equal(after.status, 'complete')
    assert.equal(after.payment_status, 'paid')
    assert.equal(after.url, null)
    assert.equal(after.customer_details?.email, 'ana@example.com')
    assert.deepEqual(after.metadata, { booking_id: 'b1' })
    assert.equal(after.line_items?.data[0]?.description, 'Kayak at dawn')
    const intent = after.payment_intent
    assert.ok(typeof intent === 'object' && intent !== null)
    assert.deepEqual(intent.metadata, { booking_id: 'b1' })
    const charge = intent.latest_charge
    assert.ok(typeof charge === 'object' && charge !== null && typeof charge.balance_transaction === 'object')
    assert.equal(charge.balance_transaction?.net, 12_900 - 194 - 25)
  })

  test('keeps session metadata off the PaymentIntent when only the Session carries it', async () => {
    const { payment_intent_data: _left, ...params } = sessionParams()
    const session = await world.stripe.checkout.sessions.create(params)
    await pay(session.id)
    const { payment_intent: intent } = await world.stripe.checkout.sessions.retrieve(session.id, {
      expand: ['payment_intent'],
    })
    assert.deepEqual(typeof intent === 'object' && intent?.metadata, {})
  })

  test('stays open after a decline, and the next try pays the same PaymentIntent', async () => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    const declined = await pay(session.id, '4000000000009995')
    assert.deepEqual(declined['error'], {
      message: 'Your card has insufficient funds.',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      param: null,
    })
    const open = await world.stripe.checkout.sessions.retrieve(session.id)
    assert.equal(open.status, 'open')
    await pay(session.id)
    const done = await world.stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
    assert.equal(done.payment_status, 'paid')
    const charges = await world.stripe.charges.list({
      payment_intent: (done.payment_intent as { id: string }).id,
    })
    assert.deepEqual(
      charges.data.map(({ status }) => status),
      ['succeeded', 'failed'],
    )
  })

  test('refuses a number that fails the checksum without making a charge', async () => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    const refused = await pay(session.id, '4242424242424241')
    assert.equal((refused['error'] as { code: string }).code, 'incorrect_number')
    assert.equal((await world.stripe.checkout.sessions.retrieve(session.id)).payment_intent, null)
  })

  test('can be expired while open and only then', async () => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    const expired = await world.stripe.checkout.sessions.expire(session.id)
    assert.equal(expired.status, 'expired')
    assert.equal(expired.url, null)
    const error = await failure(world.stripe.checkout.sessions.expire(session.id))
    assert.equal(error.statusCode, 400)
    assert.equal(
      error.message,
      'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of `expired`.',
    )
    const [event] = (await world.stripe.events.list({ type: 'checkout.session.expired', limit: 1 })).data
    assert.equal((event as Stripe.CheckoutSessionExpiredEvent).data.object.id, session.id)
  })

  test('in a delayed method completes unpaid, and the money is told later', async () => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    await pay(session.id, 'FR1420041010050500013M02606')
    const arrived = (type: string) => () =>
      world.receiver.received.find(
        ({ event }) => event.type === type && (event.data.object as { id: string }).id === session.id,
      )
    await world.receiver.until(() => arrived('checkout.session.async_payment_succeeded')() !== undefined)
    const completed = arrived('checkout.session.completed')()?.event.data.object as { payment_status: string }
    assert.equal(completed.payment_status, 'unpaid')
    assert.equal((await world.stripe.checkout.sessions.retrieve(session.id)).payment_status, 'paid')
  })

  test('in a delayed method that fails stays complete and unpaid', async () => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    await pay(session.id, 'DE62370400440532013001')
    await world.receiver.until((received) =>
      received.some(
        ({ event }) =>
          event.type === 'checkout.session.async_payment_failed' && event.data.object.id === session.id,
      ),
    )
    const after = await world.stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
    assert.equal(after.status, 'complete')
    assert.equal(after.payment_status, 'unpaid')
    assert.equal((after.payment_intent as { status: string }).status, 'requires_payment_method')
  })
})

describe('lists', () => {
  test('auto-pagination visits every Session once, newest first', async () => {
    const made: string[] = []
    for (let n = 0; n < 7; n++) {
      made.unshift(
        (await world.stripe.checkout.sessions.create(sessionParams({ client_reference_id: 'paged' }))).id,
      )
    }
    const seen: string[] = []
    for await (const session of world.stripe.checkout.sessions.list({ limit: 3, status: 'open' })) {
      if (session.client_reference_id === 'paged') seen.push(session.id)
    }
    assert.deepEqual(seen, made)
    const before = await world.stripe.checkout.sessions.list({ limit: 2, ending_before: made[3] as string })
    assert.deepEqual(
      before.data.map(({ id }) => id),
      [made[1], made[2]],
    )
    assert.equal(before.has_more, true)
  })
})

describe('what Stripe refuses', () => {
  const cases: [
    title: string,
    params: object,
    expected: { code?: string; param?: string; message?: RegExp },
  ][] = [
    [
      'an unknown parameter',
      { foo: 'bar' },
      { code: 'parameter_unknown', param: 'foo', message: /Received unknown parameter: foo/ },
    ],
    [
      'payment_method_types, gone since 2026-09-30',
      { payment_method_types: ['card'] },
      { code: 'parameter_unknown', param: 'payment_method_types' },
    ],
    ['a missing mode', { mode: undefined }, { code: 'parameter_missing', param: 'mode' }],
    [
      'less than the minimum',
      {
        line_items: [
          { quantity: 1, price_data: { currency: 'eur', unit_amount: 49, product_data: { name: 'x' } } },
        ],
      },
      { message: /total amount due must add up to at least €0.50 eur/ },
    ],
    [
      'a life under 30 minutes',
      { expires_at: Math.floor(Date.now() / 1000) + 60 },
      { param: 'expires_at', message: /must be at least 30 minutes/ },
    ],
    ['an unknown customer', { customer: 'cus_nobody' }, { code: 'resource_missing', param: 'customer' }],
    [
      'a page to return to that is none',
      { success_url: 'nowhere' },
      { code: 'url_invalid', param: 'success_url' },
    ],
    [
      'metadata values over 500 characters',
      { metadata: { long: 'x'.repeat(501) } },
      { param: 'metadata[long]' },
    ],
  ]
  for (const [title, change, expected] of cases) {
    test(`${title}: 400 with Stripe's code`, async () => {
      const error = await failure(world.stripe.checkout.sessions.create({ ...sessionParams(), ...change }))
      assert.equal(error.statusCode, 400)
      assert.equal(error.type, 'StripeInvalidRequestError')
      if (expected.code) assert.equal(error.code, expected.code)
      if (expected.param) assert.equal(error.param, expected.param)
      if (expected.message) assert.match(error.message, expected.message)
    })
  }

  test('what a refused call had begun to write is undone', async () => {
    const [item] = sessionParams().line_items ?? []
    assert.ok(item)
    const before = (await world.stripe.prices.list({ limit: 100 })).data.length
    const bad = { quantity: 1, price_data: { currency: 'eur', unit_amount: 100 } }
    await failure(world.stripe.checkout.sessions.create(sessionParams({ line_items: [item, bad] })))
    assert.equal((await world.stripe.prices.list({ limit: 100 })).data.length, before)
  })

  test('an unknown Session: 404', async () => {
    const error = await failure(world.stripe.checkout.sessions.retrieve('cs_x'))
    assert.equal(error.statusCode, 404)
    assert.equal(error.message, "No such checkout.session: 'cs_x'")
  })

  test('a wrong, a live and a missing key: 401 without a request id', async () => {
    for (const authorization of ['Bearer wrong', 'Bearer sk_live_abcdefghijkl', undefined]) {
      const answer = await fetch(
        `${world.sandbox.url}/v1/events`,
        authorization ? { headers: { authorization } } : {},
      )
      assert.equal(answer.status, 401)
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="Stripe"')
      assert.equal(answer.headers.get('request-id'), null)
      assert.equal(((await answer.json()) as { error: { type: string } }).error.type, 'invalid_request_error')
    }
  })

  test('a route that does not exist: 404 in the shape of Stripe', async () => {
    const answer = await fetch(`${world.sandbox.url}/v1/nonsense`)
    assert.equal(answer.status, 404)
    const { error } = (await answer.json()) as { error: { message: string } }
    assert.match(error.message, /^Unrecognized request URL \(GET: \/v1\/nonsense\)/)
  })
})

describe('the routes of Stripe’s own command line', () => {
  const page = (path: string, params: Record<string, string>) =>
    fetch(`${world.sandbox.url}/v1/payment_pages/${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_cli' },
      body: new URLSearchParams(params),
    })

  test('complete a Session without a browser, for the expected amount only', async () => {
    const { id } = await world.stripe.checkout.sessions.create(sessionParams())
    const method = await world.stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
    const wrong = await page(`${id}/confirm`, { payment_method: method.id, expected_amount: '1' })
    assert.equal(wrong.status, 400)
    const right = await page(`${id}/confirm`, { payment_method: method.id, expected_amount: '12900' })
    assert.equal(right.status, 200)
    assert.equal((await world.stripe.checkout.sessions.retrieve(id)).payment_status, 'paid')
  })

  test('may still send payment_method_types when they speak the older version', async () => {
    const answer = await fetch(`${world.sandbox.url}/v1/checkout/sessions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_cli', 'stripe-version': '2025-04-30.basil' },
      body: new URLSearchParams({
        mode: 'payment',
        success_url: 'http://localhost/ok',
        'payment_method_types[0]': 'card',
        'line_items[0][price_data][currency]': 'usd',
        'line_items[0][price_data][unit_amount]': '500',
        'line_items[0][price_data][product_data][name]': 'Kayak',
      }),
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('stripe-version'), '2025-04-30.basil')
  })
})

describe('a payment link', () => {
  test('opens a Session of its own for every visit, which is paid and names the link', async () => {
    const product = await world.stripe.products.create({ name: 'Kayak at dawn' })
    const price = await world.stripe.prices.create({
      product: product.id,
      currency: 'eur',
      unit_amount: 4500,
    })
    const link = await world.stripe.paymentLinks.create({
      line_items: [{ price: price.id, quantity: 2 }],
      metadata: { booking_id: 'b7' },
      payment_intent_data: { metadata: { booking_id: 'b7' } },
    })
    const path = new URL(link.url).pathname
    const visit = () => fetch(`${world.sandbox.url}${path}`, { redirect: 'manual' })
    const first = await visit()
    assert.equal(first.status, 303)
    assert.notEqual((await visit()).headers.get('location'), first.headers.get('location'))
    const id = first.headers.get('location')?.replace('/c/pay/', '') ?? ''
    await control(world.sandbox, `sessions/${id}/pay`, { email: 'ana@example.com' })
    const paid = await world.stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] })
    assert.deepEqual([paid.payment_status, paid.amount_total, paid.payment_link], ['paid', 9000, link.id])
    assert.equal(paid.metadata?.['booking_id'], 'b7')
    assert.equal((paid.payment_intent as Stripe.PaymentIntent).metadata['booking_id'], 'b7')
    const listed = await world.stripe.checkout.sessions.list({ payment_link: link.id, status: 'complete' })
    assert.deepEqual(
      listed.data.map((session) => session.id),
      [id],
    )
    await world.stripe.paymentLinks.update(link.id, { active: false })
    assert.equal((await visit()).status, 404)
  })
})
