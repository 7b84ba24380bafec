import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { payerView } from './payer-view.ts'
import { aPayment, aSnapshot, aVerification } from '@passerelle/client/sample-payment'
import type { Payment, Verification } from '@passerelle/client/payment'
import type { PayerView, ViewInput } from './payer-view.ts'
import type { WatchSnapshot } from '@passerelle/client/watch-payment'

const STATUSES = [
  'pending',
  'processing',
  'succeeded',
  'failed',
  'canceled',
  'expired',
  'partially_refunded',
  'refunded',
  'disputed',
] as const satisfies readonly Payment['status'][]
const RECEIVED = ['succeeded', 'partially_refunded', 'refunded', 'disputed'] as const

function kindOf(change: Partial<WatchSnapshot>, more: Partial<ViewInput> = {}): PayerView['kind'] {
  return payerView({ ...aSnapshot(change), arrival: 'success', isNamed: true, hasGivenUp: false, ...more })
    .kind
}

function answered(change: Partial<Verification>): Pick<WatchSnapshot, 'verification'> {
  return { verification: { state: 'answered', answer: aVerification(change) } }
}

const anySnapshot: fc.Arbitrary<WatchSnapshot> = fc
  .record({
    status: fc.option(fc.constantFrom(...STATUSES)),
    verification: fc.constantFrom<WatchSnapshot['verification']>(
      { state: 'none' },
      { state: 'waiting' },
      { state: 'unavailable' },
      { state: 'unknown' },
      ...(['open', 'processing', 'complete', 'expired', 'failed'] as const).map(
        (status) => answered({ status }).verification,
      ),
    ),
    problem: fc.constantFrom<WatchSnapshot['problem']>(null, 'unavailable', 'unknown'),
    online: fc.boolean(),
    slow: fc.boolean(),
  })
  .map(({ status, ...rest }) => aSnapshot({ ...rest, payment: status && aPayment({ status }) }))

test('each status of the gateway has its page', () => {
  const pages = STATUSES.map((status) => [status, kindOf({ payment: aPayment({ status }) })])
  assert.deepEqual(Object.fromEntries(pages), {
    pending: 'verifying',
    processing: 'processing',
    succeeded: 'paid',
    failed: 'failed',
    canceled: 'released',
    expired: 'expired',
    partially_refunded: 'refunded',
    refunded: 'refunded',
    disputed: 'paid',
  })
})

test('money that arrived is never shown as anything less, whatever else is wrong', () => {
  const status = fc.constantFrom(...RECEIVED)
  fc.assert(
    fc.property(anySnapshot, status, fc.boolean(), (snapshot, status, hasGivenUp) => {
      const kind = kindOf({ ...snapshot, payment: aPayment({ status }) }, { hasGivenUp })
      assert.ok(['paid', 'already_paid', 'refunded', 'booking_lost'].includes(kind), kind)
    }),
  )
})

test('a payer is never told "paid" unless the gateway said that the money is received', () => {
  fc.assert(
    fc.property(anySnapshot, fc.constantFrom('success', 'cancel'), (snapshot, arrival) => {
      const { payment, verification } = snapshot
      const kind = kindOf(snapshot, { arrival })
      if (kind !== 'paid' && kind !== 'already_paid') return
      const isComplete = verification.state === 'answered' && verification.answer.status === 'complete'
      assert.ok(isComplete || payment?.status === 'succeeded' || payment?.status === 'disputed')
    }),
  )
})

test('a read that failed never makes a payment look refused, expired or given up', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const isOpen = snapshot.payment === null || ['pending', 'processing'].includes(snapshot.payment.status)
      if (isOpen) assert.ok(!['failed', 'expired', 'released'].includes(kindOf(snapshot)))
    }),
  )
})

test('a refusal seen before Stripe was asked is not shown: the success may only have lost its webhook', () => {
  const payment = aPayment({ status: 'failed', errorCode: 'insufficient_funds' })
  assert.equal(kindOf({ payment, verification: { state: 'waiting' } }), 'verifying')
  assert.equal(kindOf({ payment, verification: { state: 'unavailable' }, slow: true }), 'slow')
  assert.equal(kindOf({ payment, ...answered({ status: 'complete' }) }), 'paid')
  assert.equal(kindOf({ payment, ...answered({ status: 'open' }) }), 'failed')
})

