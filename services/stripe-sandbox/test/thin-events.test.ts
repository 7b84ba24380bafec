// Thin events of the API's second version: destinations, notifications as the SDK parses them, and asking for more.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type Stripe from 'stripe'
import type { Received, Receiver, World } from './merchant.ts'
import { control, failure, sessionParams, startReceiver, startWorld } from './merchant.ts'

let world: World
let stripe: Stripe
let receiver: Receiver
let destination: Stripe.V2.Core.EventDestination
before(async () => {
  world = await startWorld()
  stripe = world.stripe
  receiver = await startReceiver()
  destination = await stripe.v2.core.eventDestinations.create({
    name: 'Shop',
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: ['v1.checkout.session.completed', 'v1.refund.created'],
    webhook_endpoint: { url: receiver.url },
    metadata: { team: 'a' },
    include: ['webhook_endpoint.signing_secret', 'webhook_endpoint.url'],
  })
})
after(async () => {
  await world.stop()
  await receiver.stop()
})

const secret = () => destination.webhook_endpoint?.signing_secret ?? ''
const parse = ({ body, headers }: Received): Stripe.V2.Core.EventNotification =>
  stripe.parseEventNotification(body, String(headers['stripe-signature']), secret())
async function next(type: string): Promise<Stripe.V2.Core.EventNotification> {
  await receiver.until((received) => received.some(({ event }) => event.type === type))
  const found = receiver.received.find(({ event }) => event.type === type)
  assert.ok(found)
  return parse(found)
}
const newSession = async (): Promise<string> => {
  const { id } = await stripe.checkout.sessions.create(sessionParams())
  await control(world.sandbox, `sessions/${id}/pay`, { email: 'ana@example.com' })
  return id
}

