import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import Stripe from 'stripe'
import { EVENT_TYPES } from '../src/events/event-types.ts'
import type { World } from './merchant.ts'
import { control, failure, SECRET, sessionParams, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld()
})
beforeEach(() => {
  world.receiver.received.length = 0
  world.receiver.answer = () => 200
})
after(() => world.stop())

const customer = () => world.stripe.customers.create({ email: 'ana@example.com' })

describe('a delivery', () => {
  test('carries the headers of Stripe, and the SDK accepts its signature', async () => {
    await customer()
    await world.receiver.until((received) => received.length === 1)
    const [{ headers, body }] = world.receiver.received as [(typeof world.receiver.received)[number]]
    assert.equal(headers['content-type'], 'application/json; charset=utf-8')
    assert.equal(headers['user-agent'], 'Stripe/1.0 (+https://stripe.com/docs/webhooks)')
    assert.equal(headers['accept'], '*/*; q=0.5, application/xml')
    const signature = headers['stripe-signature'] as string
    assert.match(signature, /^t=\d{10},v1=[0-9a-f]{64},v0=[0-9a-f]{64}$/)
    const event = new Stripe('sk_test_x').webhooks.constructEvent(body, signature, SECRET)
    assert.equal(event.type, 'customer.created')
    assert.equal(event.api_version, Stripe.API_VERSION)
    assert.equal(body.toString('utf8'), JSON.stringify(JSON.parse(body.toString('utf8')), null, 2))
  })

  test('says which API call caused it, and nobody when the payer did', async () => {
    const made = await world.stripe.customers.create({}, { idempotencyKey: 'cause' })
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    await control(world.sandbox, `sessions/${session.id}/pay`, {})
    await world.receiver.until((received) =>
      received.some(({ event }) => event.type === 'checkout.session.completed'),
    )
    const request = (type: string) =>
      world.receiver.received.find(({ event }) => event.type === type)?.event.request
    assert.deepEqual(request('customer.created'), {
      id: made.lastResponse.requestId,
      idempotency_key: 'cause',
    })
    assert.deepEqual(request('checkout.session.completed'), { id: null, idempotency_key: null })
  })

  test('that fails is tried again with a fresh signature until a 2xx, then pending_webhooks is 0', async () => {
    let left = 2
    world.receiver.answer = ({ event }) => (event.type === 'customer.created' && left-- > 0 ? 500 : 201)
    const { id } = await eventOf(await customer())
    await settled(id, 'delivered')
    assert.equal(arrivals(id).length, 3)
    assert.equal((await world.stripe.events.retrieve(id)).pending_webhooks, 0)
  })

  test('answered by a redirect counts as failed and is not followed', async () => {
    world.receiver.answer = () => 302
    const { id } = await eventOf(await customer())
    await settled(id, 'failed')
    assert.equal(arrivals(id).length, 4)
    const undelivered = await world.stripe.events.list({ delivery_success: false })
    assert.ok(undelivered.data.some((event) => event.id === id))
  })

  test('blocked on purpose waits, and goes out when unblocked', async () => {
    await control(world.sandbox, 'webhooks/pause', {})
    const { id } = await eventOf(await customer())
    assert.equal((await world.stripe.events.retrieve(id)).pending_webhooks, 1)
    assert.equal(arrivals(id).length, 0)
    await control(world.sandbox, 'webhooks/resume', {})
    await world.receiver.until(() => arrivals(id).length === 1)
  })

  test('resent by hand arrives again with the same id', async () => {
    const { id } = await eventOf(await customer())
    await settled(id, 'delivered')
    await control(world.sandbox, `events/${id}/resend`, {})
    assert.equal(arrivals(id).length, 2)
  })
})

