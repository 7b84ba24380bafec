import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fr } from '../language/messages.fr.ts'
import { en } from '../language/messages.en.ts'
import { paymentWords } from '../payment/payment-words.ts'
import { DECLINE_REASONS, FRAUD_CLASS_CODES, declineReason } from './decline.ts'
import { payerView } from './payer-view.ts'
import { aPayment, aSnapshot } from '@passerelle/client/sample-payment'

test('codes the payer can act on are told, each as its own reason', () => {
  assert.equal(declineReason('insufficient_funds'), 'insufficient_funds')
  assert.equal(declineReason('invalid_cvc'), 'incorrect_cvc')
  assert.equal(declineReason('withdrawal_count_limit_exceeded'), 'limit_exceeded')
  assert.equal(declineReason('duplicate_transaction'), 'duplicate')
})

test('no fraud-class code reaches the payer: the page is the one of a plain refusal, whatever the gateway says', () => {
  const pageOf = (errorCode: string | null, errorMessage: string | null): object[] => {
    const payment = aPayment({ status: 'failed', errorCode, errorMessage })
    const view = payerView({
      ...aSnapshot({ payment }),
      arrival: 'success',
      isNamed: true,
      hasGivenUp: false,
    })
    return [
      paymentWords(view, { language: 'fr', messages: fr, heldUntil: null, timeZone: 'UTC' }),
      paymentWords(view, { language: 'en', messages: en, heldUntil: null, timeZone: 'UTC' }),
    ]
  }
  const plain = pageOf('generic_decline', null)
  const code = fc.constantFrom(...FRAUD_CLASS_CODES)
  fc.assert(fc.property(code, fc.string(), (code, message) => assert.deepEqual(pageOf(code, message), plain)))
})

test('an unknown code, also one that every object has, is a plain refusal', () => {
  fc.assert(fc.property(fc.string(), (code) => DECLINE_REASONS.includes(declineReason(code))))
  for (const code of ['constructor', '__proto__', 'toString', '', null])
    assert.equal(declineReason(code), 'generic')
})
