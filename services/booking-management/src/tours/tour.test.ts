import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { dateProblem, dayIn, tourView } from './tour.ts'
import type { Tour } from './tour.ts'

const KYOTO: Tour = {
  id: 'kyoto-temples-and-tea',
  name: 'Kyoto: Temples and Tea',
  description: 'Gardens, then tea.',
  price: { amountMinor: 14_800, currency: 'jpy' },
  seatsPerDay: 8,
  timeZone: 'Asia/Tokyo',
}
const PARIS: Tour = { ...KYOTO, id: 'paris-after-dark', timeZone: 'Europe/Paris' }

describe('dateProblem', () => {
  const lateEvening = new Date('2027-04-30T21:30:00Z')

  it('lets a tour be booked for today where the tour is, and not for yesterday', () => {
    assert.equal(dateProblem(PARIS, '2027-04-30', lateEvening), null)
    assert.match(dateProblem(PARIS, '2027-04-29', lateEvening) ?? '', /past.*2027-04-30 in Europe\/Paris/)
    assert.match(dateProblem(KYOTO, '2027-04-30', lateEvening) ?? '', /past.*2027-05-01 in Asia\/Tokyo/)
  })

  it('lets a tour be booked a year ahead and not a day longer', () => {
    assert.equal(dateProblem(PARIS, '2028-04-30', lateEvening), null)
    assert.match(dateProblem(PARIS, '2028-05-01', lateEvening) ?? '', /until 2028-04-30/)
  })

  it('knows what a year after a leap day is', () => {
    const leapDay = new Date('2028-02-29T12:00:00Z')
    assert.equal(dateProblem(PARIS, '2029-02-28', leapDay), null)
    assert.notEqual(dateProblem(PARIS, '2029-03-01', leapDay), null)
  })
})

describe('dayIn', () => {
  it('is the calendar day of the instant, for UTC at any time', () => {
    const anytime = fc.date({ min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
    fc.assert(fc.property(anytime, (instant) => dayIn('UTC', instant) === instant.toISOString().slice(0, 10)))
  })
})

describe('tourView', () => {
  it('gives the price both as a decimal and in minor units', () => {
    const { amount, amountMinor, currency } = tourView({
      ...KYOTO,
      price: { amountMinor: 4950, currency: 'eur' },
    })
    assert.deepEqual({ amount, amountMinor, currency }, { amount: 49.5, amountMinor: 4950, currency: 'eur' })
    assert.equal(tourView(KYOTO).amount, 14_800)
  })
})