describe('a webhook endpoint', () => {
  test('shows its secret once, hears only what it asked for, and nothing while disabled', async () => {
    const endpoint = await world.stripe.webhookEndpoints.create({
      url: `${world.receiver.url}/second`,
      enabled_events: ['product.created'],
    })
    assert.match(endpoint.id, /^we_1[0-9A-Za-z]{23}$/)
    assert.match(endpoint.secret ?? '', /^whsec_[0-9A-Za-z]{32}$/)
    assert.equal((await world.stripe.webhookEndpoints.retrieve(endpoint.id)).secret, undefined)
    await world.stripe.products.create({ name: 'Kayak' })
    await world.receiver.until((received) => received.length === 2)
    await world.stripe.webhookEndpoints.update(endpoint.id, { disabled: true })
    const { id } = await eventOf(await world.stripe.products.create({ name: 'Canoe' }))
    assert.equal((await deliveries(id)).length, 1)
    await world.stripe.webhookEndpoints.del(endpoint.id)
  })
})

describe('what is still owed', () => {
  const HOUR_S = 3600
  let slow: World
  beforeEach(async () => {
    slow = await startWorld({ settings: { retryDelaysMs: [HOUR_S * 1000, HOUR_S * 1000] } })
    slow.receiver.answer = () => 500
    await slow.stripe.customers.create({})
    await slow.receiver.until((received) => received.length === 1)
  })
  afterEach(() => slow.stop())
  const advance = (seconds: number) => control(slow.sandbox, 'clock/advance', { seconds })
  const endpointId = async () => (await slow.stripe.webhookEndpoints.list()).data[0]?.id ?? ''

  test('is given up by an endpoint that is disabled when its turn comes', async () => {
    const id = await endpointId()
    await slow.stripe.webhookEndpoints.update(id, { disabled: true })
    await advance(HOUR_S + 1)
    await slow.stripe.webhookEndpoints.update(id, { disabled: false })
    await advance(3 * HOUR_S)
    assert.equal(slow.receiver.received.length, 1)
  })

  test('goes on to one that is enabled again before its turn', async () => {
    const id = await endpointId()
    await slow.stripe.webhookEndpoints.update(id, { disabled: true })
    await advance(HOUR_S / 2)
    await slow.stripe.webhookEndpoints.update(id, { disabled: false })
    await advance(HOUR_S / 2 + 1)
    assert.equal(slow.receiver.received.length, 2)
  })

  test('is listed as undelivered for thirty days, and then no event is', async () => {
    const undelivered = async () => (await slow.stripe.events.list({ delivery_success: false })).data
    const [event] = await undelivered()
    await advance(30 * 86_400 - 60)
    assert.deepEqual(
      (await undelivered()).map(({ id }) => id),
      [event?.id],
    )
    await advance(120)
    assert.deepEqual((await slow.stripe.events.list()).data, [])
    assert.equal((await failure(slow.stripe.events.retrieve(event?.id ?? ''))).statusCode, 404)
  })
})