describe('an event destination', () => {
  test('shows its secret once, and its address when asked', async () => {
    assert.match(secret(), /^whsec_/)
    assert.equal(destination.webhook_endpoint?.url, receiver.url)
    assert.deepEqual(
      [destination.object, destination.event_payload, destination.status, destination.metadata],
      ['v2.core.event_destination', 'thin', 'enabled', { team: 'a' }],
    )
    assert.deepEqual(destination.events_from, ['@self'])
    assert.match(destination.created, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    const again = await stripe.v2.core.eventDestinations.retrieve(destination.id)
    assert.deepEqual(again.webhook_endpoint, {})
    assert.ok(!(await stripe.webhookEndpoints.list()).data.some(({ id }) => id === destination.id))
  })

  test('is listed page by page, changed, switched off and on, and deleted', async () => {
    const { data: first, next_page_url: nextPage } = await stripe.v2.core.eventDestinations.list({ limit: 1 })
    assert.equal(first.length, 1)
    assert.match(String(nextPage), /^\/v2\/core\/event_destinations\?limit=1&page=/)
    const all: string[] = []
    for await (const each of stripe.v2.core.eventDestinations.list({ limit: 1 })) all.push(each.id)
    assert.equal(all.length, 2)
    const other = await stripe.v2.core.eventDestinations.create({
      name: 'Other',
      type: 'webhook_endpoint',
      event_payload: 'snapshot',
      snapshot_api_version: '2025-09-30.clover',
      enabled_events: ['*'],
      webhook_endpoint: { url: receiver.url },
    })
    assert.equal(other.snapshot_api_version, '2025-09-30.clover')
    const changed = await stripe.v2.core.eventDestinations.update(other.id, { name: 'Renamed' })
    assert.equal(changed.name, 'Renamed')
    const off = await stripe.v2.core.eventDestinations.disable(other.id)
    assert.deepEqual([off.status, off.status_details?.disabled?.reason], ['disabled', 'user'])
    assert.equal((await stripe.v2.core.eventDestinations.enable(other.id)).status, 'enabled')
    assert.equal((await stripe.v2.core.eventDestinations.del(other.id)).id, other.id)
    const gone = await failure(stripe.v2.core.eventDestinations.retrieve(other.id))
    assert.equal(gone.statusCode, 404)
  })

  test('is refused when something is missing or wrong', async () => {
    const whole: Stripe.V2.Core.EventDestinationCreateParams = {
      name: 'X',
      type: 'webhook_endpoint',
      event_payload: 'thin',
      enabled_events: ['*'],
      webhook_endpoint: { url: receiver.url },
    }
    const refused = async (change: object): Promise<string | undefined> => {
      const { statusCode, param } = await failure(
        stripe.v2.core.eventDestinations.create({ ...whole, ...change }),
      )
      assert.equal(statusCode, 400)
      return param
    }
    assert.equal(await refused({ name: undefined }), 'name')
    assert.equal(await refused({ enabled_events: [] }), 'enabled_events')
    assert.equal(await refused({ type: 'amazon_eventbridge' }), 'type')
    assert.equal(await refused({ webhook_endpoint: { url: 'nowhere' } }), 'webhook_endpoint[url]')
  })
})

describe('a thin event', () => {
  test('names what happened to which object, and the SDK fetches the object, the event and the snapshot', async () => {
    const session = await newSession()
    const notification = await next('v1.checkout.session.completed')
    assert.ok(notification.type === 'v1.checkout.session.completed')
    assert.deepEqual(notification.related_object, {
      id: session,
      type: 'checkout.session',
      url: `/v1/checkout/sessions/${session}`,
    })
    const object = await notification.fetchRelatedObject()
    assert.deepEqual([object.id, object.payment_status], [session, 'paid'])
    const event = await notification.fetchEvent()
    assert.deepEqual(
      [event.id, event.type, event.object],
      [notification.id, notification.type, 'v2.core.event'],
    )
    const snapshot = await stripe.events.retrieve(notification.snapshot_event ?? '')
    assert.equal(snapshot.type, 'checkout.session.completed')
    assert.ok(!JSON.stringify(receiver.received[0]?.event).includes('12900'), 'says nothing of the object')
  })

  test('says which call caused it, with its idempotency key', async () => {
    const paid = await stripe.paymentIntents.create({
      amount: 2000,
      currency: 'eur',
      payment_method: 'pm_card_visa',
      confirm: true,
      return_url: 'https://example.com',
    })
    const refund = await stripe.refunds.create({ payment_intent: paid.id }, { idempotencyKey: 'refund-1' })
    const notification = await next('v1.refund.created')
    assert.equal(notification.reason?.request?.idempotency_key, 'refund-1')
    assert.ok(notification.type === 'v1.refund.created')
    assert.equal(notification.related_object.id, refund.id)
    const listed = await stripe.v2.core.events.list({ object_id: refund.id })
    assert.ok(listed.data.some(({ type }) => type === 'v1.refund.created'))
    assert.ok(!receiver.types().includes('v1.payment_intent.succeeded'), 'was not asked for')
  })

  test('about what has no page of its own leads to where it is', async () => {
    const coupon = await stripe.coupons.create({ percent_off: 10 })
    const { id } = await stripe.customers.create({ email: 'ana@example.com' })
    const older = { apiVersion: '2025-02-24.acacia' }
    await stripe.rawRequest('POST', `/v1/customers/${id}`, { coupon: coupon.id }, older)
    await stripe.testHelpers.customers.fundCashBalance(id, { amount: 500, currency: 'eur' })
    for (const [type, object] of [
      ['v1.customer.discount.created', 'discount'],
      ['v1.customer_cash_balance_transaction.created', 'customer_cash_balance_transaction'],
      ['v1.cash_balance.funds_available', 'cash_balance'],
    ] as const) {
      const [event = assert.fail(type)] = (await stripe.v2.core.events.list({ types: [type] })).data
      const { related_object: related } = event as unknown as { related_object: { url: string } }
      const found = (await stripe.rawRequest('GET', related.url)) as { object?: string; customer?: string }
      assert.deepEqual([found.object, found.customer], [object, id])
    }
  })

  test('that pings comes to its destination alone', async () => {
    const sent = await stripe.v2.core.eventDestinations.ping(destination.id)
    const heard = await next('v2.core.event_destination.ping')
    assert.equal(heard.id, sent.id)
    assert.ok(!world.receiver.types().includes('v2.core.event_destination.ping'))
    assert.ok(!(await stripe.events.list({ limit: 100 })).data.some(({ type }) => type.startsWith('v2.')))
  })

  test('is no snapshot: the SDK refuses each where the other is expected', async () => {
    await next('v1.checkout.session.completed')
    const { body, headers } = receiver.received[0] as Received
    const signature = String(headers['stripe-signature'])
    assert.throws(() => stripe.webhooks.constructEvent(body, signature, secret()), /thin event notification/)
    const [snapshot] = world.receiver.received
    assert.ok(snapshot)
    assert.throws(
      () =>
        stripe.parseEventNotification(
          snapshot.body,
          String(snapshot.headers['stripe-signature']),
          world.sandbox.webhookSecret,
        ),
      /constructEvent/,
    )
  })

  test('comes instead of the snapshot where a fault says so', async () => {
    await control(world.sandbox, 'faults/add', {
      on: 'webhook',
      type: 'checkout.session.completed',
      fault: 'thin',
      times: 1,
    })
    const session = await newSession()
    await world.receiver.until((received) =>
      received.some(({ event }) => JSON.stringify(event).includes(`/v1/checkout/sessions/${session}"`)),
    )
  })
})
