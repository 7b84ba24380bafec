import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADVICE_CODES } from '@passerelle/contracts/payment'
import type { AdviceCode } from '@passerelle/contracts/payment'
import fc from 'fast-check'
import { TOLD_CODES } from './declines.ts'
import { NOTHING_KNOWN } from './known.ts'
import type { IntentKnown, Known, SessionKnown } from './known.ts'
import { addBusinessDays, paymentView, sessionVerification } from './payment-view.ts'
import type { Payment } from './payment.repository.ts'

// Stripe's codes that speak of fraud, theft or a blocked card (docs.stripe.com/declines/codes), and a future one.
const FRAUD_CLASS = [
  'fraudulent',
  'lost_card',
  'stolen_card',
  'pickup_card',
  'restricted_card',
  'merchant_blacklist',
  'security_violation',
  'highest_risk_level',
  'elevated_risk_level',
  'rule',
  'suspected_fraud_of_tomorrow',
] as const

function payment(over: Partial<Payment> = {}): Payment {
  return {
    id: 'pay_1',
    bookingId: 'bkg_1',
    customerId: 'cus_1',
    livemode: false,
    amountMinor: 1000,
    currency: 'eur',
    known: NOTHING_KNOWN,
    status: 'pending',
    capturedMinor: 0,
    refundedMinor: 0,
    paymentIntentId: null,
    paidAt: null,
    errorCode: null,
    errorMessage: null,
    announced: null,
    announcedVersion: 0,
    bookingLost: false,
    version: 1,
    updatedAt: new Date(0),
    ...over,
  }
}

const intent = (over: Partial<IntentKnown> = {}): IntentKnown => ({
  attemptId: 'att_1',
  state: 'succeeded',
  stateAt: { second: 0, id: 'evt' },
  amountMinor: 1000,
  receivedMinor: 1000,
  currency: 'eur',
  livemode: false,
  succeededAt: 0,
  decline: null,
  ...over,
})
const session = (over: Partial<SessionKnown> = {}): SessionKnown => ({
  attemptId: 'att_1',
  intentId: null,
  state: 'open',
  money: 'unpaid',
  amountMinor: 1000,
  currency: 'eur',
  livemode: false,
  expiresAt: 0,
  ...over,
})

/** A refused payment, as the bank told it. */
function refused(errorCode: string, errorMessage: string | null, advice: AdviceCode): Payment {
  const decline = { at: { second: 0, id: 'evt' }, code: errorCode, message: errorMessage, advice }
  const known = { ...NOTHING_KNOWN, intents: { pi_1: intent({ state: 'requires_payment_method', decline }) } }
  return payment({ status: 'failed', errorCode, errorMessage, known, paymentIntentId: 'pi_1' })
}
const advices = fc.constantFrom(...ADVICE_CODES)

test('no fraud-class code, no sentence about one and no advice that hints at one reaches the payer', () => {
  const plain = paymentView(payment({ status: 'failed', errorCode: 'generic_decline' }))
  fc.assert(
    fc.property(fc.constantFrom(...FRAUD_CLASS), fc.string(), advices, (errorCode, errorMessage, advice) => {
      assert.deepEqual(paymentView(refused(errorCode, errorMessage, advice)), plain)
    }),
  )
})

test('what the bank advises is told with a refusal that may be told, and with a plain one', () => {
  for (const code of [...TOLD_CODES, 'generic_decline', 'do_not_honor', 'card_declined'])
    for (const advice of ADVICE_CODES)
      assert.equal(paymentView(refused(code, null, advice)).adviceCode, advice, code)
  const paid = { ...refused('expired_card', null, 'do_not_try_again'), status: 'succeeded' as const }
  assert.equal(paymentView({ ...paid, errorCode: null, errorMessage: null }).adviceCode, null)
})

test('whatever code Stripe invents, only the listed ones are told', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (errorCode) => {
      const told = paymentView(payment({ status: 'failed', errorCode, errorMessage: errorCode }))
      const isTold = TOLD_CODES.has(errorCode)
      assert.equal(told.errorCode, isTold ? errorCode : 'generic_decline')
      assert.equal(told.errorMessage, isTold ? errorCode : 'Your card was declined.')
    }),
  )
  assert.ok(FRAUD_CLASS.every((code) => !TOLD_CODES.has(code)))
})

test('five business days from a Thursday are the next Thursday, and from a Saturday the next Friday', () => {
  assert.equal(addBusinessDays(new Date('2026-11-26T23:59:00Z'), 5), '2026-12-03')
  assert.equal(addBusinessDays(new Date('2026-11-28T12:00:00Z'), 5), '2026-12-04')
})

test('a session that did not pay says what became of it once another one had', () => {
  const known = (over: Partial<Known>): Known => ({
    ...NOTHING_KNOWN,
    intents: { pi_1: intent(), pi_2: intent() },
    ...over,
  })
  const duplicateOf = (over: Partial<Known>, paid = true): string | null =>
    sessionVerification(
      'cs_2',
      payment({ known: known(over), paymentIntentId: 'pi_1', paidAt: paid ? new Date(0) : null }),
    ).duplicate
  const refund = {
    intentId: 'pi_2',
    state: 'succeeded',
    amountMinor: 1000,
    currency: 'eur',
    createdAt: 0,
    reason: null,
    failureReason: null,
    requestId: null,
  } as const
  const second = { cs_2: session({ intentId: 'pi_2' }) }
  assert.equal(duplicateOf({ sessions: { cs_2: session({ intentId: 'pi_1' }) } }), null)
  assert.equal(duplicateOf({ sessions: { cs_2: session({ state: 'expired' }) } }), 'not_charged')
  assert.equal(duplicateOf({ sessions: { cs_2: session() } }), null)
  assert.equal(duplicateOf({ sessions: second }), 'refunding')
  assert.equal(duplicateOf({ sessions: second, refunds: { re_1: refund } }), 'refunded')
  assert.equal(duplicateOf({ sessions: second }, false), null)
})
