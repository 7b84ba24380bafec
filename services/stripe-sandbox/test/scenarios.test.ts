// The lives of payments as they were recorded at Stripe: which events, in which order, and what the objects say then.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type Stripe from 'stripe'
import { DEFAULT_SETTINGS } from '../src/settings.ts'
import type { World } from './merchant.ts'
import { control, failure, sessionParams, startWorld } from './merchant.ts'

let world: World
beforeEach(async () => {
  // Stripe's own delays, and a clock that only moves when a scenario moves it.
  world = await startWorld({ settings: { ...DEFAULT_SETTINGS, redirectWaitMs: 0 } })
  await control(world.sandbox, 'clock', { speed: 0 })
})
afterEach(() => world.stop())

type Intent = Stripe.PaymentIntent
const advance = (seconds: number) => control(world.sandbox, 'clock/advance', { seconds })
const pay = (id: string, card: string, rest: object = {}) =>
  control<{ status: string; redirect?: string }>(world.sandbox, `sessions/${id}/pay`, {
    card,
    email: 'ana@example.com',
    ...rest,
  })
const retrieve = (id: string): Promise<Intent> => world.stripe.paymentIntents.retrieve(id)
const newSession = (over: Partial<Stripe.Checkout.SessionCreateParams> = {}) =>
  world.stripe.checkout.sessions.create(sessionParams(over))
const confirmed = (
  payment_method: string,
  over: Partial<Stripe.PaymentIntentCreateParams> = {},
): Promise<Intent> =>
  world.stripe.paymentIntents.create({
    amount: 4000,
    currency: 'usd',
    payment_method,
    confirm: true,
    ...over,
  })

/** The types of everything that has happened since `mark` events ago, oldest first. */
async function told(since = 0): Promise<string[]> {
  const { data } = await world.stripe.events.list({ limit: 100 })
  return data
    .map(({ type }) => type as string)
    .toReversed()
    .slice(since)
}
const happened = async (): Promise<number> => (await told()).length

describe('a card payment through a PaymentIntent', () => {
  test('succeeds at once; the balance transaction comes two seconds later', async () => {
    const { id } = await confirmed('pm_card_visa')
    assert.deepEqual(await told(), ['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded'])
    const intent = await world.stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] })
    const charge = intent.latest_charge as Stripe.Charge
    assert.deepEqual(
      [
        intent.status,
        intent.amount_received,
        intent.next_action,
        charge.status,
        charge.captured,
        charge.paid,
        charge.amount_captured,
        charge.balance_transaction,
      ],
      ['succeeded', 4000, null, 'succeeded', true, true, 4000, null],
    )
    await advance(3)
    assert.deepEqual(await told(3), ['charge.updated'])
    assert.match((await world.stripe.charges.retrieve(charge.id)).balance_transaction as string, /^txn_/)
    const created = (await world.stripe.events.list({ type: 'payment_intent.created' })).data[0]
    assert.equal((created?.data.object as Intent | undefined)?.status, 'requires_payment_method')
  })

  test('is declined: the same PaymentIntent can be tried again', async () => {
    const error = await failure(confirmed('pm_card_visa_chargeDeclined'))
    assert.deepEqual(await told(), [
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
    ])
    const raw = error.raw as { charge: string; payment_intent: Intent; advice_code: string; param?: string }
    assert.deepEqual(
      [error.statusCode, error.code, error.decline_code, raw.advice_code, raw.param],
      [402, 'card_declined', 'generic_decline', 'try_again_later', undefined],
    )
    const intent = await retrieve(raw.payment_intent.id)
    assert.deepEqual(
      [intent.status, intent.payment_method, intent.latest_charge, intent.last_payment_error?.charge],
      ['requires_payment_method', null, raw.charge, raw.charge],
    )
    const charge = await world.stripe.charges.retrieve(raw.charge)
    assert.deepEqual(
      [
        charge.status,
        charge.failure_code,
        charge.outcome?.type,
        charge.outcome?.network_status,
        charge.outcome?.reason,
      ],
      ['failed', 'card_declined', 'issuer_declined', 'declined_by_network', 'generic_decline'],
    )
    const paid = await world.stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })
    assert.deepEqual([paid.status, paid.last_payment_error], ['succeeded', null])
    assert.deepEqual(await told(3), ['charge.succeeded', 'payment_intent.succeeded'])
  })
})

