import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type Stripe from 'stripe'
import type { World } from './merchant.ts'
import { failure, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.stop())

const confirmed = (payment_method: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  world.stripe.paymentIntents.create({
    amount: 2000,
    currency: 'eur',
    payment_method,
    confirm: true,
    ...more,
  })

const eventsOf = async (id: string): Promise<string[]> => {
  const { data } = await world.stripe.events.list({ limit: 100 })
  return data
    .filter(
      ({ data: { object } }) =>
        (object as { id?: string }).id === id ||
        (object as { payment_intent?: string }).payment_intent === id,
    )
    .map(({ type }) => type)
    .toReversed()
}

describe('a PaymentIntent', () => {
  test('confirmed with a good card succeeds, and tells it in order', async () => {
    const intent = await confirmed('pm_card_visa', { metadata: { a: '1' } })
    assert.equal(intent.status, 'succeeded')
    assert.equal(intent.amount_received, 2000)
    assert.deepEqual((await eventsOf(intent.id)).slice(0, 3), [
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
    ])
    const charge = await world.stripe.charges.retrieve(intent.latest_charge as string)
    assert.deepEqual(charge.metadata, { a: '1' })
  })

  test('declined answers 402 with the whole intent, keeps its rows, and can be tried again', async () => {
    const error = await failure(confirmed('pm_card_chargeDeclined'))
    assert.equal(error.statusCode, 402)
    assert.equal(error.type, 'StripeCardError')
    assert.equal(error.code, 'card_declined')
    assert.equal(error.decline_code, 'generic_decline')
    assert.equal(error.message, 'Your card was declined.')
    assert.equal((error.raw as { advice_code?: string }).advice_code, 'try_again_later')
    const intent = error.payment_intent
    assert.ok(intent)
    assert.equal(intent.status, 'requires_payment_method')
    assert.equal(intent.latest_charge, error.charge)
    assert.deepEqual(await eventsOf(intent.id), [
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
    ])
    const again = await world.stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })
    assert.equal(again.status, 'succeeded')
    assert.equal(again.last_payment_error, null)
  })

  test('expanding an answer changes neither the record nor what was told', async () => {
    const customer = await world.stripe.customers.create({})
    const method = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
      customer: customer.id,
    })
    const error = await failure(confirmed(method.id, { customer: customer.id }))
    const id = error.payment_intent?.id ?? ''
    const path = 'last_payment_error.payment_method.customer'
    const expanded = await world.stripe.paymentIntents.retrieve(id, { expand: [path] })
    const owner = expanded.last_payment_error?.payment_method?.customer
    assert.ok(typeof owner === 'object' && owner?.id === customer.id)
    const plain = await world.stripe.paymentIntents.retrieve(id)
    assert.equal(plain.last_payment_error?.payment_method?.customer, customer.id)
  })

  test('asks for 3-D Secure by redirect when it has a return_url, by the SDK otherwise', async () => {
    const redirected = await confirmed('pm_card_authenticationRequired', {
      return_url: 'http://127.0.0.1/back',
    })
    assert.equal(redirected.status, 'requires_action')
    assert.equal(redirected.next_action?.type, 'redirect_to_url')
    assert.equal(redirected.next_action?.redirect_to_url?.return_url, 'http://127.0.0.1/back')
    const bySdk = await confirmed('pm_card_authenticationRequired')
    assert.equal(bySdk.next_action?.type, 'use_stripe_sdk')
  })

  test('after a passed challenge succeeds, and after a failed one says so without a charge', async () => {
    for (const [answer, status, redirect] of [
      ['complete', 'succeeded', 'succeeded'],
      ['fail', 'requires_payment_method', 'failed'],
    ] as const) {
      const intent = await confirmed('pm_card_authenticationRequired', {
        return_url: 'http://127.0.0.1/back?x=1',
      })
      const left = await fetch(`${world.sandbox.url}/c/3ds/${intent.id}`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ client_secret: intent.client_secret ?? '', answer }),
      })
      assert.equal(left.status, 303)
      const target = new URL(left.headers.get('location') ?? '')
      assert.equal(target.searchParams.get('redirect_status'), redirect)
      assert.equal(target.searchParams.get('payment_intent'), intent.id)
      const done = await world.stripe.paymentIntents.retrieve(intent.id)
      assert.equal(done.status, status)
      if (answer === 'fail') {
        assert.equal(done.last_payment_error?.code, 'payment_intent_authentication_failure')
        assert.equal(done.latest_charge, null)
      }
    }
  })

  test('off session, a card that wants authentication is declined', async () => {
    const error = await failure(confirmed('pm_card_authenticationRequired', { off_session: true }))
    assert.equal(error.statusCode, 402)
    assert.equal(error.code, 'authentication_required')
  })

  test('held and captured in part releases the rest', async () => {
    const held = await confirmed('pm_card_visa', { capture_method: 'manual' })
    assert.equal(held.status, 'requires_capture')
    assert.equal(held.amount_capturable, 2000)
    assert.equal(
      (await failure(world.stripe.paymentIntents.capture(held.id, { amount_to_capture: 2001 }))).code,
      'amount_too_large',
    )
    const captured = await world.stripe.paymentIntents.capture(held.id, { amount_to_capture: 1500 })
    assert.equal(captured.status, 'succeeded')
    assert.equal(captured.amount_received, 1500)
    assert.deepEqual((await eventsOf(held.id)).slice(0, 5), [
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.amount_capturable_updated',
      'charge.captured',
      'payment_intent.succeeded',
    ])
    assert.equal(
      (await failure(world.stripe.paymentIntents.capture(held.id))).code,
      'payment_intent_unexpected_state',
    )
  })

  test('is cancelled while unpaid, and never once it succeeded', async () => {
    const open = await world.stripe.paymentIntents.create({ amount: 500, currency: 'usd' })
    const canceled = await world.stripe.paymentIntents.cancel(open.id, { cancellation_reason: 'abandoned' })
    assert.equal(canceled.status, 'canceled')
    assert.equal(canceled.cancellation_reason, 'abandoned')
    const paid = await confirmed('pm_card_visa')
    const error = await failure(world.stripe.paymentIntents.cancel(paid.id))
    assert.equal(error.code, 'payment_intent_unexpected_state')
    assert.equal(error.payment_intent?.id, paid.id)
    assert.match(
      error.message,
      /^You cannot cancel this PaymentIntent because it has a status of succeeded\. Only/,
    )
  })

  test('refuses payment_method_types with the code of its removal', async () => {
    const params = {
      amount: 500,
      currency: 'eur',
      payment_method_types: ['card'],
    } as Stripe.PaymentIntentCreateParams
    assert.equal(
      (await failure(world.stripe.paymentIntents.create(params))).code,
      'payment_method_types_no_longer_supported',
    )
  })

  test('never keeps a card number', async () => {
    const method = await world.stripe.paymentMethods.create({
      type: 'card',
      card: { number: '4242424242424242', exp_month: 12, exp_year: 2034, cvc: '123' },
    })
    assert.equal(method.card?.last4, '4242')
    assert.ok(!JSON.stringify(method).includes('42424242'))
  })
})
