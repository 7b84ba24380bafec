import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { dueAnnouncements } from '../outbox/announcement.ts'
import type { Announcement } from '../outbox/announcement.ts'
import { merge, NOTHING_KNOWN } from './known.ts'
import type { Decline, DisputeState, Fact, IntentState, Known, RefundState } from './known.ts'
import { standingOf } from './payment.ts'

const at = (second: number, id = `evt_${second}`) => ({ second, id })

const asked = (over: Partial<Extract<Fact, { type: 'attempt' }>['says']> = {}, id = 'att_1'): Fact => ({
  type: 'attempt',
  id,
  says: { number: 1, amountMinor: 1000, currency: 'eur', livemode: false, withdrawn: false, ...over },
})
const session = (over: Partial<Extract<Fact, { type: 'session' }>['says']> = {}, id = 'cs_1'): Fact => ({
  type: 'session',
  id,
  says: {
    attemptId: 'att_1',
    intentId: null,
    state: 'open',
    money: 'unpaid',
    amountMinor: 1000,
    currency: 'eur',
    livemode: false,
    expiresAt: 99,
    ...over,
  },
})
const intent = (
  state: IntentState,
  second: number,
  over: Partial<Extract<Fact, { type: 'intent' }>['says']> = {},
  id = 'pi_1',
): Fact => ({
  type: 'intent',
  id,
  says: {
    attemptId: 'att_1',
    state,
    stateAt: at(second),
    amountMinor: 1000,
    receivedMinor: state === 'succeeded' ? 1000 : 0,
    currency: 'eur',
    livemode: false,
    succeededAt: state === 'succeeded' ? second : null,
    decline: null,
    ...over,
  },
})
const declined = (second: number, code = 'insufficient_funds'): Decline => ({
  at: at(second),
  code,
  message: 'Your card has insufficient funds.',
})
const refund = (id: string, state: RefundState, amountMinor: number, createdAt: number): Fact => ({
  type: 'refund',
  id,
  says: {
    intentId: 'pi_1',
    state,
    amountMinor,
    currency: 'eur',
    createdAt,
    reason: null,
    failureReason: null,
    requestId: null,
  },
})
const dispute = (state: DisputeState, second: number): Fact => ({
  type: 'dispute',
  id: 'du_1',
  says: {
    intentId: 'pi_1',
    state,
    stateAt: at(second),
    amountMinor: 1000,
    currency: 'eur',
    reason: 'general',
    createdAt: 5,
    movements: {},
  },
})

const know = (...facts: Fact[]): Known => facts.reduce(merge, NOTHING_KNOWN)
const statusOf = (...facts: Fact[]): string => standingOf(know(...facts)).status

