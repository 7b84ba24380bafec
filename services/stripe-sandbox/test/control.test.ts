import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import Stripe from 'stripe'
import { DEFAULT_SETTINGS } from '../src/settings.ts'
import type { World } from './merchant.ts'
import { SECRET, control, failure, sdk, sessionParams, startWorld } from './merchant.ts'

let world: World
beforeEach(async () => {
  world = await startWorld({ settings: { chargeUpdatedDelayMs: 60_000, redirectWaitMs: 300 } })
})
afterEach(() => world.stop())

const faults = (...rules: object[]) => control(world.sandbox, 'faults', { rules, seed: 7 })

describe('the clock', () => {
  test('moved past a Session’s end expires it and tells so', async () => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    await control(world.sandbox, 'clock/advance', { seconds: 86_390 })
    assert.equal((await world.stripe.checkout.sessions.retrieve(session.id)).status, 'open')
    await control(world.sandbox, 'clock/advance', { seconds: 20 })
    assert.equal((await world.stripe.checkout.sessions.retrieve(session.id)).status, 'expired')
    await world.receiver.until((received) =>
      received.some(({ event }) => event.type === 'checkout.session.expired'),
    )
  })

  test('everything passed on the way carries its own time', async () => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    await control(world.sandbox, 'clock/advance', { seconds: 10 * 86_400 })
    const [event] = (await world.stripe.events.list({ type: 'checkout.session.expired' })).data
    assert.ok(event && Math.abs(event.created - session.expires_at) <= 1)
  })

  test('standing still keeps what is due from happening until it is moved', async () => {
    await control(world.sandbox, 'clock', { speed: 0 })
    const intent = await world.stripe.paymentIntents.create({
      amount: 900,
      currency: 'eur',
      payment_method: 'pm_card_visa',
      confirm: true,
    })
    const charge = async () => world.stripe.charges.retrieve(intent.latest_charge as string)
    assert.equal((await charge()).balance_transaction, null)
    await control(world.sandbox, 'clock/advance', { seconds: 60 })
    assert.match((await charge()).balance_transaction as string, /^txn_3/)
  })

  test('a hold that nobody captures for seven days is released', async () => {
    const intent = await world.stripe.paymentIntents.create({
      amount: 900,
      currency: 'eur',
      payment_method: 'pm_card_visa',
      confirm: true,
      capture_method: 'manual',
    })
    await control(world.sandbox, 'clock/advance', { seconds: 7 * 86_400 })
    assert.equal((await world.stripe.paymentIntents.retrieve(intent.id)).status, 'canceled')
  })

  test('idempotency keys are forgotten after 24 hours of it', async () => {
    const first = await world.stripe.customers.create({}, { idempotencyKey: 'old' })
    await control(world.sandbox, 'clock/advance', { seconds: 86_401 })
    assert.notEqual((await world.stripe.customers.create({}, { idempotencyKey: 'old' })).id, first.id)
  })
})

describe('an hour of retries', () => {
  test('passes in one step: every attempt is made on the way, and the last one arrives', async () => {
    await world.stop()
    world = await startWorld({ settings: { retryDelaysMs: DEFAULT_SETTINGS.retryDelaysMs } })
    world.receiver.answer = () => 500
    await world.stripe.customers.create({})
    await control(world.sandbox, 'clock/advance', { seconds: 3600 })
    // At once, and after 5 s, 30 s, 2 min and 10 min more.
    assert.equal(world.receiver.received.length, 5)
    world.receiver.answer = () => 200
    await control(world.sandbox, 'clock/advance', { seconds: 3600 })
    assert.equal(world.receiver.received.length, 6)
    const { deliveries } = await control<{ deliveries: { status: string }[] }>(world.sandbox, 'deliveries')
    assert.equal(deliveries[0]?.status, 'delivered')
    assert.equal(new Set(world.receiver.received.map(({ event }) => event.id)).size, 1)
  })
})