describe('3-D Secure', () => {
  const challenged = () =>
    confirmed('pm_card_authenticationRequired', { return_url: 'http://localhost/back' })

  test('asks, and succeeds when the payer passes', async () => {
    const { id, next_action, latest_charge } = await challenged()
    assert.deepEqual(await told(), ['payment_intent.created', 'payment_intent.requires_action'])
    assert.deepEqual(
      [next_action?.type, next_action?.redirect_to_url?.return_url, latest_charge],
      ['redirect_to_url', 'http://localhost/back', null],
    )
    await control(world.sandbox, `payment_intents/${id}/authenticate`, { result: 'complete' })
    await advance(3)
    assert.deepEqual(await told(2), ['payment_intent.succeeded', 'charge.succeeded', 'charge.updated'])
  })

  test('failed leaves no charge and a PaymentIntent that can be tried again', async () => {
    const { id } = await challenged()
    await control(world.sandbox, `payment_intents/${id}/authenticate`, { result: 'fail' })
    assert.deepEqual(await told(2), ['payment_intent.payment_failed'])
    const intent = await retrieve(id)
    assert.deepEqual(
      [intent.status, intent.latest_charge, intent.last_payment_error?.code, intent.last_payment_error?.type],
      ['requires_payment_method', null, 'payment_intent_authentication_failure', 'invalid_request_error'],
    )
  })

  test('without a return_url is for the SDK in the browser', async () => {
    assert.equal(
      (await confirmed('pm_card_authenticationRequired', { use_stripe_sdk: true })).next_action?.type,
      'use_stripe_sdk',
    )
  })

  test('off session, or where an action is an error, is a decline', async () => {
    const off = await failure(confirmed('pm_card_authenticationRequired', { off_session: true }))
    assert.deepEqual(
      [off.statusCode, off.code, off.decline_code, off.message],
      [
        402,
        'authentication_required',
        'authentication_required',
        'Your card was declined. This transaction requires authentication.',
      ],
    )
    const refused = await failure(
      confirmed('pm_card_authenticationRequired', { error_on_requires_action: true }),
    )
    assert.deepEqual(
      [refused.code, refused.decline_code],
      ['authentication_required', 'authentication_not_handled'],
    )
  })
})