describe('where a payment stands', () => {
  it('is pending until the payer tries', () => {
    assert.equal(statusOf(asked()), 'pending')
    assert.equal(statusOf(asked(), session()), 'pending')
    assert.equal(statusOf(asked(), session(), intent('requires_action', 2)), 'pending')
  })

  it('is succeeded by the intent alone or by the paid session alone', () => {
    assert.equal(statusOf(asked(), intent('succeeded', 2)), 'succeeded')
    const paidSession = session({ state: 'complete', money: 'paid', intentId: 'pi_1' })
    assert.equal(statusOf(asked(), paidSession, intent('succeeded', 2)), 'succeeded')
  })

  it('is not paid by a completed form: a delayed method leaves it processing until the bank answers', () => {
    const submitted = session({ state: 'complete', intentId: 'pi_1' })
    assert.equal(statusOf(asked(), submitted), 'processing')
    assert.equal(statusOf(asked(), submitted, intent('processing', 2)), 'processing')
    assert.equal(
      statusOf(asked(), submitted, intent('requires_payment_method', 3, { decline: declined(3) })),
      'failed',
    )
    assert.equal(statusOf(asked(), submitted, intent('succeeded', 3)), 'succeeded')
  })

  it('fails with its reason after a decline, and is forgotten about once the next try succeeds', () => {
    const failed = standingOf(
      know(asked(), session(), intent('requires_payment_method', 2, { decline: declined(2) })),
    )
    assert.equal(failed.status, 'failed')
    assert.equal(failed.decline?.code, 'insufficient_funds')
    const paid = standingOf(
      know(
        asked(),
        session(),
        intent('requires_payment_method', 2, { decline: declined(2) }),
        intent('succeeded', 3),
      ),
    )
    assert.equal(paid.status, 'succeeded')
    assert.equal(paid.decline, null)
  })

  it('is expired when the session ran out, canceled when the payer gave it up', () => {
    assert.equal(statusOf(asked(), session({ state: 'expired' })), 'expired')
    assert.equal(statusOf(asked({ withdrawn: true }), session({ state: 'expired' })), 'canceled')
  })

  it('is paid all the same when the payer paid while giving it up', () => {
    assert.equal(
      statusOf(
        asked({ withdrawn: true }),
        session({ state: 'complete', money: 'paid', intentId: 'pi_1' }),
        intent('succeeded', 2),
      ),
      'succeeded',
    )
  })

  it('speaks for the newest attempt, and is paid by any', () => {
    const second = asked({ number: 2 }, 'att_2')
    assert.equal(statusOf(asked(), session({ state: 'expired' }), second), 'pending')
    assert.equal(
      statusOf(asked(), session({ state: 'expired' }), second, intent('succeeded', 2)),
      'succeeded',
    )
  })

  it('confirms nothing for another amount, currency or mode, nor for money nobody asked for', () => {
    const wrong: [Fact, string][] = [
      [intent('succeeded', 2, { receivedMinor: 999 }), 'amount_mismatch'],
      [intent('succeeded', 2, { receivedMinor: 1001 }), 'amount_mismatch'],
      [intent('succeeded', 2, { currency: 'jpy' }), 'amount_mismatch'],
      [intent('succeeded', 2, { livemode: true }), 'amount_mismatch'],
      [intent('succeeded', 2, { attemptId: 'att_9' }), 'unasked_money'],
      [intent('succeeded', 2, { attemptId: null }), 'unasked_money'],
    ]
    for (const [fact, trouble] of wrong) {
      const standing = standingOf(know(asked(), fact))
      assert.equal(standing.paidAt, null)
      assert.equal(standing.capturedMinor, 0)
      // Money is there, so nobody may be invited to pay again.
      assert.equal(standing.status, 'processing')
      assert.deepEqual(
        standing.troubles.map(({ kind }) => kind),
        [trouble],
      )
    }
  })

  it('reports a second payment of the same booking, and keeps the first whatever the order of arrival', () => {
    const two = [
      asked(),
      asked({ number: 2 }, 'att_2'),
      intent('succeeded', 2),
      intent('succeeded', 3, { attemptId: 'att_2' }, 'pi_2'),
    ]
    for (const order of [two, two.toReversed()]) {
      const standing = standingOf(know(...order))
      assert.equal(standing.paymentIntentId, 'pi_1')
      assert.deepEqual(
        standing.troubles.map(({ kind, subject }) => [kind, subject]),
        [['duplicate_payment', 'pi_2']],
      )
    }
  })

  it('counts refunds that took effect, and takes back one that failed after it had succeeded', () => {
    const paid = [asked(), intent('succeeded', 2)]
    assert.equal(statusOf(...paid, refund('re_1', 'pending', 400, 3)), 'succeeded')
    assert.equal(statusOf(...paid, refund('re_1', 'succeeded', 400, 3)), 'partially_refunded')
    assert.equal(
      statusOf(...paid, refund('re_1', 'succeeded', 400, 3), refund('re_2', 'succeeded', 600, 4)),
      'refunded',
    )
    assert.equal(
      statusOf(...paid, refund('re_1', 'succeeded', 400, 3), refund('re_1', 'failed', 400, 3)),
      'succeeded',
    )
  })

  it('is disputed while the bank holds the money, not by an inquiry, and is what it was before once won', () => {
    const paid = [asked(), intent('succeeded', 2), refund('re_1', 'succeeded', 400, 3)]
    assert.equal(statusOf(...paid, dispute('warning_needs_response', 5)), 'partially_refunded')
    assert.equal(statusOf(...paid, dispute('needs_response', 5)), 'disputed')
    assert.equal(statusOf(...paid, dispute('needs_response', 5), dispute('won', 9)), 'partially_refunded')
    assert.equal(statusOf(...paid, dispute('needs_response', 5), dispute('lost', 9)), 'disputed')
  })
})

