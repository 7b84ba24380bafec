// Stripe's refusals, word for word: status, code, parameter and sentence.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type Stripe from 'stripe'
import type { World } from './merchant.ts'
import { control, failure, sessionParams, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld({ settings: { chargeUpdatedDelayMs: 0 } })
})
after(() => world.stop())

const NONE = undefined
type Refusal = [
  title: string,
  call: (stripe: Stripe) => Promise<unknown>,
  answer: [status: number, code: string | undefined, param: string | undefined, message: string | RegExp],
]

const paid = (over: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  world.stripe.paymentIntents.create({
    amount: 4000,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
    ...over,
  })
const session = (over: object) => world.stripe.checkout.sessions.create({ ...sessionParams(), ...over })
const priced = (currency: string, unit_amount: number): object => ({
  line_items: [{ quantity: 1, price_data: { currency, unit_amount, product_data: { name: 'Kayak' } } }],
})
const inMinutes = (minutes: number): number => Math.floor(Date.now() / 1000) + minutes * 60

const REFUSALS: readonly Refusal[] = [
  [
    'an unknown PaymentIntent',
    (s) => s.paymentIntents.retrieve('pi_x'),
    [404, 'resource_missing', 'intent', "No such payment_intent: 'pi_x'"],
  ],
  [
    'an unknown charge',
    (s) => s.charges.retrieve('ch_x'),
    [404, 'resource_missing', 'id', "No such charge: 'ch_x'"],
  ],
  [
    'a refund of an unknown charge',
    (s) => s.refunds.create({ charge: 'ch_x' }),
    [404, 'resource_missing', 'id', "No such charge: 'ch_x'"],
  ],
  [
    'an unknown Session',
    (s) => s.checkout.sessions.retrieve('cs_x'),
    [404, 'resource_missing', 'session', "No such checkout.session: 'cs_x'"],
  ],
  [
    'an unknown dispute',
    (s) => s.disputes.retrieve('du_x'),
    [404, 'resource_missing', 'dispute', "No such dispute: 'du_x'"],
  ],
  [
    'an unknown refund',
    (s) => s.refunds.retrieve('re_x'),
    [404, 'resource_missing', 'refund', "No such refund: 're_x'"],
  ],
  [
    'an unknown customer',
    (s) => s.customers.retrieve('cus_x'),
    [404, 'resource_missing', 'id', "No such customer: 'cus_x'"],
  ],
  [
    'an unknown customer in a body',
    (s) => s.paymentIntents.create({ amount: 500, currency: 'eur', customer: 'cus_x' }),
    [400, 'resource_missing', 'customer', "No such customer: 'cus_x'"],
  ],
  [
    'a refund of an unknown PaymentIntent',
    (s) => s.refunds.create({ payment_intent: 'pi_x' }),
    [400, 'resource_missing', 'payment_intent', "No such payment_intent: 'pi_x'"],
  ],
  [
    'a refund without a target',
    (s) => s.refunds.create({}),
    [
      400,
      NONE,
      NONE,
      'One of the following params should be provided for this request: payment_intent or charge.',
    ],
  ],
  [
    'a refund of more than there is',
    async (s) => {
      const { id } = await paid()
      await s.refunds.create({ payment_intent: id, amount: 1000 })
      return s.refunds.create({ payment_intent: id, amount: 4000 })
    },
    [400, NONE, 'amount', 'Refund amount ($40.00) is greater than unrefunded amount on charge ($30.00)'],
  ],
  [
    'the same in euros',
    async (s) => s.refunds.create({ payment_intent: (await paid({ currency: 'eur' })).id, amount: 4001 }),
    [400, NONE, 'amount', 'Refund amount (€40.01) is greater than unrefunded amount on charge (€40.00)'],
  ],
  [
    'the same in yen',
    async (s) => s.refunds.create({ payment_intent: (await paid({ currency: 'jpy' })).id, amount: 4001 }),
    [400, NONE, 'amount', 'Refund amount (¥4,001) is greater than unrefunded amount on charge (¥4,000)'],
  ],
  [
    'a second whole refund',
    async (s) => {
      const { id } = await paid()
      await s.refunds.create({ payment_intent: id })
      return s.refunds.create({ payment_intent: id })
    },
    [400, 'charge_already_refunded', NONE, /^Charge ch_\w+ has already been refunded\.$/],
  ],
  [
    'a refund of what was charged back',
    async (s) => {
      const { id, latest_charge } = await paid()
      await control(world.sandbox, `charges/${latest_charge as string}/dispute`, {})
      return s.refunds.create({ payment_intent: id })
    },
    [400, 'charge_disputed', NONE, /^Charge ch_\w+ has been charged back; cannot issue a refund\.$/],
  ],
  [
    'a refund of nothing',
    (s) => s.refunds.create({ charge: 'ch_x', amount: 0 }),
    [400, 'parameter_invalid_integer', 'amount', 'This value must be greater than or equal to 1.'],
  ],
  [
    'a refund for no good reason',
    (s) => s.refunds.create({ charge: 'ch_x', reason: 'bored' as 'duplicate' }),
    [400, NONE, 'reason', 'Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer'],
  ],
  [
    'a refund of an unpaid PaymentIntent',
    async (s) =>
      s.refunds.create({
        payment_intent: (await s.paymentIntents.create({ amount: 500, currency: 'eur' })).id,
      }),
    [400, NONE, NONE, /^This PaymentIntent \(pi_\w+\) does not have a successful charge to refund\.$/],
  ],
  [
    'the cancel of a refund',
    async (s) => s.refunds.cancel((await s.refunds.create({ payment_intent: (await paid()).id })).id),
    [400, NONE, NONE, 'Canceling this refund is unsupported.'],
  ],
  [
    'the cancel of a paid PaymentIntent',
    async (s) => s.paymentIntents.cancel((await paid()).id),
    [
      400,
      'payment_intent_unexpected_state',
      NONE,
      'You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing.',
    ],
  ],
  [
    'a capture of more than is held',
    async (s) =>
      s.paymentIntents.capture((await paid({ capture_method: 'manual' })).id, { amount_to_capture: 4001 }),
    [400, 'amount_too_large', 'amount_to_capture', /greater than the authorized amount/],
  ],
  [
    'a capture of what is taken',
    async (s) => s.paymentIntents.capture((await paid()).id),
    [
      400,
      'payment_intent_unexpected_state',
      NONE,
      /could not be captured because it has a status of succeeded/,
    ],
  ],
  [
    'payment_method_types on a PaymentIntent',
    (s) =>
      s.paymentIntents.create({
        amount: 500,
        currency: 'eur',
        payment_method_types: ['card'],
      } as Stripe.PaymentIntentCreateParams),
    [400, 'payment_method_types_no_longer_supported', 'payment_method_types', /no longer supported/],
  ],
  [
    'payment_method_types on a Session',
    () => session({ payment_method_types: ['card'] }),
    [400, 'parameter_unknown', 'payment_method_types', 'Received unknown parameter: payment_method_types'],
  ],
  [
    'a Session without a mode',
    (s) => s.checkout.sessions.create({ success_url: 'http://localhost/' }),
    [400, 'parameter_missing', 'mode', 'Missing required param: mode.'],
  ],
  [
    'a PaymentIntent without an amount',
    (s) => s.paymentIntents.create({ currency: 'eur' } as Stripe.PaymentIntentCreateParams),
    [400, 'parameter_missing', 'amount', 'Missing required param: amount.'],
  ],
  [
    'a PaymentIntent of nothing',
    (s) => s.paymentIntents.create({ amount: 0, currency: 'eur' }),
    [
      400,
      'parameter_invalid_integer',
      'amount',
      /^The amount must be greater than or equal to the minimum charge amount allowed for your account and the currency set \(https:\/\/docs\.stripe\.com\/currencies#minimum-and-maximum-charge-amounts\)\. If you want to save a Payment Method for future use without an immediate payment, use a Setup Intent instead: /,
    ],
  ],
  [
    'a PaymentIntent with a third decimal that no card network carries',
    async (s) => {
      await s.paymentIntents.create({ amount: 18_500, currency: 'kwd' })
      return s.paymentIntents.create({ amount: 18_505, currency: 'kwd' })
    },
    [400, 'parameter_invalid_integer', 'amount', 'An amount in kwd must be a multiple of 10.'],
  ],
  [
    'a Session with a part of an ISK',
    async () => {
      await session(priced('isk', 500))
      return session(priced('isk', 550))
    },
    [
      400,
      'parameter_invalid_integer',
      'line_items[0][price_data][unit_amount]',
      'An amount in isk must be a multiple of 100.',
    ],
  ],
  [
    'the payment methods of an unknown customer',
    (s) => s.customers.listPaymentMethods('cus_x'),
    [404, 'resource_missing', 'customer', "No such customer: 'cus_x'"],
  ],
  [
    'a refund of a third decimal',
    async (s) => {
      const { id } = await paid({ amount: 40_000, currency: 'kwd' })
      await s.refunds.create({ payment_intent: id, amount: 10_010 })
      return s.refunds.create({ payment_intent: id, amount: 10_015 })
    },
    [400, 'parameter_invalid_integer', 'amount', 'An amount in kwd must be a multiple of 10.'],
  ],
  [
    'a capture of a third decimal',
    async (s) => {
      const { id } = await paid({ amount: 40_000, currency: 'kwd', capture_method: 'manual' })
      return s.paymentIntents.capture(id, { amount_to_capture: 10_015 })
    },
    [400, 'parameter_invalid_integer', 'amount_to_capture', 'An amount in kwd must be a multiple of 10.'],
  ],
  [
    'a coupon of a third decimal',
    (s) => s.coupons.create({ amount_off: 1005, currency: 'kwd' }),
    [400, 'parameter_invalid_integer', 'amount_off', 'An amount in kwd must be a multiple of 10.'],
  ],
  [
    'a currency that Stripe does not take',
    (s) => s.paymentIntents.create({ amount: 1000, currency: 'xxx' }),
    [
      400,
      NONE,
      'currency',
      /^Invalid currency: xxx\. Stripe currently supports these currencies: usd, aed, afn, .*, eur, .*, zmw/,
    ],
  ],
  [
    'a Session below the minimum',
    () => session(priced('usd', 49)),
    [
      400,
      'amount_too_small',
      NONE,
      "The Checkout Session's total amount due must add up to at least $0.50 usd",
    ],
  ],
  [
    'a Session below the minimum in forints',
    () => session(priced('huf', 17_499)),
    [
      400,
      'amount_too_small',
      NONE,
      /^The Checkout Session's total amount due must add up to at least .*175\.00.* huf$/,
    ],
  ],
  [
    'a Session that ends too soon',
    () => session({ expires_at: inMinutes(29) }),
    [
      400,
      NONE,
      'expires_at',
      'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.',
    ],
  ],
  [
    'an amount that is no number',
    (s) => s.paymentIntents.create({ amount: 'ten' as unknown as number, currency: 'eur' }),
    [400, 'parameter_invalid_integer', 'amount', 'Invalid integer: ten'],
  ],
  [
    'two cursors',
    (s) => s.charges.list({ starting_after: 'ch_1', ending_before: 'ch_2' }),
    [400, NONE, NONE, 'You may only specify one of these parameters: starting_after, ending_before.'],
  ],
  [
    'a cursor that leads nowhere',
    (s) => s.charges.list({ starting_after: 'ch_x' }),
    [400, 'resource_missing', 'starting_after', "No such charge: 'ch_x'"],
  ],
  [
    'a page of more than 100',
    (s) => s.charges.list({ limit: 101 }),
    [400, 'parameter_invalid_integer', 'limit', /less than or equal to 100/],
  ],
  [
    '51 keys of metadata',
    (s) =>
      s.customers.create({
        metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, 'v'])),
      }),
    [400, NONE, 'metadata', /50/],
  ],
  [
    'metadata of 501 characters',
    (s) => s.customers.create({ metadata: { long: 'x'.repeat(501) } }),
    [400, NONE, 'metadata[long]', /up to 500 characters, but you passed in a value that is 501/],
  ],
  [
    'a reference of 201 characters',
    () => session({ client_reference_id: 'x'.repeat(201) }),
    [400, 'parameter_invalid_string_length', 'client_reference_id', /at most 200 characters/],
  ],
  [
    'an expansion of what cannot be expanded',
    (s) => s.charges.list({ expand: ['data.amount'] }),
    [400, NONE, 'expand', /cannot be expanded \(amount\)/],
  ],
]

