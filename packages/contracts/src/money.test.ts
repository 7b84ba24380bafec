import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  chargeProblem,
  decimalsOf,
  formatMoney,
  fromDecimal,
  MAXIMUM_CHARGE_MINOR,
  toDecimal,
  toDecimalText,
} from './money.ts'

const currencies = ['eur', 'usd', 'jpy', 'krw', 'kwd', 'tnd', 'isk', 'huf', 'ugx', 'cop', 'mga']
const money = fc.record({
  amountMinor: fc.integer({ min: 0, max: MAXIMUM_CHARGE_MINOR }),
  currency: fc.constantFrom(...currencies),
})

describe('money', () => {
  it('survives the way to decimal JSON and back, in every class of currency', () => {
    fc.assert(
      fc.property(money, (it) => {
        const json = JSON.parse(JSON.stringify({ amount: toDecimal(it) })) as { amount: number }
        assert.equal(fromDecimal(json.amount, it.currency), it.amountMinor)
        assert.equal(fromDecimal(toDecimalText(it), it.currency), it.amountMinor)
      }),
    )
  })

  it('never goes through a binary fraction: 19.99 is 1999 and 0.29 is 29', () => {
    assert.equal(fromDecimal(19.99, 'eur'), 1999)
    assert.equal(fromDecimal(0.29, 'eur'), 29)
    assert.equal(fromDecimal(1.1, 'kwd'), 1100)
    assert.equal(fromDecimal(4.35, 'eur'), 435)
  })

  it("follows Stripe's table where CLDR differs: a hundred times less or more would be charged", () => {
    assert.equal(decimalsOf('jpy'), 0)
    assert.equal(decimalsOf('isk'), 2)
    assert.equal(decimalsOf('huf'), 2)
    assert.equal(decimalsOf('cop'), 2)
    assert.equal(decimalsOf('kwd'), 3)
    assert.equal(toDecimal({ amountMinor: 12_950, currency: 'jpy' }), 12_950)
    assert.equal(toDecimal({ amountMinor: 12_950, currency: 'eur' }), 129.5)
    assert.equal(toDecimal({ amountMinor: 12_950, currency: 'kwd' }), 12.95)
  })

  it('refuses a decimal with more digits than the currency has, and anything that is no plain decimal', () => {
    for (const [amount, currency] of [
      [1.005, 'eur'],
      [10.5, 'jpy'],
      [1e21, 'eur'],
      [Number.NaN, 'eur'],
      ['1,5', 'eur'],
      ['', 'eur'],
      ['0x10', 'eur'],
    ] as const)
      assert.equal(fromDecimal(amount, currency), null, `${amount} ${currency}`)
  })

  it('says why Stripe would refuse a charge', () => {
    assert.equal(chargeProblem({ amountMinor: 49, currency: 'eur' }), 'below_minimum')
    assert.equal(chargeProblem({ amountMinor: 50, currency: 'eur' }), null)
    assert.equal(chargeProblem({ amountMinor: 17_499, currency: 'huf' }), 'below_minimum')
    assert.equal(chargeProblem({ amountMinor: 1001, currency: 'kwd' }), 'fraction_not_allowed')
    assert.equal(chargeProblem({ amountMinor: 550, currency: 'isk' }), 'fraction_not_allowed')
    assert.equal(chargeProblem({ amountMinor: 1.5, currency: 'eur' }), 'not_an_integer')
    assert.equal(chargeProblem({ amountMinor: 100, currency: 'EUR' }), 'unknown_currency')
    assert.equal(chargeProblem({ amountMinor: MAXIMUM_CHARGE_MINOR + 1, currency: 'eur' }), 'above_maximum')
  })

  it('reads as people write it', () => {
    const spaces = /[\u00a0\u202f]/g
    assert.equal(formatMoney({ amountMinor: 12_900, currency: 'eur' }, 'fr').replace(spaces, ' '), '129,00 €')
    assert.equal(formatMoney({ amountMinor: 12_900, currency: 'eur' }, 'en'), '€129.00')
    assert.equal(formatMoney({ amountMinor: 12_900, currency: 'jpy' }, 'en'), '¥12,900')
    assert.equal(formatMoney({ amountMinor: 500, currency: 'isk' }, 'en').replace(spaces, ' '), 'ISK 5')
  })
})