/** What the booking hears when the facts arrive one by one in this order. */
function story(facts: readonly Fact[], extended: boolean): Announcement[] {
  const told: Announcement[] = []
  let known = know(asked())
  for (const fact of facts) {
    known = merge(known, fact)
    told.push(...dueAnnouncements(known, standingOf(known), told.at(-1) ?? null, extended))
  }
  return told
}

const words = (told: readonly Announcement[]): string[] =>
  told.map(({ status, refundedMinor }) => (refundedMinor === 0 ? status : `${status} ${refundedMinor}`))

describe('what the booking service hears', () => {
  const life: Fact[] = [
    session(),
    intent('requires_payment_method', 2, { decline: declined(2) }),
    intent('succeeded', 3),
    session({ state: 'complete', money: 'paid', intentId: 'pi_1' }),
    refund('re_1', 'succeeded', 400, 4),
    refund('re_2', 'succeeded', 600, 5),
  ]

  it('is the whole story, in order, each thing once', () => {
    assert.deepEqual(words(story(life, false)), ['confirmed', 'partially_refunded 400', 'cancelled 1000'])
  })

  it('is the same story in every order of arrival, with any repetition', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(life, { minLength: life.length }),
        fc.array(fc.nat(life.length - 1), { maxLength: 6 }),
        fc.boolean(),
        (order, repeats, extended) => {
          const facts = repeats.reduce<Fact[]>(
            (all, index) => all.toSpliced((index * 7) % all.length, 0, life[index] as Fact),
            [...order],
          )
          const heard = words(story(facts, extended))
          // The refusal is news only until the money is there.
          const told = extended && heard[0] === 'payment_failed' ? heard.slice(1) : heard
          const whole = ['confirmed', 'partially_refunded 400', 'cancelled 1000']
          // A refund heard late may let the second one speak first; nothing is ever said twice or taken back.
          assert.equal(told.at(0), 'confirmed')
          assert.equal(told.at(-1), 'cancelled 1000')
          assert.deepEqual([...new Set(told)], told)
          assert.ok(told.every((word) => whole.includes(word) || word === 'partially_refunded 600'))
        },
      ),
    )
  })

  it('never names a refund before the payment was confirmed', () => {
    assert.deepEqual(words(story([refund('re_1', 'succeeded', 400, 4), intent('succeeded', 3)], false)), [
      'confirmed',
      'partially_refunded 400',
    ])
    const declinedFirst = [
      intent('requires_payment_method', 2, { decline: declined(2) }),
      refund('re_1', 'succeeded', 400, 4),
      intent('succeeded', 3),
    ]
    assert.deepEqual(words(story(declinedFirst, true)), [
      'payment_failed',
      'confirmed',
      'partially_refunded 400',
    ])
  })

  it('tells a decline and an open dispute only where the booking service knows the words', () => {
    const facts = [
      intent('requires_payment_method', 2, { decline: declined(2) }),
      intent('succeeded', 3),
      dispute('needs_response', 5),
      dispute('won', 9),
    ]
    assert.deepEqual(words(story(facts, false)), ['confirmed'])
    assert.deepEqual(words(story(facts, true)), ['payment_failed', 'confirmed', 'disputed', 'confirmed'])
  })

  it('cancels the booking on a lost dispute, as the lesson asks', () => {
    assert.deepEqual(
      words(story([intent('succeeded', 3), dispute('needs_response', 5), dispute('lost', 9)], false)),
      ['confirmed', 'cancelled'],
    )
  })

  it('says nothing at all while nothing fits', () => {
    assert.deepEqual(
      story([intent('succeeded', 3, { receivedMinor: 1 }), session({ state: 'complete' })], true),
      [],
    )
  })
})
