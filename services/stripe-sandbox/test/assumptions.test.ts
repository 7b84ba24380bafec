// What Stripe's documentation leaves open: both answers of every switch.
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import type Stripe from 'stripe'
import { readSandboxConfig } from '../src/config.ts'
import type { Assumptions } from '../src/settings.ts'
import { DEFAULT_SETTINGS, readSettings, RETRY_SCHEDULES } from '../src/settings.ts'
import type { World } from './merchant.ts'
import { control, failure, sessionParams, startWorld } from './merchant.ts'

let world: World
afterEach(() => world.stop())

/** A sandbox that assumes this, with Stripe's own delays and a clock that stands. */
async function assuming(assume: Partial<Assumptions>): Promise<void> {
  world = await startWorld({ settings: { ...DEFAULT_SETTINGS, redirectWaitMs: 0, assume } })
  await control(world.sandbox, 'clock', { speed: 0 })
}
const advance = (seconds: number) => control(world.sandbox, 'clock/advance', { seconds })
const pay = (id: string, card: string) => control(world.sandbox, `sessions/${id}/pay`, { card })
const session = (id: string) => world.stripe.checkout.sessions.retrieve(id)
const newSession = (over: Partial<Stripe.Checkout.SessionCreateParams> = {}) =>
  world.stripe.checkout.sessions.create(sessionParams(over))
const told = async (): Promise<string[]> =>
  (await world.stripe.events.list({ limit: 100 })).data.map(({ type }) => type as string).toReversed()
const intent = (over: Partial<Stripe.PaymentIntentCreateParams>) =>
  world.stripe.paymentIntents.create({
    amount: 900,
    currency: 'eur',
    payment_method: 'pm_card_visa',
    confirm: true,
    ...over,
  })

describe('a switch', () => {
  for (const expiryCancelsPaymentIntent of [true, false]) {
    test(`expiryCancelsPaymentIntent: ${expiryCancelsPaymentIntent}`, async () => {
      await assuming({ expiryCancelsPaymentIntent })
      const { id } = await newSession()
      await pay(id, '4000000000000002')
      await world.stripe.checkout.sessions.expire(id)
      const { status } = await world.stripe.paymentIntents.retrieve(
        (await session(id)).payment_intent as string,
      )
      assert.equal(status, expiryCancelsPaymentIntent ? 'canceled' : 'requires_payment_method')
    })
  }

  for (const failedRefundLowersAmountRefunded of [true, false]) {
    test(`failedRefundLowersAmountRefunded: ${failedRefundLowersAmountRefunded}`, async () => {
      await assuming({ failedRefundLowersAmountRefunded })
      const { id, latest_charge } = await intent({ payment_method: 'pm_card_refundFail' })
      await world.stripe.refunds.create({ payment_intent: id })
      await advance(6)
      const { amount_refunded } = await world.stripe.charges.retrieve(latest_charge as string)
      assert.equal(amount_refunded, failedRefundLowersAmountRefunded ? 0 : 900)
    })
  }

  for (const sessionKeepsPaymentIntent of [true, false]) {
    test(`sessionKeepsPaymentIntent: ${sessionKeepsPaymentIntent}`, async () => {
      await assuming({ sessionKeepsPaymentIntent })
      const { id } = await newSession()
      await pay(id, '4000000000000002')
      const first = (await session(id)).payment_intent
      await pay(id, '4242424242424242')
      assert.equal((await session(id)).payment_intent === first, sessionKeepsPaymentIntent)
    })
  }

  for (const heldSessionPaymentStatus of ['unpaid', 'paid'] as const) {
    test(`heldSessionPaymentStatus: ${heldSessionPaymentStatus}`, async () => {
      await assuming({ heldSessionPaymentStatus })
      const { id } = await newSession({ payment_intent_data: { capture_method: 'manual' } })
      await pay(id, '4242424242424242')
      const { status, payment_status } = await session(id)
      assert.deepEqual([status, payment_status], ['complete', heldSessionPaymentStatus])
    })
  }

  for (const releaseTellsChargeRefunded of [true, false]) {
    test(`releaseTellsChargeRefunded: ${releaseTellsChargeRefunded}`, async () => {
      await assuming({ releaseTellsChargeRefunded })
      const { id } = await intent({ capture_method: 'manual' })
      await world.stripe.paymentIntents.cancel(id)
      const types = (await told()).slice(3)
      assert.deepEqual(types, [
        ...(releaseTellsChargeRefunded ? ['charge.refunded'] : []),
        'payment_intent.canceled',
      ])
    })
  }

  test('debitToldFirst: session', async () => {
    await assuming({ debitToldFirst: 'session' })
    const { id } = await newSession()
    await pay(id, 'AT611904300234573201')
    assert.deepEqual(await told(), [
      'checkout.session.completed',
      'payment_intent.created',
      'payment_intent.processing',
      'charge.pending',
    ])
    const { status, payment_status, payment_intent } = await session(id)
    assert.deepEqual([status, payment_status], ['complete', 'unpaid'])
    await advance(5)
    assert.equal((await session(id)).payment_status, 'paid')
    assert.equal((await world.stripe.paymentIntents.retrieve(payment_intent as string)).status, 'succeeded')
  })

  for (const removedSessionParameterCode of [
    'parameter_unknown',
    'payment_method_types_no_longer_supported',
    '',
  ]) {
    test(`removedSessionParameterCode: '${removedSessionParameterCode}'`, async () => {
      await assuming({ removedSessionParameterCode })
      const old = { payment_method_types: ['card'] } as Partial<Stripe.Checkout.SessionCreateParams>
      const error = await failure(newSession(old))
      assert.deepEqual([error.statusCode, error.code ?? ''], [400, removedSessionParameterCode])
    })
  }

  for (const laterMetadataReachesCharge of [true, false]) {
    test(`laterMetadataReachesCharge: ${laterMetadataReachesCharge}`, async () => {
      await assuming({ laterMetadataReachesCharge })
      const { id, latest_charge } = await intent({ metadata: { a: '1' } })
      await world.stripe.paymentIntents.update(id, { metadata: { b: '2' } })
      const { metadata } = await world.stripe.charges.retrieve(latest_charge as string)
      assert.deepEqual(metadata, laterMetadataReachesCharge ? { a: '1', b: '2' } : { a: '1' })
    })
  }

  for (const failedAuthenticationMakesCharge of [true, false]) {
    test(`failedAuthenticationMakesCharge: ${failedAuthenticationMakesCharge}`, async () => {
      await assuming({ failedAuthenticationMakesCharge })
      const { id } = await intent({
        payment_method: 'pm_card_authenticationRequired',
        return_url: 'http://localhost/r',
      })
      await control(world.sandbox, `payment_intents/${id}/authenticate`, { result: 'fail' })
      const { latest_charge, last_payment_error } = await world.stripe.paymentIntents.retrieve(id)
      assert.equal(latest_charge !== null, failedAuthenticationMakesCharge)
      assert.equal(last_payment_error?.charge ?? null, latest_charge)
      assert.equal((await told()).includes('charge.failed'), failedAuthenticationMakesCharge)
    })
  }

  for (const endpointDisabledAfterMs of [0, 3_600_000]) {
    test(`endpointDisabledAfterMs: ${endpointDisabledAfterMs}`, async () => {
      await assuming({ endpointDisabledAfterMs })
      world.receiver.answer = () => 500
      await world.stripe.customers.create({})
      await advance(2 * 3600)
      const [endpoint] = (await world.stripe.webhookEndpoints.list()).data
      assert.equal(endpoint?.status, endpointDisabledAfterMs === 0 ? 'enabled' : 'disabled')
    })
  }
})