test('after twelve seconds the page says that nothing is lost, or that the payment page was left early', () => {
  const payment = aPayment()
  assert.equal(kindOf({ payment, slow: true }), 'slow')
  assert.equal(kindOf({ payment, slow: true, ...answered({ status: 'open' }) }), 'unfinished')
})

test('without a network the page says so, and with one a silent gateway is only slow', () => {
  assert.equal(kindOf({ problem: 'unavailable', online: false }), 'offline')
  assert.equal(kindOf({ problem: 'unavailable', online: true, slow: true }), 'slow')
  assert.equal(kindOf({ payment: aPayment(), problem: null, online: false }), 'verifying')
})

test('back from the payment page: the seats are held, given up, or paid for meanwhile', () => {
  const back = { arrival: 'cancel' } as const
  assert.equal(kindOf({ payment: aPayment() }, back), 'canceled')
  assert.equal(
    kindOf({ payment: aPayment({ status: 'expired' }) }, { ...back, hasGivenUp: true }),
    'released',
  )
  assert.equal(
    kindOf({ payment: aPayment({ status: 'succeeded' }) }, { ...back, hasGivenUp: true }),
    'already_paid',
  )
  assert.equal(
    kindOf({ payment: aPayment({ status: 'processing' }) }, { ...back, hasGivenUp: true }),
    'processing',
  )
})

test('a second session of a paid booking shows that the first payment counts', () => {
  const payment = aPayment({ status: 'succeeded' })
  assert.equal(kindOf({ payment, ...answered({ status: 'expired' }) }), 'already_paid')
})

test('a payment nobody may see is an unknown link, or shown elsewhere, never a failure', () => {
  const nobody = { problem: 'unknown', phase: 'settled' } as const
  assert.equal(kindOf(nobody), 'other_device')
  assert.equal(kindOf(nobody, { arrival: 'link' }), 'unknown_link')
  assert.equal(kindOf(nobody, { isNamed: false }), 'unknown_link')
})

test('whose bank still waits for an approval is told so, once Stripe was asked', () => {
  const payment = aPayment({ nextAction: 'authenticate' })
  assert.equal(kindOf({ payment, verification: { state: 'waiting' } }), 'verifying')
  assert.equal(kindOf({ payment, ...answered({ status: 'open' }) }), 'requires_action')
  assert.equal(kindOf({ payment }, { arrival: 'cancel' }), 'requires_action')
  assert.equal(kindOf({ payment: aPayment({ ...payment, status: 'succeeded' }) }), 'paid')
})

test('a paid booking without seats is told as such until the money is back', () => {
  const lost = aPayment({ status: 'succeeded', bookingLost: true })
  assert.equal(kindOf({ payment: lost }), 'booking_lost')
  assert.equal(kindOf({ payment: { ...lost, status: 'refunded' } }), 'refunded')
})

test('a second payment says what became of its money', () => {
  const payment = aPayment({ status: 'succeeded' })
  for (const duplicate of ['not_charged', 'refunding', 'refunded'] as const) {
    const view = payerView({
      ...aSnapshot({ payment, ...answered({ status: 'complete', duplicate }) }),
      arrival: 'success',
      isNamed: true,
      hasGivenUp: false,
    })
    assert.equal(view.kind === 'already_paid' && view.duplicate, duplicate)
  }
})

test('by a status link an unpaid booking is unfinished at once', () => {
  assert.equal(kindOf({ payment: aPayment() }, { arrival: 'link' }), 'unfinished')
})

test('after a refusal the booking can be given up by whoever came back from the open payment page', () => {
  const payment = aPayment({ status: 'failed', errorCode: 'insufficient_funds' })
  const viewOf = (arrival: ViewInput['arrival']): PayerView =>
    payerView({ ...aSnapshot({ payment }), arrival, isNamed: true, hasGivenUp: false })
  const refused = { kind: 'failed', reason: 'insufficient_funds', retryable: true }
  assert.deepEqual(viewOf('cancel'), { ...refused, mayGiveUp: true })
  assert.deepEqual(viewOf('success'), { ...refused, mayGiveUp: false })
})
