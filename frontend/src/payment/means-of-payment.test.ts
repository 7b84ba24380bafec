import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meansName } from './means-of-payment.ts'

test('a card is called by its brand where it has a known one, another method by its own name', () => {
  assert.equal(meansName({ method: 'card', brand: 'visa' }), 'Visa')
  assert.equal(meansName({ method: 'sepa_debit', brand: null }), 'SEPA')
  assert.equal(meansName({ method: 'wechat_pay', brand: null }), 'Wechat pay')
  for (const brand of ['unknown', 'constructor', ''])
    assert.equal(meansName({ method: 'card', brand }), null, brand)
})