describe('faults of the API', () => {
  const count = async () => (await world.stripe.customers.list({ limit: 100 })).data.length
  const create = (stripe: Stripe, idempotencyKey: string) =>
    stripe.customers.create({ name: 'Ana' }, { idempotencyKey })

  test('a connection reset after the commit: the retry with the same key finds what was made', async () => {
    await faults({ on: 'api', route: 'POST /v1/customers', fault: 'reset_after', times: 1 })
    const made = await create(sdk(world.sandbox, { maxNetworkRetries: 2 }), 'after')
    assert.equal(await count(), 1)
    assert.equal(made.lastResponse.headers['idempotent-replayed'], 'true')
  })

  test('a connection reset before: nothing was made, the retry makes it once', async () => {
    await faults({ on: 'api', route: 'POST /v1/customers', fault: 'reset_before', times: 1 })
    await create(sdk(world.sandbox, { maxNetworkRetries: 2 }), 'before')
    assert.equal(await count(), 1)
  })

  test('a truncated answer is a connection error to the SDK, and its retry heals it', async () => {
    await faults({ on: 'api', route: 'POST /v1/customers', fault: 'truncate', times: 1 })
    const error = await failure(create(world.stripe, 'half'))
    assert.equal(error.type, 'StripeConnectionError')
    await create(world.stripe, 'half')
    assert.equal(await count(), 1)
  })

  for (const [fault, made] of [
    ['error_before', 0],
    ['error_after', 1],
  ] as const) {
    test(`${fault}: the 500 is kept under its key, and ${made} was made`, async () => {
      await faults({ on: 'api', route: 'POST /v1/customers', fault, times: 1 })
      assert.equal((await failure(create(world.stripe, 'k'))).statusCode, 500)
      const replay = await failure(create(world.stripe, 'k'))
      assert.equal(replay.statusCode, 500)
      assert.equal(replay.headers?.['idempotent-replayed'], 'true')
      assert.equal(await count(), made)
    })
  }

  test('a conflict reads as the one of a key that is in flight', async () => {
    await faults({ on: 'api', route: 'POST /v1/customers', fault: 'conflict', times: 1 })
    const error = await failure(create(world.stripe, 'twice'))
    assert.deepEqual([error.statusCode, error.code], [409, 'idempotency_key_in_use'])
    assert.match(
      error.message,
      /the other request is still going through\): twice\. Please try again later\.$/,
    )
  })

  test('a rate limit says why and is not retried by the SDK; a lock time-out is', async () => {
    await faults({ on: 'api', route: '* /v1/customers*', fault: 'rate_limit', times: 1 })
    const patient = sdk(world.sandbox, { maxNetworkRetries: 2 })
    const error = await failure(create(patient, 'limited'))
    assert.equal(error.type, 'StripeRateLimitError')
    assert.equal(error.headers?.['stripe-rate-limited-reason'], 'global-rate')
    await faults({ on: 'api', route: 'POST /v1/customers', fault: 'lock_timeout', times: 1 })
    await create(patient, 'locked')
    assert.equal(await count(), 1)
  })
})

describe('faults of the webhooks', () => {
  const completed = async (): Promise<string> => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    await control(world.sandbox, `sessions/${session.id}/pay`, {})
    return session.id
  }
  const verify = (index: number): Stripe.Event => {
    const delivery = world.receiver.received[index]
    assert.ok(delivery)
    return new Stripe('sk_test_x').webhooks.constructEvent(
      delivery.body,
      delivery.headers['stripe-signature'] as string,
      SECRET,
    )
  }

  test('the same event twice, and one thing told by two events', async () => {
    await faults(
      { on: 'webhook', type: 'customer.created', fault: 'duplicate' },
      { on: 'webhook', type: 'product.created', fault: 'duplicate_new_id' },
    )
    const { id } = await world.stripe.customers.create({})
    await world.stripe.products.create({ name: 'Kayak' })
    await world.receiver.until((received) => received.length === 4)
    const of = (type: string) =>
      world.receiver.received.filter(({ event }) => event.type === type).map(({ event }) => event)
    assert.deepEqual(
      of('customer.created').map(({ data }) => (data.object as { id: string }).id),
      [id, id],
    )
    assert.equal(new Set(of('customer.created').map((event) => event.id)).size, 1)
    assert.equal(new Set(of('product.created').map((event) => event.id)).size, 2)
  })

  test('an endpoint too slow has done its work, counts as failed and hears it again', async () => {
    await world.stop()
    world = await startWorld({ settings: { deliveryTimeoutMs: 60, retryDelaysMs: [20] } })
    await faults({ on: 'webhook', type: '*', fault: 'slow', delayMs: 5000, times: 1 })
    await world.stripe.customers.create({})
    await world.receiver.until((received) => received.length === 2)
    await control(world.sandbox, 'clock/advance', { seconds: 1 })
    const { deliveries } = await control<{
      deliveries: { status: string; attempts: { error: string | null; status: number | null }[] }[]
    }>(world.sandbox, 'deliveries')
    assert.equal(deliveries[0]?.status, 'delivered')
    assert.deepEqual(
      deliveries[0]?.attempts.map(({ error, status }) => ({ error, status })),
      [
        { error: 'no answer within 60 ms', status: null },
        { error: null, status: 200 },
      ],
    )
  })

  test('a dropped event never arrives but is in the list of events', async () => {
    await faults({ on: 'webhook', type: 'checkout.session.*', fault: 'drop' })
    await world.stripe.customers.create({})
    const id = await completed().catch(() => '')
    await world.receiver.until((received) =>
      received.some(({ event }) => event.type === 'payment_intent.created'),
    )
    assert.ok(!world.receiver.types().includes('checkout.session.completed'))
    const [event] = (await world.stripe.events.list({ type: 'checkout.session.completed' })).data
    assert.equal((event as Stripe.CheckoutSessionCompletedEvent).data.object.id, id)
  })

  test('a corrupted signature and a skewed time are refused by the SDK, and the honest retry is accepted', async () => {
    await faults(
      { on: 'webhook', type: 'customer.created', fault: 'corrupt_signature', times: 1 },
      { on: 'webhook', type: 'customer.created', fault: 'skew', skewSeconds: -400, times: 1 },
    )
    world.receiver.answer = () => (world.receiver.received.length === 1 ? 400 : 200)
    await world.stripe.customers.create({})
    await world.receiver.until((received) => received.length === 2)
    assert.throws(() => verify(0), /No signatures found matching/)
    assert.equal(verify(1).type, 'customer.created')
    await world.stripe.customers.create({})
    await world.receiver.until((received) => received.length === 3)
    assert.throws(() => verify(2), /Timestamp outside the tolerance zone/)
  })

  test('shuffled events arrive in another order, the same one for the same seed', async () => {
    const orders: string[][] = []
    for (let round = 0; round < 2; round++) {
      world.receiver.received.length = 0
      await faults({ on: 'webhook', type: '*', fault: 'shuffle', delayMs: 30 })
      await completed()
      await world.receiver.until((received) => received.length === 4)
      orders.push(
        (
          await control<{ deliveries: { type: string; attempts: { at: string }[] }[] }>(
            world.sandbox,
            'deliveries?limit=4',
          )
        ).deliveries.map(({ type }) => type),
      )
      assert.equal(new Set(world.receiver.types()).size, 4)
    }
    assert.deepEqual(orders[0], orders[1])
  })
})