describe('Checkout', () => {
  test('creates its PaymentIntent when the payer confirms, and tells it in the recorded order', async () => {
    const session = await newSession()
    assert.deepEqual(
      [
        session.status,
        session.payment_status,
        session.payment_intent,
        session.expires_at - session.created,
        session.customer_details,
        session.ui_mode,
        session.payment_method_collection,
      ],
      ['open', 'unpaid', null, 86_400, null, 'hosted_page', 'if_required'],
    )
    assert.deepEqual(await told(), [])
    await pay(session.id, '4242424242424242')
    await advance(3)
    assert.deepEqual(await told(), [
      'charge.succeeded',
      'payment_intent.succeeded',
      'payment_intent.created',
      'checkout.session.completed',
      'charge.updated',
    ])
    const done = await world.stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
    assert.deepEqual(
      [done.status, done.payment_status, done.url, done.customer_details?.email],
      ['complete', 'paid', null, 'ana@example.com'],
    )
    assert.deepEqual((done.payment_intent as Intent).metadata, { booking_id: 'b1' })
  })

  test('stays open after a decline, without an event of its own', async () => {
    const { id } = await newSession()
    assert.equal((await pay(id, '4000000000000002')).status, 'declined')
    assert.deepEqual(await told(), [
      'charge.failed',
      'payment_intent.payment_failed',
      'payment_intent.created',
    ])
    assert.equal((await world.stripe.checkout.sessions.retrieve(id)).status, 'open')
    await pay(id, '4242424242424242')
    assert.deepEqual(await told(3), [
      'charge.succeeded',
      'payment_intent.succeeded',
      'checkout.session.completed',
    ])
  })

  test('with 3-D Secure tells the payment before the charge', async () => {
    const { id } = await newSession()
    await pay(id, '4000002500003155', { authenticate: 'complete' })
    await advance(3)
    assert.deepEqual(await told(), [
      'payment_intent.requires_action',
      'payment_intent.created',
      'payment_intent.succeeded',
      'charge.succeeded',
      'checkout.session.completed',
      'charge.updated',
    ])
  })

  test('that costs nothing is complete without a payment', async () => {
    const free = { currency: 'eur', unit_amount: 0, product_data: { name: 'A smile' } }
    const { id } = await newSession({ line_items: [{ quantity: 1, price_data: free }] })
    await pay(id, '4242424242424242')
    assert.deepEqual(await told(), ['checkout.session.completed'])
    const done = await world.stripe.checkout.sessions.retrieve(id)
    assert.deepEqual(
      [done.status, done.payment_status, done.payment_intent],
      ['complete', 'no_payment_required', null],
    )
  })

  const debits: [title: string, iban: string, waitS: number, last: string[], states: unknown[]][] = [
    [
      'succeeds',
      'AT611904300234573201',
      5,
      ['charge.succeeded', 'payment_intent.succeeded', 'checkout.session.async_payment_succeeded'],
      ['paid', 'succeeded'],
    ],
    [
      'fails',
      'AT861904300235473202',
      5,
      ['charge.failed', 'payment_intent.payment_failed', 'checkout.session.async_payment_failed'],
      ['unpaid', 'requires_payment_method'],
    ],
    [
      'succeeds after three minutes',
      'AT321904300235473204',
      181,
      ['charge.succeeded', 'payment_intent.succeeded', 'checkout.session.async_payment_succeeded'],
      ['paid', 'succeeded'],
    ],
    [
      'fails after three minutes',
      'AT051904300235473205',
      181,
      ['charge.failed', 'payment_intent.payment_failed', 'checkout.session.async_payment_failed'],
      ['unpaid', 'requires_payment_method'],
    ],
  ]
  for (const [title, iban, waitS, last, states] of debits) {
    test(`with a debit that ${title} is complete and unpaid first`, async () => {
      const { id } = await newSession()
      await pay(id, iban)
      assert.deepEqual(await told(), [
        'payment_intent.created',
        'payment_intent.processing',
        'charge.pending',
        'checkout.session.completed',
      ])
      const first = await world.stripe.checkout.sessions.retrieve(id, {
        expand: ['payment_intent.latest_charge'],
      })
      const intent = first.payment_intent as Intent
      assert.deepEqual(
        [first.status, first.payment_status, intent.status, (intent.latest_charge as Stripe.Charge).status],
        ['complete', 'unpaid', 'processing', 'pending'],
      )
      await advance(waitS - 3)
      if (waitS > 10) assert.equal(await happened(), 4, 'nothing happens before its time')
      await advance(3)
      assert.deepEqual(await told(4), last)
      const end = await world.stripe.checkout.sessions.retrieve(id)
      assert.deepEqual([end.payment_status, (await retrieve(intent.id)).status], states)
      assert.equal(end.status, 'complete')
    })
  }

  test('expires by hand or by itself, and only while open', async () => {
    const byHand = await newSession()
    const gone = await world.stripe.checkout.sessions.expire(byHand.id)
    assert.deepEqual([gone.status, gone.url, gone.payment_status], ['expired', null, 'unpaid'])
    const late = await newSession()
    await pay(late.id, '4000000000000002')
    const mark = await happened()
    await advance(86_401)
    assert.deepEqual(await told(mark), ['payment_intent.canceled', 'checkout.session.expired'])
    const expired = await world.stripe.checkout.sessions.retrieve(late.id)
    assert.equal((await retrieve(expired.payment_intent as string)).cancellation_reason, 'expired')
    const paid = await newSession()
    await pay(paid.id, '4242424242424242')
    const error = await failure(world.stripe.checkout.sessions.expire(paid.id))
    assert.deepEqual(
      [error.statusCode, error.message],
      [
        400,
        'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of `complete`.',
      ],
    )
  })
})

