import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import Stripe from 'stripe'
import { WebSocket } from 'ws'
import type { World } from './merchant.ts'
import { control, SECRET, startWorld } from './merchant.ts'
import { NO_CLI, runStripe, startStripe } from './stripe-cli.ts'

// What `stripe trigger` offers about payments, and the object that its event carries.
const TRIGGERS: Readonly<Record<string, string>> = {
  'balance.available': 'balance',
  'cash_balance.funds_available': 'cash_balance',
  'charge.captured': 'charge',
  'charge.dispute.closed': 'dispute',
  'charge.dispute.created': 'dispute',
  'charge.dispute.updated': 'dispute',
  'charge.failed': 'charge',
  'charge.refund.updated': 'refund',
  'charge.refunded': 'charge',
  'charge.succeeded': 'charge',
  'checkout.session.async_payment_failed': 'checkout.session',
  'checkout.session.async_payment_succeeded': 'checkout.session',
  'checkout.session.completed': 'checkout.session',
  'checkout.session.expired': 'checkout.session',
  'coupon.created': 'coupon',
  'coupon.deleted': 'coupon',
  'coupon.updated': 'coupon',
  'customer.created': 'customer',
  'customer.deleted': 'customer',
  'customer.discount.created': 'discount',
  'customer.discount.deleted': 'discount',
  'customer.discount.updated': 'discount',
  'customer.source.created': 'card',
  'customer.source.updated': 'card',
  'customer.updated': 'customer',
  'customer_cash_balance_transaction.created': 'customer_cash_balance_transaction',
  'payment_intent.amount_capturable_updated': 'payment_intent',
  'payment_intent.canceled': 'payment_intent',
  'payment_intent.created': 'payment_intent',
  'payment_intent.partially_funded': 'payment_intent',
  'payment_intent.payment_failed': 'payment_intent',
  'payment_intent.processing': 'payment_intent',
  'payment_intent.requires_action': 'payment_intent',
  'payment_intent.succeeded': 'payment_intent',
  'payment_link.created': 'payment_link',
  'payment_link.updated': 'payment_link',
  'payment_method.attached': 'payment_method',
  'payment_method.detached': 'payment_method',
  'payment_method.updated': 'payment_method',
  'payout.created': 'payout',
  'payout.updated': 'payout',
  'price.created': 'price',
  'price.updated': 'price',
  'product.created': 'product',
  'product.deleted': 'product',
  'product.updated': 'product',
  'promotion_code.created': 'promotion_code',
  'promotion_code.updated': 'promotion_code',
  'setup_intent.canceled': 'setup_intent',
  'setup_intent.created': 'setup_intent',
  'setup_intent.requires_action': 'setup_intent',
  'setup_intent.setup_failed': 'setup_intent',
  'setup_intent.succeeded': 'setup_intent',
}
// Billing and the rest of Stripe, which the sandbox does not have.
const OTHERS =
  /^(account|billing_portal|credit_note|customer\.subscription|identity|invoice|invoiceitem|issuing_\w+|plan|quote|reporting|subscription|subscription_schedule|tax_rate|test_helpers|topup|transfer|v1\.billing)\./

describe('stripe trigger', { skip: NO_CLI, concurrency: 4 }, () => {
  test('offers nothing about payments that is not in the table here', async () => {
    const { output } = await runStripe(['trigger', '--help'], { url: 'http://127.0.0.1:1' })
    const offered = [...output.matchAll(/^ {2}(\w+(?:\.\w+)+)$/gm)].map(([, name = '']) => name)
    assert.ok(offered.length > 100)
    assert.deepEqual(
      offered.filter((name) => !OTHERS.test(name)),
      Object.keys(TRIGGERS),
    )
  })

  for (const [type, object] of Object.entries(TRIGGERS)) {
    test(`${type} sends that event, about a ${object}`, async () => {
      const world = await startWorld()
      try {
        const { code, output } = await runStripe(['trigger', type], world.sandbox)
        assert.equal(code, 0, output)
        assert.match(output, /Trigger succeeded/)
        const isIt = ({ event }: { event: Stripe.Event }) => event.type === type
        await world.receiver.until((received) => received.some(isIt))
        const delivery = world.receiver.received.find(isIt)
        assert.ok(delivery)
        const signature = String(delivery.headers['stripe-signature'])
        const event = world.stripe.webhooks.constructEvent(delivery.body, signature, SECRET)
        assert.equal((event.data.object as { object: string }).object, object)
        const kept = await world.stripe.events.retrieve(event.id)
        assert.deepEqual(JSON.parse(JSON.stringify(kept.data)), JSON.parse(delivery.body.toString()).data)
      } finally {
        await world.stop()
      }
    })
  }
})