test('a rolled secret signs beside the old one until the overlap ends', async () => {
  const [endpoint] = (await world.stripe.webhookEndpoints.list()).data
  const { secret } = await control<{ secret: string }>(
    world.sandbox,
    `webhook_endpoints/${endpoint?.id}/roll`,
    { overlapSeconds: 3600 },
  )
  const verify = (index: number, key: string) => {
    const delivery = world.receiver.received[index]
    return new Stripe('sk_test_x').webhooks.constructEvent(
      delivery?.body ?? '',
      String(delivery?.headers['stripe-signature']),
      key,
    )
  }
  await world.stripe.customers.create({})
  await world.receiver.until((received) => received.length === 1)
  assert.ok(verify(0, secret) && verify(0, SECRET))
  await control(world.sandbox, 'clock/advance', { seconds: 3601 })
  await world.stripe.customers.create({})
  await world.receiver.until((received) => received.length === 2)
  assert.ok(verify(1, secret))
  assert.throws(() => verify(1, SECRET))
})

describe('a decision that cannot be', () => {
  type Refused = { readonly error?: { readonly message: string }; readonly id?: string }
  const refused = async (path: string, body: object, why: RegExp) =>
    assert.match((await control<Refused>(world.sandbox, path, body)).error?.message ?? 'done', why)
  const paid = async (payment_method = 'pm_card_visa') =>
    world.stripe.paymentIntents.create({ amount: 900, currency: 'eur', payment_method, confirm: true })

  test('about a dispute moves no money: none that was never taken, none twice', async () => {
    const { latest_charge: charge } = await paid()
    const inquiry = await control<{ id: string }>(world.sandbox, `charges/${charge as string}/dispute`, {
      reason: 'inquiry',
    })
    await refused(`disputes/${inquiry.id}/decide`, { verdict: 'won' }, /warning_closed, escalate/)
    await control(world.sandbox, `disputes/${inquiry.id}/decide`, { verdict: 'escalate' })
    await refused(`disputes/${inquiry.id}/decide`, { verdict: 'escalate' }, /won, lost/)
    await control(world.sandbox, `disputes/${inquiry.id}/decide`, { verdict: 'lost' })
    await refused(`disputes/${inquiry.id}/decide`, { verdict: 'won' }, /already closed/)
    const rows = await world.stripe.balanceTransactions.list({ type: 'adjustment' })
    assert.deepEqual(
      rows.data.map(({ amount }) => amount),
      [-900],
    )
  })

  test('is refused with its reason instead of passing for done', async () => {
    const { id } = await paid()
    await refused(`payment_intents/${id}/settle`, { result: 'failed' }, /succeeded, not processing/)
    await refused('charges/ch_none/warn', {}, /No such paid charge/)
    const [endpoint] = (await world.stripe.webhookEndpoints.list()).data
    const roll = `webhook_endpoints/${endpoint?.id}/roll`
    for (const overlapSeconds of ['soon', -1, [60], {}])
      await refused(roll, { overlapSeconds }, /overlapSeconds must be a number/)
    for (const seconds of [true, [60], 'soon', null])
      await refused('clock/advance', { seconds }, /seconds must be a number/)
  })
})

test('a page of another site cannot drive the sandbox', async () => {
  const answer = await fetch(`${world.sandbox.url}/_sandbox/reset`, {
    method: 'POST',
    headers: { 'sec-fetch-site': 'cross-site' },
  })
  assert.equal(answer.status, 403)
})

test('reset forgets everything but the webhook endpoints', async () => {
  await world.stripe.customers.create({})
  await control(world.sandbox, 'reset', {})
  assert.equal((await world.stripe.customers.list()).data.length, 0)
  assert.equal((await world.stripe.events.list()).data.length, 0)
  assert.equal((await world.stripe.webhookEndpoints.list()).data.length, 1)
})
