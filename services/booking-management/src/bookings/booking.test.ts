import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { ANNOUNCED_STATUSES } from '@passerelle/contracts/booking'
import type { AnnouncedStatus } from '@passerelle/contracts/booking'
import { bookingAnswer, decide, giveUp, isOverbooked, isPaid, wantsSeats } from './booking.ts'
import type { Booking, PaymentUpdate } from './booking.ts'

const RECEIVED_AT = new Date('2027-01-01T10:00:00.000Z')
const PAID_AT = new Date('2027-01-01T09:00:00.000Z')

const PENDING: Booking = {
  id: 'bkg_1',
  customerId: 'cus_1',
  customerEmail: null,
  tourId: 'paris-after-dark',
  tourName: 'Paris After Dark',
  date: '2027-05-01',
  seats: 2,
  price: { amountMinor: 9900, currency: 'eur' },
  status: 'pending',
  holdsSeats: true,
  holdExpiresAt: new Date('2027-01-02T10:00:00.000Z'),
  givenUpBecause: null,
  paymentVersion: 0,
  paymentFingerprint: null,
  paymentIntentId: null,
  paidAt: null,
  refundedAt: null,
  refundedMinor: 0,
  createdAt: new Date('2027-01-01T09:00:00.000Z'),
}

function update(status: AnnouncedStatus, version: number, more: Partial<PaymentUpdate> = {}): PaymentUpdate {
  return {
    status,
    version,
    paymentIntentId: 'pi_1',
    paymentId: 'pay_1',
    amountMinor: 9900,
    currency: 'eur',
    ...more,
  }
}

/** The booking after the updates, in the order they are given. */
function after(booking: Booking, updates: readonly PaymentUpdate[]): Booking {
  return updates.reduce((current, next) => {
    const decision = decide(current, next, RECEIVED_AT)
    return decision.kind === 'apply' ? decision.next : current
  }, booking)
}

/** A life of one payment as the gateway announces it: each version says everything that is known by then. */
const announcements = fc
  .array(fc.constantFrom(...ANNOUNCED_STATUSES), { minLength: 1, maxLength: 6 })
  .map((statuses) =>
    statuses.map((status, index) => {
      const refundedAt = new Date(PAID_AT.getTime() + index * 1000)
      const isRefund = status === 'cancelled' || status === 'refunded' || status === 'partially_refunded'
      return update(status, index + 1, {
        refundedAmountMinor: isRefund ? 100 * index : 0,
        ...(status === 'payment_failed' ? {} : { paidAt: PAID_AT }),
        ...(isRefund ? { refundedAt } : {}),
      })
    }),
  )

/** The same announcements as a network delivers them: shuffled, some of them several times, none left out. */
const deliveries = announcements.chain((all) =>
  fc
    .array(fc.constantFrom(...all), { maxLength: 8 })
    .chain((copies) => fc.shuffledSubarray([...all, ...copies], { minLength: all.length + copies.length }))
    .map((delivered) => ({ all, delivered })),
)