describe('several webhook endpoints', () => {
  test('are sixteen at most', async () => {
    const add = () => world.stripe.webhookEndpoints.create({ url: world.receiver.url, enabled_events: ['*'] })
    const made: string[] = []
    try {
      for (let count = 2; count <= 16; count++) made.push((await add()).id)
      assert.equal(
        (await failure(add())).message,
        'You have reached the maximum of 16 test webhook endpoints.',
      )
    } finally {
      for (const id of made) await world.stripe.webhookEndpoints.del(id)
    }
  })

  test('hear the same event each at its own version, and the API shows it at the account’s', async () => {
    const older = await world.stripe.webhookEndpoints.create({
      url: `${world.receiver.url}/older`,
      enabled_events: ['checkout.session.expired', 'promotion_code.created'],
      api_version: '2025-02-24.acacia',
    })
    const { id } = await world.stripe.checkout.sessions.create(sessionParams())
    await world.stripe.checkout.sessions.expire(id)
    const coupon = await world.stripe.coupons.create({ percent_off: 20 })
    await world.stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id } })
    const seen = (type: string) =>
      Object.fromEntries(
        world.receiver.received
          .filter(({ event }) => event.type === type)
          .map(({ event }) => [String(event.api_version), event.data.object as unknown as Json]),
      )
    await world.receiver.until(() => Object.keys(seen('promotion_code.created')).length === 2)
    await world.receiver.until(() => Object.keys(seen('checkout.session.expired')).length === 2)
    const sessions = seen('checkout.session.expired')
    assert.equal(sessions[Stripe.API_VERSION]?.['ui_mode'], 'hosted_page')
    assert.equal(sessions['2025-02-24.acacia']?.['ui_mode'], 'hosted')
    assert.equal(sessions['2025-02-24.acacia']?.['shipping_details'], null)
    const codes = seen('promotion_code.created')
    assert.deepEqual(codes[Stripe.API_VERSION]?.['promotion'], { coupon: coupon.id, type: 'coupon' })
    const { coupon: whole } = codes['2025-02-24.acacia'] as { coupon: Json }
    assert.equal(whole['percent_off'], 20)
    const [event = assert.fail()] = (
      await world.stripe.events.list({ type: 'checkout.session.expired', limit: 1 })
    ).data
    assert.equal(event.api_version, Stripe.API_VERSION)
    assert.equal((event.data.object as Stripe.Checkout.Session).ui_mode, 'hosted_page')
    assert.deepEqual(
      world.receiver.received.filter(({ event: { api_version: version } }) => version === older.api_version)
        .length,
      2,
      'it hears only what it asked for',
    )
    await world.stripe.webhookEndpoints.del(older.id)
  })

  test('fail alone: the event counts as undelivered until the last of them has answered', async () => {
    const second = await world.stripe.webhookEndpoints.create({
      url: `${world.receiver.url}/second`,
      enabled_events: ['*'],
    })
    let refused = 0
    world.receiver.answer = () => (refused++ === 0 ? 500 : 200)
    const { id } = await eventOf(await customer())
    await settled(id, 'delivered')
    assert.equal(arrivals(id).length, 3)
    const undelivered = await world.stripe.events.list({ delivery_success: false, limit: 100 })
    assert.ok(undelivered.data.every((event) => event.id !== id))
    await world.stripe.webhookEndpoints.del(second.id)
  })

  test('cannot ask for an event that Stripe does not have, and are told which there are', async () => {
    const asked = ['charge.refunded', 'charge.created'] as Stripe.WebhookEndpointCreateParams.EnabledEvent[]
    const refused = await failure(
      world.stripe.webhookEndpoints.create({ url: world.receiver.url, enabled_events: asked }),
    )
    assert.deepEqual([refused.statusCode, refused.param], [400, 'enabled_events[1]'])
    assert.match(refused.message, /no event charge\.created\. There are: [^]*charge\.succeeded/)
    const added = await control<{ error?: { message: string } }>(world.sandbox, 'webhook_endpoints', {
      url: world.receiver.url,
      events: 'charge.refunded, charge.created',
    })
    assert.match(added.error?.message ?? '', /no event charge\.created/)
  })

  test('may ask for every event of the SDK, and no other', () => {
    const declared = /type EnabledEvent = ([^;]+);/.exec(
      readFileSync(
        new URL('../../../node_modules/stripe/esm/resources/WebhookEndpoints.d.ts', import.meta.url),
        'utf8',
      ),
    )?.[1]
    const names = [...(declared ?? '').matchAll(/'([^']+)'/g)].map(([, name = '']) => name)
    assert.deepEqual(EVENT_TYPES, new Set(names))
  })

  test('cannot ask for a version that is none', async () => {
    const version = 'latest' as Stripe.LatestApiVersion
    await assert.rejects(
      world.stripe.webhookEndpoints.create({
        url: world.receiver.url,
        enabled_events: ['*'],
        api_version: version,
      }),
      /Invalid API version: latest/,
    )
  })
})

type Json = Readonly<Record<string, unknown>>

const arrivals = (id: string) => world.receiver.received.filter(({ event }) => event.id === id)

type Delivery = { status: string; attempts: unknown[] }

async function deliveries(event: string): Promise<Delivery[]> {
  return (await control<{ deliveries: Delivery[] }>(world.sandbox, `deliveries?event=${event}`)).deliveries
}

async function settled(event: string, status: string): Promise<void> {
  for (let n = 0; n < 500; n++) {
    if ((await deliveries(event)).every((delivery) => delivery.status === status)) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.fail(`Not ${status}: ${JSON.stringify(await deliveries(event))}`)
}

async function eventOf(object: { id: string }): Promise<Stripe.Event> {
  const { data } = await world.stripe.events.list({ limit: 10 })
  const event = data.find((candidate) => (candidate.data.object as { id: string }).id === object.id)
  assert.ok(event)
  return event
}
