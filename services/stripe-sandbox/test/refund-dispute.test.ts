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

const paid = (payment_method = 'pm_card_visa') =>
  world.stripe.paymentIntents.create({ amount: 4000, currency: 'usd', payment_method, confirm: true })

const told = async (type: string, id: string): Promise<Stripe.Event> => {
  const matches = ({ event }: { event: Stripe.Event }): boolean => {
    const object = event.data.object as { id?: string; charge?: string; payment_intent?: string }
    return event.type === type && [object.id, object.charge, object.payment_intent].includes(id)
  }
  await world.receiver.until((received) => received.some(matches))
  return world.receiver.received.find(matches)?.event as Stripe.Event
}

describe('a refund', () => {
  test('in parts adds up on the charge, which counts as refunded only when whole', async () => {
    const { id } = await paid()
    const part = await world.stripe.refunds.create({
      payment_intent: id,
      amount: 1000,
      reason: 'requested_by_customer',
    })
    assert.equal(part.status, 'succeeded')
    const charge = await world.stripe.charges.retrieve(part.charge as string)
    assert.equal(charge.amount_refunded, 1000)
    assert.equal(charge.refunded, false)
    const tooMuch = await failure(world.stripe.refunds.create({ payment_intent: id, amount: 4000 }))
    assert.equal(
      tooMuch.message,
      'Refund amount ($40.00) is greater than unrefunded amount on charge ($30.00)',
    )
    assert.equal(tooMuch.param, 'amount')
    assert.equal(tooMuch.code, undefined)
    await world.stripe.refunds.create({ payment_intent: id })
    const whole = await world.stripe.charges.retrieve(part.charge as string, { expand: ['refunds'] })
    assert.equal(whole.refunded, true)
    assert.equal(whole.status, 'succeeded')
    assert.equal(whole.refunds?.data.length, 2)
    assert.equal((await world.stripe.paymentIntents.retrieve(id)).status, 'succeeded')
    const again = await failure(world.stripe.refunds.create({ payment_intent: id }))
    assert.equal(again.code, 'charge_already_refunded')
  })

  test('is told by refund.created, charge.refunded, refund.updated and charge.refund.updated, in that order', async () => {
    const { id } = await paid()
    const refund = await world.stripe.refunds.create({ payment_intent: id })
    await told('charge.refund.updated', refund.id)
    const { data } = await world.stripe.events.list({ limit: 20 })
    const types = data
      .filter(
        ({ type, data: { object } }) =>
          type.includes('refund') &&
          [(object as { id: string }).id, (object as { charge: string }).charge].some(
            (x) => x === refund.id || x === refund.charge,
          ),
      )
      .map(({ type }) => type)
    assert.deepEqual(types.toReversed(), [
      'refund.created',
      'charge.refunded',
      'refund.updated',
      'charge.refund.updated',
    ])
  })

  test('of the pending card succeeds later', async () => {
    const { id } = await paid('pm_card_pendingRefund')
    const refund = await world.stripe.refunds.create({ payment_intent: id })
    assert.equal(refund.status, 'pending')
    await told('refund.updated', refund.id)
    assert.equal((await world.stripe.refunds.retrieve(refund.id)).status, 'succeeded')
  })

  test('of the failing card succeeds first and fails later, and the charge can be refunded again', async () => {
    const { id } = await paid('pm_card_refundFail')
    const refund = await world.stripe.refunds.create({ payment_intent: id })
    assert.equal(refund.status, 'succeeded')
    const event = await told('refund.failed', refund.id)
    assert.equal((event.data.object as Stripe.Refund).failure_reason, 'expired_or_canceled_card')
    assert.equal((await world.stripe.charges.retrieve(refund.charge as string)).amount_refunded, 0)
  })

  const refusals: [title: string, params: object, check: (error: Stripe.errors.StripeError) => void][] = [
    ['without a target', {}, (error) => assert.match(error.message, /^One of the following params/)],
    [
      'for an unknown reason',
      { charge: 'ch_x', reason: 'none' },
      (error) =>
        assert.equal(
          error.message,
          'Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer',
        ),
    ],
    [
      'of an unknown charge',
      { charge: 'ch_x' },
      (error) => assert.equal(error.message, "No such charge: 'ch_x'"),
    ],
    [
      'of nothing',
      { charge: 'ch_x', amount: 0 },
      (error) => assert.equal(error.code, 'parameter_invalid_integer'),
    ],
  ]
  for (const [title, params, check] of refusals) {
    test(`${title} is refused in Stripe's words`, async () =>
      check(await failure(world.stripe.refunds.create(params))))
  }
})

describe('a dispute', () => {
  test('takes the money, blocks refunds, and is won by winning evidence, which gives it back', async () => {
    const { id, latest_charge: charge } = await paid('pm_card_createDispute')
    const opened = (await told('charge.dispute.funds_withdrawn', charge as string)).data
      .object as Stripe.Dispute
    assert.equal(opened.status, 'needs_response')
    assert.equal(opened.is_charge_refundable, false)
    assert.equal(opened.balance_transactions[0]?.net, -5500)
    assert.equal((await failure(world.stripe.refunds.create({ payment_intent: id }))).code, 'charge_disputed')
    const answered = await world.stripe.disputes.update(opened.id, {
      evidence: { uncategorized_text: 'winning_evidence' },
      submit: true,
    })
    assert.equal(answered.status, 'under_review')
    await told('charge.dispute.closed', opened.id)
    const won = await world.stripe.disputes.retrieve(opened.id)
    assert.equal(won.status, 'won')
    assert.equal(won.is_charge_refundable, true)
    assert.equal(
      won.balance_transactions.reduce((sum, row) => sum + row.net, 0),
      0,
    )
    assert.equal((await world.stripe.charges.retrieve(charge as string)).disputed, true)
    assert.equal(
      (await failure(world.stripe.disputes.close(opened.id))).message,
      'This dispute is already closed',
    )
  })

  test('that the merchant closes is lost at once', async () => {
    const { latest_charge: charge } = await paid('pm_card_createDisputeProductNotReceived')
    const opened = (await told('charge.dispute.created', charge as string)).data.object as Stripe.Dispute
    assert.equal((await world.stripe.disputes.close(opened.id)).status, 'lost')
  })

  test('that starts as an inquiry lets refunds through, and fails them when it escalates', async () => {
    const { id, latest_charge: charge } = await paid('pm_card_createDisputeInquiry')
    const inquiry = (await told('charge.dispute.created', charge as string)).data.object as Stripe.Dispute
    assert.equal(inquiry.status, 'warning_needs_response')
    assert.deepEqual(inquiry.balance_transactions, [])
    const refund = await world.stripe.refunds.create({ payment_intent: id, amount: 1000 })
    await world.stripe.disputes.update(inquiry.id, {
      evidence: { uncategorized_text: 'escalate_inquiry_evidence' },
      submit: true,
    })
    const failed = (await told('refund.failed', refund.id)).data.object as Stripe.Refund
    assert.equal(failed.failure_reason, 'charge_for_pending_refund_disputed')
    assert.equal((await world.stripe.disputes.retrieve(inquiry.id)).status, 'needs_response')
  })

  test('an early fraud warning names the charge and moves no money', async () => {
    const { latest_charge: charge } = await paid('pm_card_createIssuerFraudRecord')
    const warning = (await told('radar.early_fraud_warning.created', charge as string)).data
      .object as Stripe.Radar.EarlyFraudWarning
    assert.equal(warning.actionable, true)
  })
})
