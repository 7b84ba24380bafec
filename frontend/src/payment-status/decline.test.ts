import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fr } from '../language/messages.fr.ts'
import { en } from '../language/messages.en.ts'
import { paymentWords } from '../payment/payment-words.ts'
import {
  DECLINE_REASONS,
  FRAUD_CLASS_CODES,
  RETRY_OF,
  adviceOf,
  declineReason,
  isRetryable,
} from './decline.ts'
import { payerView } from './payer-view.ts'
import { aPayment, aSnapshot } from '@passerelle/client/sample-payment'

const ADVICE = ['confirm_card_data', 'do_not_try_again', 'try_again_later'] as const

test('codes the payer can act on are told, each as its own reason', () => {
  assert.equal(declineReason('insufficient_funds', null), 'insufficient_funds')
  assert.equal(declineReason('invalid_cvc', null), 'incorrect_cvc')
  assert.equal(declineReason('withdrawal_count_limit_exceeded', null), 'limit_exceeded')
  assert.equal(declineReason('duplicate_transaction', null), 'duplicate')
})

test('the bank’s advice decides what a plain refusal says, and which button it offers', () => {
  const told = ADVICE.map((advice) => declineReason('generic_decline', advice))
  assert.deepEqual(told, ['check_card', 'refused_for_good', 'refused_for_now'])
  assert.deepEqual(
    told.map((reason) => RETRY_OF[reason]),
    ['tryAgain', 'otherCard', 'tryLater'],
  )
})

test('what the payer can act on is said whatever the bank advises, except the same card that it forbids', () => {
  assert.equal(declineReason('insufficient_funds', 'try_again_later'), 'insufficient_funds')
  assert.equal(declineReason('expired_card', 'do_not_try_again'), 'expired_card')
  assert.equal(declineReason('incorrect_cvc', 'confirm_card_data'), 'incorrect_cvc')
  assert.equal(declineReason('incorrect_number', 'do_not_try_again'), 'refused_for_good')
  // Whoever may have paid already looks at the account first, whatever the bank says of the card.
  assert.equal(declineReason('duplicate_transaction', 'do_not_try_again'), 'duplicate')
  fc.assert(
    fc.property(fc.string(), (code) => {
      const reason = declineReason(code, 'do_not_try_again')
      assert.ok(RETRY_OF[reason] === 'otherCard' || !isRetryable(reason))
    }),
  )
})

test('no fraud-class code reaches the payer: the page is the one of a plain refusal, whatever the gateway says', () => {
  const pageOf = (
    errorCode: string | null,
    errorMessage: string | null,
    adviceCode: (typeof ADVICE)[number] | null,
  ): object[] => {
    const payment = aPayment({ status: 'failed', errorCode, errorMessage, adviceCode })
    const view = payerView({
      ...aSnapshot({ payment }),
      arrival: 'success',
      isNamed: true,
      hasGivenUp: false,
    })
    return [
      view,
      paymentWords(view, { language: 'fr', messages: fr, heldUntil: null, timeZone: 'UTC' }),
      paymentWords(view, { language: 'en', messages: en, heldUntil: null, timeZone: 'UTC' }),
    ]
  }
  const plain = pageOf('generic_decline', null, null)
  fc.assert(
    fc.property(
      fc.constantFrom(...FRAUD_CLASS_CODES),
      fc.string(),
      fc.constantFrom(...ADVICE),
      (code, message, advice) => assert.deepEqual(pageOf(code, message, advice), plain),
    ),
  )
})

test('an unknown code, also one that every object has, is a plain refusal', () => {
  fc.assert(fc.property(fc.string(), (code) => DECLINE_REASONS.includes(declineReason(code, null))))
  for (const code of ['constructor', '__proto__', 'toString', '', null])
    assert.equal(declineReason(code, null), 'generic')
  for (const code of ['constructor', 'toString', '', undefined, 'wait_for_the_moon'])
    assert.equal(adviceOf(code), null)
  assert.equal(adviceOf('try_again_later'), 'try_again_later')
})