describe('money that is held', () => {
  const hold = () => confirmed('pm_card_visa', { capture_method: 'manual' })

  test('is captured, wholly or in part', async () => {
    const { id, status, amount_capturable, amount_received, latest_charge } = await hold()
    assert.deepEqual(await told(), [
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.amount_capturable_updated',
    ])
    assert.deepEqual([status, amount_capturable, amount_received], ['requires_capture', 4000, 0])
    const held = await world.stripe.charges.retrieve(latest_charge as string)
    assert.deepEqual([held.captured, held.paid, held.amount_captured], [false, true, 0])
    assert.equal(held.payment_method_details?.card?.capture_before, held.created + 7 * 86_400)
    const taken = await world.stripe.paymentIntents.capture(id, { amount_to_capture: 1500 })
    assert.deepEqual([taken.status, taken.amount_received, taken.amount_capturable], ['succeeded', 1500, 0])
    await advance(3)
    assert.deepEqual(await told(3), ['charge.captured', 'payment_intent.succeeded', 'charge.updated'])
  })

  test('is given back by a cancel, without a refund', async () => {
    const { id, latest_charge } = await hold()
    const canceled = await world.stripe.paymentIntents.cancel(id, {
      cancellation_reason: 'requested_by_customer',
    })
    assert.deepEqual(
      [canceled.status, canceled.amount_capturable, canceled.cancellation_reason],
      ['canceled', 0, 'requested_by_customer'],
    )
    assert.deepEqual(await told(3), ['payment_intent.canceled'])
    assert.deepEqual((await world.stripe.refunds.list({ charge: latest_charge as string })).data, [])
  })

  test('is given back by itself after seven days', async () => {
    const { id } = await hold()
    await advance(7 * 86_400 + 1)
    assert.deepEqual(await told(3), ['charge.expired', 'payment_intent.canceled'])
    assert.deepEqual(
      [(await retrieve(id)).status, (await retrieve(id)).cancellation_reason],
      ['canceled', 'automatic'],
    )
  })

  test('in Checkout completes the Session unpaid until it is captured', async () => {
    const { id } = await newSession({ payment_intent_data: { capture_method: 'manual' } })
    await pay(id, '4242424242424242')
    const session = await world.stripe.checkout.sessions.retrieve(id)
    assert.deepEqual([session.status, session.payment_status], ['complete', 'unpaid'])
    await world.stripe.paymentIntents.capture(session.payment_intent as string)
    assert.equal((await world.stripe.checkout.sessions.retrieve(id)).payment_status, 'paid')
  })
})