describe('stripe listen', { skip: NO_CLI }, () => {
  let world: World
  before(async () => {
    // No endpoint of its own: what arrives has come through the terminal.
    world = await startWorld()
    for (const { id } of (await world.stripe.webhookEndpoints.list()).data) {
      await world.stripe.webhookEndpoints.del(id)
    }
  })
  beforeEach(() => {
    world.receiver.received.length = 0
    world.receiver.answer = () => 200
  })
  after(() => world.stop())

  const listen = (...args: string[]) =>
    startStripe(['listen', '--no-wss', '--skip-update', ...args], world.sandbox)

  test('forwards every event, signed with the secret it printed, and the delivery shows the answer', async () => {
    const terminal = listen('--all-snapshot', '--forward-to', world.receiver.url)
    const [, version, secret = ''] = await terminal.until(
      /Ready! You are using Stripe API Version \[(.+)\]\. Your webhook signing secret is (whsec_\w+) \(\^C to quit\)/,
    )
    assert.equal(version, Stripe.API_VERSION)
    await world.stripe.customers.create({ name: 'Ana' })
    await world.receiver.until((received) => received.length === 1)
    const [{ body, headers } = assert.fail()] = world.receiver.received
    const event = world.stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), secret)
    await terminal.until(new RegExp(`<-- {2}\\[200\\] POST .*${event.id}`))
    assert.deepEqual(await attempts(world, event.id), ['delivered', 200])
    assert.equal((await world.stripe.events.retrieve(event.id)).pending_webhooks, 0)

    world.receiver.answer = () => 500
    const { id } = await world.stripe.customers.create({ name: 'Bea' })
    await terminal.until(/\[500\] POST/)
    const failed = await eventAbout(world, id)
    assert.deepEqual(await attempts(world, failed.id), ['failed', 500])
    await terminal.stop()

    await world.stripe.customers.create({ name: 'Cleo' })
    assert.equal(world.receiver.received.length, 2, 'nobody listens any more')
  })

  test('prints the same secret every time, so that it can stay in a configuration', async () => {
    const first = await listen('--print-secret').ended
    assert.match(first.output, /^whsec_\w+\n$/)
    assert.equal((await listen('--print-secret').ended).output, first.output)
  })

  test('hears the latest version where it asks for it, each event once', async () => {
    const terminal = listen('--latest', '--all-snapshot', '--forward-to', world.receiver.url)
    await terminal.until(/Ready!/)
    const { id } = await world.stripe.customers.create({})
    const { id: event } = await eventAbout(world, id)
    await terminal.until(new RegExp(`<--.*${event}`))
    assert.equal(world.receiver.received.length, 1)
    await terminal.stop()
  })

  test('forwards only the types it names; the others count as heard', async () => {
    const terminal = listen('--events', 'product.created', '--forward-to', world.receiver.url)
    await terminal.until(/Ready!/)
    await world.stripe.customers.create({})
    await world.stripe.products.create({ name: 'Kayak' })
    await terminal.until(/<--.*\[evt_/)
    assert.deepEqual(world.receiver.types(), ['product.created'])
    await terminal.stop()
  })

  test('hears an event again after stripe events resend', async () => {
    const terminal = listen('--all-snapshot', '--forward-to', world.receiver.url)
    await terminal.until(/Ready!/)
    const { id } = await world.stripe.customers.create({})
    const event = await eventAbout(world, id)
    await world.receiver.until((received) => received.length === 1)
    const { code, output } = await runStripe(['events', 'resend', event.id], world.sandbox)
    assert.equal(code, 0, output)
    await world.receiver.until((received) => received.length === 2)
    assert.deepEqual(
      world.receiver.received.map((delivery) => delivery.event.id),
      [event.id, event.id],
    )
    await terminal.stop()
  })
})

describe('the other commands of stripe', { skip: NO_CLI }, () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.stop())

  const run = async (...args: string[]) => {
    const { code, output } = await runStripe(args, world.sandbox)
    assert.equal(code, 0, output)
    return JSON.parse(output) as Record<string, unknown>
  }

  test('make, change, list and read objects', async () => {
    const method = ['--payment-method', 'pm_card_visa', '--confirm=true']
    const made = await run('payment_intents', 'create', '--amount', '2000', '--currency', 'eur', ...method)
    assert.equal(made['status'], 'succeeded')
    const refund = await run('refunds', 'create', '--payment-intent', String(made['id']), '--amount', '500')
    assert.equal(refund['amount'], 500)
    const listed = await run('payment_intents', 'list', '--limit', '1')
    assert.equal((listed['data'] as { id: string }[])[0]?.id, made['id'])
    const charge = await run('get', `/v1/charges/${String(made['latest_charge'])}`)
    assert.equal(charge['amount_refunded'], 500)
    const posted = await run('post', '/v1/customers', '-d', 'name=Ana')
    assert.equal(posted['name'], 'Ana')
  })

  test('logs tail shows every call with its outcome', async () => {
    const terminal = startStripe(['logs', 'tail', '--no-wss'], world.sandbox)
    await terminal.until(/Ready!/)
    const declined = {
      amount: 900,
      currency: 'eur',
      confirm: true,
      payment_method: 'pm_card_visa_chargeDeclined',
    }
    await assert.rejects(world.stripe.paymentIntents.create(declined))
    await terminal.until(/\[402\] POST .*\/v1\/payment_intents.*\[req_\w+\]/)
    await terminal.until(/DeclineCode: generic_decline/)
    await terminal.stop()
  })
})

describe('the socket of a terminal', () => {
  test('of a session that is not known is refused in the words that make it open a new one', async () => {
    const world = await startWorld()
    const socket = new WebSocket(
      `ws://127.0.0.1:${world.sandbox.port}/subscribe?websocket_feature=webhooks`,
      {
        headers: { 'Websocket-Id': 'cliws_of_yesterday' },
      },
    )
    const answered = Promise.withResolvers<string>()
    socket.on('unexpected-response', (_request, response) => {
      response.setEncoding('utf8').on('data', answered.resolve)
    })
    assert.match(await answered.promise, /"message":"Unknown WebSocket ID\."/)
    await world.stop()
  })
})

async function attempts(world: World, event: string): Promise<(number | string | null)[]> {
  type Shown = { deliveries: { status: string; attempts: { status: number | null }[] }[] }
  const { deliveries } = await control<Shown>(world.sandbox, `deliveries?event=${event}`)
  return deliveries.flatMap((delivery) => [delivery.status, ...delivery.attempts.map(({ status }) => status)])
}

async function eventAbout(world: World, id: string): Promise<Stripe.Event> {
  const { data } = await world.stripe.events.list({ limit: 10 })
  const event = data.find((candidate) => (candidate.data.object as { id: string }).id === id)
  assert.ok(event)
  return event
}