describe('Stripe refuses', () => {
  before(() => paid())
  for (const [title, call, [status, code, param, message]] of REFUSALS) {
    test(title, async () => {
      const error = await failure(call(world.stripe))
      if (typeof message === 'string') assert.equal(error.message, message)
      else assert.match(error.message, message)
      assert.deepEqual([error.statusCode, error.code, error.param], [status, code, param])
      assert.equal(error.rawType, 'invalid_request_error')
      if (code !== undefined) assert.match(error.doc_url ?? '', /^https:\/\/stripe\.com\/docs\/error-codes\//)
      assert.match(error.requestId ?? '', /^req_\w{14}$/)
    })
  }

  test('in a wrong state with the PaymentIntent inside the error', async () => {
    const { id } = await paid()
    assert.equal((await failure(world.stripe.paymentIntents.cancel(id))).payment_intent?.id, id)
    assert.equal((await failure(world.stripe.paymentIntents.capture(id))).payment_intent?.id, id)
  })

  test('a key that means something else, with the key in the sentence', async () => {
    await world.stripe.customers.create({ name: 'Ana' }, { idempotencyKey: 'key-1' })
    const error = await failure(world.stripe.customers.create({ name: 'Bea' }, { idempotencyKey: 'key-1' }))
    assert.deepEqual([error.statusCode, error.rawType], [400, 'idempotency_error'])
    assert.equal(
      error.message,
      "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than 'key-1' if you meant to execute a different request.",
    )
  })
})

describe('an answer', () => {
  const raw = (path: string, init: { method?: string; headers?: Record<string, string> } = {}) =>
    fetch(world.sandbox.url + path, {
      ...init,
      headers: { authorization: 'Bearer sk_test_x', 'stripe-version': '2026-10-28.endive', ...init.headers },
    })

  test('carries the headers of Stripe', async () => {
    const { headers } = await raw('/v1/customers', { method: 'POST', headers: { 'idempotency-key': 'h1' } })
    const requestId = headers.get('request-id') ?? ''
    assert.match(requestId, /^req_\w{14}$/)
    const expected: Record<string, string> = {
      'original-request': requestId,
      'idempotency-key': 'h1',
      'stripe-version': '2026-10-28.endive',
      'stripe-should-retry': 'false',
      'cache-control': 'no-cache, no-store',
      vary: 'Origin',
      'access-control-allow-origin': '*',
      'x-stripe-routing-context-priority-tier': 'api-testmode',
    }
    for (const [name, value] of Object.entries(expected)) assert.equal(headers.get(name), value, name)
    assert.match(headers.get('content-type') ?? '', /^application\/json/)
    assert.match(headers.get('strict-transport-security') ?? '', /max-age=\d+/)
    const again = await raw('/v1/customers', { method: 'POST', headers: { 'idempotency-key': 'h1' } })
    assert.equal(again.headers.get('idempotent-replayed'), 'true')
    assert.equal(again.headers.get('original-request'), requestId)
    assert.notEqual(again.headers.get('request-id'), requestId)
  })

  test('is indented by two spaces, also when it refuses', async () => {
    for (const path of ['/v1/customers', '/v1/charges/ch_x']) {
      const text = await (await raw(path)).text()
      assert.equal(text, JSON.stringify(JSON.parse(text), null, 2))
    }
    assert.equal((await raw('/v1/charges/ch_x')).headers.get('stripe-should-retry'), null)
  })

  test('to a wrong key is a 401 that gives nothing away', async () => {
    const answer = await raw('/v1/customers', { headers: { authorization: 'Bearer sk_live_secret123' } })
    assert.equal(answer.status, 401)
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="Stripe"')
    assert.deepEqual([answer.headers.get('request-id'), answer.headers.get('stripe-version')], [null, null])
    const text = await answer.text()
    assert.ok(!text.includes('secret123'))
    assert.equal((JSON.parse(text) as { error: { type: string } }).error.type, 'invalid_request_error')
  })

  test('is expanded along dotted paths, in lists and in lists of lists', async () => {
    const { id } = await paid()
    await world.stripe.refunds.create({ payment_intent: id, amount: 100 })
    const intents = await world.stripe.paymentIntents.list({
      limit: 1,
      expand: ['data.latest_charge.payment_intent', 'data.payment_method'],
    })
    const intent = intents.data[0]
    assert.equal((intent?.payment_method as Stripe.PaymentMethod | undefined)?.object, 'payment_method')
    const charge = intent?.latest_charge as Stripe.Charge | undefined
    assert.equal((charge?.payment_intent as Stripe.PaymentIntent | undefined)?.id, id)
    const charges = await world.stripe.charges.list({
      limit: 1,
      expand: ['data.refunds.data.balance_transaction'],
    })
    const refund = charges.data[0]?.refunds?.data[0]
    assert.equal((refund?.balance_transaction as Stripe.BalanceTransaction | undefined)?.amount, -100)
    const plain = await world.stripe.paymentIntents.retrieve(id)
    assert.equal(typeof plain.latest_charge, 'string')
    const deep = ['data.latest_charge.refunds.data.balance_transaction']
    assert.match(
      (await failure(world.stripe.paymentIntents.list({ expand: deep }))).message,
      /^You cannot expand more than 4 levels of a property\./,
    )
  })
})