describe('a refund', () => {
  async function paid(payment_method: string): Promise<{ intent: string; charge: string; mark: number }> {
    const { id, latest_charge } = await confirmed(payment_method)
    await advance(3)
    return { intent: id, charge: latest_charge as string, mark: await happened() }
  }
  const refund = (payment_intent: string, amount?: number) =>
    world.stripe.refunds.create({ payment_intent, ...(amount === undefined ? {} : { amount }) })
  const READY = ['refund.created', 'charge.refunded', 'refund.updated', 'charge.refund.updated']

  test('in two parts is told as two, each with the sum so far', async () => {
    const { intent, charge, mark } = await paid('pm_card_visa')
    const first = await refund(intent, 1000)
    assert.deepEqual(
      [first.status, first.destination_details?.card?.reference_status],
      ['succeeded', 'pending'],
    )
    await advance(1)
    await refund(intent)
    await advance(1)
    assert.deepEqual(await told(mark), [...READY, ...READY])
    const sums = (await world.stripe.events.list({ type: 'charge.refunded' })).data.map(({ data }) => {
      const { amount_refunded, refunded, refunds } = data.object as Stripe.Charge
      return { amount_refunded, refunded, refunds }
    })
    assert.deepEqual(sums, [
      { amount_refunded: 4000, refunded: true, refunds: undefined },
      { amount_refunded: 1000, refunded: false, refunds: undefined },
    ])
    const { destination_details } = await world.stripe.refunds.retrieve(first.id)
    assert.equal(destination_details?.card?.reference_status, 'available')
    assert.deepEqual(
      [(await world.stripe.charges.retrieve(charge)).status, (await retrieve(intent)).status],
      ['succeeded', 'succeeded'],
    )
  })

  test('that takes its time is pending first', async () => {
    const { intent, mark } = await paid('pm_card_pendingRefund')
    const { id, status, pending_reason } = await refund(intent)
    assert.deepEqual([status, pending_reason], ['pending', 'processing'])
    await advance(6)
    assert.deepEqual(await told(mark), READY)
    assert.equal((await world.stripe.refunds.retrieve(id)).status, 'succeeded')
  })

  test('that turns succeeds first and fails later', async () => {
    const { intent, mark } = await paid('pm_card_refundFail')
    const { id, status } = await refund(intent)
    assert.equal(status, 'succeeded')
    await advance(6)
    assert.deepEqual(await told(mark), ['refund.created', 'charge.refunded', 'refund.failed'])
    const failed = await world.stripe.refunds.retrieve(id, { expand: ['failure_balance_transaction'] })
    const back = failed.failure_balance_transaction as Stripe.BalanceTransaction
    assert.deepEqual(
      [failed.status, failed.failure_reason, back.amount, back.type],
      ['failed', 'expired_or_canceled_card', 4000, 'refund_failure'],
    )
  })

  test('of money that is only held is refused', async () => {
    const { id } = await confirmed('pm_card_visa', { capture_method: 'manual' })
    assert.equal((await failure(refund(id))).statusCode, 400)
  })
})