describe('decide', () => {
  it('ends in the state of the highest version, whatever the order and however often each update comes', () => {
    fc.assert(
      fc.property(deliveries, ({ all, delivered }) => {
        const highest = after(PENDING, all.slice(-1))
        const { status, paymentVersion, paymentIntentId, paidAt } = after(PENDING, delivered)
        assert.equal(status, highest.status)
        assert.equal(paymentVersion, all.length)
        assert.equal(paymentIntentId, 'pi_1')
        assert.deepEqual(paidAt, highest.paidAt ?? (highest.status === 'payment_failed' ? null : PAID_AT))
      }),
    )
  })

  it('ends in the state of the highest version also for a booking that was given up in between', () => {
    fc.assert(
      fc.property(deliveries, fc.nat(20), ({ all, delivered }, at) => {
        const before = after(PENDING, delivered.slice(0, at))
        const given = giveUp(before, 'hold_expired')
        const between = given.kind === 'give_up' ? given.next : before
        const end = after(between, delivered.slice(at))
        assert.equal(end.paymentVersion, all.length)
        const last = after(PENDING, all.slice(-1)).status
        assert.equal(
          end.status,
          last === 'payment_failed' && end.givenUpBecause !== null ? 'cancelled' : last,
        )
      }),
    )
  })

  it('never steps back: no update lowers the version, and what is not applied changes nothing', () => {
    fc.assert(
      fc.property(deliveries, ({ delivered }) => {
        let current = PENDING
        for (const next of delivered) {
          const decision = decide(current, next, RECEIVED_AT)
          assert.equal(decision.kind === 'apply', next.version > current.paymentVersion)
          if (decision.kind === 'apply') current = decision.next
        }
      }),
    )
  })

  it('never calls a booking paid for another price, in any status and at any version', () => {
    const wrong = fc.record({
      status: fc.constantFrom(...ANNOUNCED_STATUSES),
      version: fc.integer({ min: 1, max: 9 }),
      amountMinor: fc.constantFrom(1, 9899, 9900, 9901, 990_000),
      currency: fc.constantFrom('eur', 'usd', 'jpy'),
    })
    fc.assert(
      fc.property(fc.array(wrong, { maxLength: 10 }), (updates) => {
        const fitting = updates.some(
          ({ amountMinor, currency }) => amountMinor === 9900 && currency === 'eur',
        )
        const end = after(
          PENDING,
          updates.map(({ status, version, ...money }) => update(status, version, money)),
        )
        assert.ok(fitting || !isPaid(end))
      }),
    )
  })

  it('says why it refuses: another amount, another currency', () => {
    for (const money of [{ amountMinor: 9800 }, { currency: 'usd' }])
      assert.deepEqual(decide(PENDING, update('confirmed', 1, money), RECEIVED_AT), {
        kind: 'refuse',
        because: 'amount_mismatch',
      })
  })

  it('takes a repetition for a repetition, and the same version with other content for a mistake', () => {
    const confirmed = after(PENDING, [update('confirmed', 3)])
    assert.deepEqual(decide(confirmed, update('confirmed', 3), RECEIVED_AT), {
      kind: 'ignore',
      because: 'already_applied',
    })
    assert.deepEqual(decide(confirmed, update('cancelled', 2), RECEIVED_AT), {
      kind: 'ignore',
      because: 'older_version',
    })
    for (const other of [update('cancelled', 3), update('confirmed', 3, { paymentId: 'pay_2' })])
      assert.deepEqual(decide(confirmed, other, RECEIVED_AT), { kind: 'refuse', because: 'version_reused' })
  })

  it('keeps the time of payment it was told, and takes the time of arrival when it was told none', () => {
    assert.deepEqual(after(PENDING, [update('confirmed', 1, { paidAt: PAID_AT })]).paidAt, PAID_AT)
    assert.deepEqual(after(PENDING, [update('confirmed', 1)]).paidAt, RECEIVED_AT)
  })

  it('ends a booking whose money went back, and frees its seats', () => {
    for (const status of ['cancelled', 'refunded'] as const) {
      const ended = after(PENDING, [update('confirmed', 1, { paidAt: PAID_AT }), update(status, 2)])
      assert.equal(ended.status, 'cancelled')
      assert.deepEqual(ended.refundedAt, RECEIVED_AT)
      assert.deepEqual(ended.paidAt, PAID_AT)
      assert.equal(wantsSeats(ended), false)
    }
  })

  it('forgets a refund that failed after all', () => {
    const again = after(PENDING, [
      update('cancelled', 2, { paidAt: PAID_AT, refundedAt: PAID_AT, refundedAmountMinor: 9900 }),
      update('confirmed', 3, { paidAt: PAID_AT }),
    ])
    assert.deepEqual([again.status, again.refundedAt, again.refundedMinor], ['confirmed', null, 0])
  })

  it('lets a booking be paid after a failed try', () => {
    const failed = after(PENDING, [update('payment_failed', 1)])
    assert.equal(failed.status, 'payment_failed')
    assert.equal(wantsSeats(failed), true)
    assert.equal(after(failed, [update('confirmed', 2)]).status, 'confirmed')
  })

  it('does not bring a booking back that was given up, unless money came', () => {
    const given = giveUp(PENDING, 'customer')
    assert.ok(given.kind === 'give_up')
    assert.equal(after(given.next, [update('payment_failed', 1)]).status, 'cancelled')
    assert.equal(after(given.next, [update('confirmed', 1)]).status, 'confirmed')
  })
})

describe('giveUp', () => {
  it('ends an unpaid booking once, and never a paid one', () => {
    assert.equal(giveUp(PENDING, 'customer').kind, 'give_up')
    assert.equal(giveUp({ ...PENDING, status: 'payment_failed' }, 'hold_expired').kind, 'give_up')
    assert.equal(giveUp({ ...PENDING, status: 'cancelled' }, 'customer').kind, 'already_cancelled')
    for (const status of ['confirmed', 'partially_refunded', 'disputed'] as const)
      assert.equal(giveUp({ ...PENDING, status }, 'customer').kind, 'paid')
  })
})

describe('isOverbooked', () => {
  it('is said of a paid booking without seats, and of no other', () => {
    assert.equal(isOverbooked({ ...PENDING, status: 'confirmed', holdsSeats: false }), true)
    assert.equal(isOverbooked({ ...PENDING, status: 'confirmed' }), false)
    assert.equal(isOverbooked({ ...PENDING, status: 'cancelled', holdsSeats: false }), false)
    assert.equal(isOverbooked({ ...PENDING, status: 'payment_failed', holdsSeats: false }), false)
  })
})

describe('bookingAnswer', () => {
  it('says amounts in the decimals of their currency', () => {
    const inYen = bookingAnswer({
      ...PENDING,
      price: { amountMinor: 29_600, currency: 'jpy' },
      refundedMinor: 100,
    })
    assert.deepEqual([inYen.amount, inYen.refundedAmount], [29_600, 100])
    assert.equal(bookingAnswer({ ...PENDING, price: { amountMinor: 18_500, currency: 'kwd' } }).amount, 18.5)
    assert.equal(bookingAnswer(PENDING).amount, 99)
  })

  it('says until when the seats are kept, as long as nothing is paid', () => {
    assert.equal(bookingAnswer(PENDING).holdExpiresAt, '2027-01-02T10:00:00.000Z')
    assert.equal(bookingAnswer({ ...PENDING, status: 'confirmed' }).holdExpiresAt, null)
  })
})