describe('the schedules of retries', () => {
  const sumOf = (delays: readonly number[]): number => delays.reduce((sum, delayMs) => sum + delayMs, 0)

  test('of test mode: three times over a few hours; of live mode: ever rarer, for three days', () => {
    assert.equal(RETRY_SCHEDULES.test.length, 3)
    const { live } = RETRY_SCHEDULES
    assert.ok(live.every((delayMs, index) => delayMs >= (live[index - 1] ?? 0)))
    assert.ok(sumOf(live) <= 3 * 86_400_000 && sumOf(live) > 2 * 86_400_000)
  })

  test('is chosen while the sandbox runs; three days pass in one step', async () => {
    await assuming({})
    await control(world.sandbox, 'settings', { retries: 'live' })
    world.receiver.answer = () => 503
    await world.stripe.customers.create({})
    await advance(4 * 86_400)
    assert.equal(world.receiver.received.length, RETRY_SCHEDULES.live.length + 1)
    const { deliveries } = await control<{ deliveries: { status: string }[] }>(world.sandbox, 'deliveries')
    assert.equal(deliveries[0]?.status, 'failed')
  })
})

describe('settings in JSON', () => {
  test('change what they name and nothing else', async () => {
    await assuming({})
    await control(world.sandbox, 'settings', {
      disputeFee: 2000,
      assume: { laterMetadataReachesCharge: true },
    })
    const now = await control<typeof DEFAULT_SETTINGS>(world.sandbox, 'settings')
    assert.equal(now.disputeFee, 2000)
    assert.deepEqual(now.assume, { ...DEFAULT_SETTINGS.assume, laterMetadataReachesCharge: true })
    assert.deepEqual(now.fee, DEFAULT_SETTINGS.fee)
  })

  test('are read from the environment, or stop the start with a sentence', async () => {
    await assuming({})
    const read = (text: string) => readSandboxConfig({ SANDBOX_SETTINGS: text }).settings
    assert.deepEqual(read('{"disputeFee":1,"retries":"test"}'), {
      disputeFee: 1,
      retryDelaysMs: RETRY_SCHEDULES.test,
    })
    assert.throws(() => read('{"colour":1}'), /SANDBOX_SETTINGS: There is no setting colour/)
    assert.throws(() => read('{'), /SANDBOX_SETTINGS: it is not JSON/)
  })

  const wrong: [value: unknown, sentence: RegExp][] = [
    [{ colour: 'red' }, /There is no setting colour\. There are: .*disputeFee/],
    [{ disputeFee: '2000' }, /disputeFee must be a number, such as 1500/],
    [{ debitDelayMs: -1 }, /debitDelayMs must be a number/],
    [{ retryDelaysMs: [1, 'x'] }, /retryDelaysMs must be a list of milliseconds/],
    [{ retries: 'never' }, /retries must be one of quick, test, live/],
    [{ assume: { debitToldFirst: 'both' } }, /assume\.debitToldFirst must be one of payment_intent, session/],
    [{ assume: [] }, /assume must be an object/],
    [null, /settings must be an object/],
  ]
  for (const [value, sentence] of wrong)
    test(`${JSON.stringify(value)} is refused`, async () => {
      await assuming({})
      assert.throws(() => readSettings(value), sentence)
    })
})
