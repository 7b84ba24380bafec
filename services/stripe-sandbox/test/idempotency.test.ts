import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Stripe from 'stripe'
import type { World } from './merchant.ts'
import { failure, sdk, sessionParams, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld({ settings: { apiLatencyMs: 30 } })
})
after(() => world.stop())

test('the same key and parameters give the first answer again, byte for byte', async () => {
  const params = sessionParams()
  const first = await world.stripe.checkout.sessions.create(params, { idempotencyKey: 'again' })
  const second = await world.stripe.checkout.sessions.create(params, { idempotencyKey: 'again' })
  assert.equal(second.id, first.id)
  assert.deepEqual({ ...second }, { ...first })
  assert.equal(second.lastResponse.headers['idempotent-replayed'], 'true')
  assert.equal(second.lastResponse.headers['original-request'], first.lastResponse.requestId)
  assert.equal(first.lastResponse.headers['idempotent-replayed'], undefined)
})

test('the same key with other parameters is refused and changes nothing', async () => {
  await world.stripe.checkout.sessions.create(sessionParams(), { idempotencyKey: 'other' })
  const error = await failure(
    world.stripe.checkout.sessions.create(sessionParams({ client_reference_id: 'x' }), {
      idempotencyKey: 'other',
    }),
  )
  assert.equal(error.statusCode, 400)
  assert.equal(error.type, 'StripeIdempotencyError')
  assert.match(error.message, /^Keys for idempotent requests can only be used with the same parameters/)
})

test('the same key while the first call still runs is a 409, and the SDK that retries gets the first answer', async () => {
  const params = sessionParams()
  const both = await Promise.allSettled([
    world.stripe.checkout.sessions.create(params, { idempotencyKey: 'race' }),
    world.stripe.checkout.sessions.create(params, { idempotencyKey: 'race' }),
  ])
  const refused = both.find((result) => result.status === 'rejected')
  assert.ok(refused?.reason instanceof Stripe.errors.StripeAPIError)
  assert.equal(refused.reason.code, 'idempotency_key_in_use')
  assert.equal(refused.reason.statusCode, 409)
  const patient = sdk(world.sandbox, { maxNetworkRetries: 2 })
  const [one, two] = await Promise.all([
    patient.checkout.sessions.create(params, { idempotencyKey: 'patient' }),
    patient.checkout.sessions.create(params, { idempotencyKey: 'patient' }),
  ])
  assert.equal(one.id, two.id)
})

test('a decline is remembered: the same key replays the 402 and makes no second charge', async () => {
  const params = { amount: 2000, currency: 'eur', payment_method: 'pm_card_chargeDeclined', confirm: true }
  const first = await failure(world.stripe.paymentIntents.create(params, { idempotencyKey: 'declined' }))
  const second = await failure(world.stripe.paymentIntents.create(params, { idempotencyKey: 'declined' }))
  assert.equal(second.statusCode, 402)
  assert.equal(second.charge, first.charge)
  assert.equal(second.headers?.['idempotent-replayed'], 'true')
  const charges = await world.stripe.charges.list({ payment_intent: first.payment_intent?.id ?? '' })
  assert.equal(charges.data.length, 1)
})

test('a request that never ran is not remembered: the corrected one may use its key', async () => {
  await failure(
    world.stripe.checkout.sessions.create(sessionParams({ expires_at: Number.NaN }), {
      idempotencyKey: 'typo',
    }),
  )
  const session = await world.stripe.checkout.sessions.create(sessionParams(), { idempotencyKey: 'typo' })
  assert.equal(session.status, 'open')
})