describe('a dispute', () => {
  async function disputed(
    payment_method: string,
  ): Promise<{ charge: string; dispute: Stripe.Dispute; mark: number }> {
    const { latest_charge } = await confirmed(payment_method)
    await advance(3)
    const dispute = (await world.stripe.disputes.list({ charge: latest_charge as string })).data[0]
    assert.ok(dispute)
    return { charge: latest_charge as string, dispute, mark: await happened() }
  }
  const answer = (id: string, uncategorized_text: string) =>
    world.stripe.disputes.update(id, { evidence: { uncategorized_text }, submit: true })
  const status = async (id: string): Promise<string> => (await world.stripe.disputes.retrieve(id)).status

  test('takes the money and the fee within a second of the payment', async () => {
    const { charge, dispute } = await disputed('pm_card_createDispute')
    assert.deepEqual(await told(3), [
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
      'charge.updated',
    ])
    const [row] = dispute.balance_transactions
    assert.deepEqual(
      [dispute.status, dispute.reason, dispute.is_charge_refundable, row?.amount, row?.fee, row?.type],
      ['needs_response', 'fraudulent', false, -4000, 1500, 'adjustment'],
    )
    assert.equal((await world.stripe.charges.retrieve(charge)).disputed, true)
    assert.equal(
      new Date((dispute.evidence_details.due_by ?? 0) * 1000).toISOString().slice(11, 19),
      '23:59:59',
    )
  })

  test('is won by winning evidence: the money comes back, refunds work again', async () => {
    const { charge, dispute, mark } = await disputed('pm_card_createDispute')
    assert.equal((await answer(dispute.id, 'winning_evidence')).status, 'under_review')
    assert.deepEqual(await told(mark), ['charge.dispute.updated', 'charge.updated'])
    await advance(6)
    assert.deepEqual(await told(mark + 2), ['charge.dispute.funds_reinstated', 'charge.dispute.closed'])
    const won = await world.stripe.disputes.retrieve(dispute.id)
    assert.deepEqual(
      [won.status, won.is_charge_refundable, won.balance_transactions.length],
      ['won', true, 2],
    )
    assert.equal((await world.stripe.refunds.create({ charge })).status, 'succeeded')
  })

  test('is lost by losing evidence, or at once by closing it', async () => {
    const first = await disputed('pm_card_createDispute')
    await answer(first.dispute.id, 'losing_evidence')
    await advance(6)
    assert.deepEqual(await told(first.mark + 2), ['charge.dispute.closed', 'charge.updated'])
    assert.equal(await status(first.dispute.id), 'lost')
    const second = await disputed('pm_card_createDisputeProductNotReceived')
    assert.equal(second.dispute.reason, 'product_not_received')
    assert.equal((await world.stripe.disputes.close(second.dispute.id)).status, 'lost')
    assert.deepEqual(await told(second.mark), ['charge.dispute.closed', 'charge.updated'])
    for (const call of [
      world.stripe.disputes.close(second.dispute.id),
      answer(second.dispute.id, 'winning_evidence'),
    ])
      assert.equal((await failure(call)).message, 'This dispute is already closed')
  })

  test('may begin as an inquiry, which moves no money', async () => {
    const { charge, dispute, mark } = await disputed('pm_card_createDisputeInquiry')
    assert.deepEqual(await told(3), ['charge.dispute.created', 'charge.updated'])
    assert.deepEqual(
      [dispute.status, dispute.is_charge_refundable, dispute.balance_transactions],
      ['warning_needs_response', true, []],
    )
    assert.equal((await world.stripe.refunds.create({ charge, amount: 500 })).status, 'succeeded')
    await advance(1)
    await answer(dispute.id, 'escalate_inquiry_evidence')
    assert.equal(await status(dispute.id), 'warning_under_review')
    await advance(6)
    assert.deepEqual(await told(mark + 4), [
      'charge.dispute.updated',
      'charge.updated',
      'charge.dispute.updated',
      'charge.dispute.funds_withdrawn',
      'refund.failed',
    ])
    const [refund] = (await world.stripe.refunds.list({ charge })).data
    assert.deepEqual(
      [refund?.status, refund?.failure_reason],
      ['failed', 'charge_for_pending_refund_disputed'],
    )
    assert.equal(await status(dispute.id), 'needs_response')
  })

  test('that is an inquiry ends with it when closed', async () => {
    const { dispute } = await disputed('pm_card_createDisputeInquiry')
    assert.equal((await world.stripe.disputes.close(dispute.id)).status, 'warning_closed')
  })

  test('of held money waits for its capture', async () => {
    const { id, latest_charge } = await confirmed('pm_card_createDispute', { capture_method: 'manual' })
    await advance(60)
    assert.deepEqual((await world.stripe.disputes.list({ charge: latest_charge as string })).data, [])
    await world.stripe.paymentIntents.capture(id)
    await advance(3)
    assert.equal((await world.stripe.disputes.list({ charge: latest_charge as string })).data.length, 1)
  })

  test('may be preceded by a warning, which is of no use once the money is gone', async () => {
    const { latest_charge } = await confirmed('pm_card_createIssuerFraudRecord')
    await advance(3)
    assert.deepEqual(await told(3), ['radar.early_fraud_warning.created', 'charge.updated'])
    const warning = async () =>
      (await world.stripe.radar.earlyFraudWarnings.list({ charge: latest_charge as string })).data[0]
    assert.equal((await warning())?.actionable, true)
    await world.stripe.refunds.create({ charge: latest_charge as string })
    assert.equal((await warning())?.actionable, false)
  })
})
