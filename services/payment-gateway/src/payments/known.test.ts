import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DISPUTE_STATES, INTENT_STATES, merge, NOTHING_KNOWN, REFUND_STATES } from './known.ts'
import type { Fact, Known } from './known.ts'

// Few ids, few seconds: collisions are what the merge is about.
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true })
}
const id = (prefix: string) => fc.constantFrom(`${prefix}_1`, `${prefix}_2`)
const second = fc.integer({ min: 1, max: 4 })
const moment = record({ second, id: fc.constantFrom('evt_a', 'evt_b', 'evt_c') })
const attemptId = fc.constantFrom('att_1', null)
const amountMinor = fc.constantFrom(500, 1000)
const currency = fc.constantFrom('eur', 'usd')

const fact: fc.Arbitrary<Fact> = fc.oneof(
  record({
    type: fc.constant('attempt' as const),
    id: id('att'),
    says: record({
      number: fc.constantFrom(1, 2),
      amountMinor,
      currency,
      livemode: fc.boolean(),
      withdrawn: fc.boolean(),
    }),
  }),
  record({
    type: fc.constant('session' as const),
    id: id('cs'),
    says: record({
      attemptId,
      intentId: fc.constantFrom('pi_1', 'pi_2', null),
      state: fc.constantFrom('open' as const, 'complete' as const, 'expired' as const),
      money: fc.constantFrom('paid' as const, 'unpaid' as const),
      amountMinor,
      currency,
      livemode: fc.boolean(),
      expiresAt: second,
    }),
  }),
  record({
    type: fc.constant('intent' as const),
    id: id('pi'),
    says: record({
      attemptId,
      state: fc.constantFrom(...INTENT_STATES),
      stateAt: moment,
      amountMinor,
      receivedMinor: fc.constantFrom(0, 500, 1000),
      currency,
      livemode: fc.boolean(),
      succeededAt: fc.option(second),
      decline: fc.option(
        record({
          at: moment,
          code: fc.constantFrom('expired_card', 'generic_decline'),
          message: fc.constant(null),
          advice: fc.constantFrom('try_again_later' as const, 'do_not_try_again' as const),
        }),
      ),
    }),
  }),
  record({
    type: fc.constant('charge' as const),
    id: id('ch'),
    says: record({
      intentId: fc.constantFrom('pi_1', null),
      balanceTransactionId: fc.constantFrom('txn_1', null),
      fee: fc.option(record({ amountMinor, currency })),
    }),
  }),
  record({
    type: fc.constant('refund' as const),
    id: id('re'),
    says: record({
      intentId: fc.constantFrom('pi_1', null),
      state: fc.constantFrom(...REFUND_STATES),
      amountMinor,
      currency,
      createdAt: second,
      reason: fc.constantFrom(null, 'duplicate'),
      failureReason: fc.constantFrom(null, 'declined'),
      requestId: fc.constantFrom(null, 'rfq_1'),
    }),
  }),
  record({
    type: fc.constant('dispute' as const),
    id: id('du'),
    says: record({
      intentId: fc.constantFrom('pi_1', null),
      state: fc.constantFrom(...DISPUTE_STATES),
      stateAt: moment,
      amountMinor,
      currency,
      reason: fc.constantFrom('general', 'fraudulent'),
      createdAt: second,
      movements: fc.dictionary(
        fc.constantFrom('txn_1', 'txn_2'),
        record({ amountMinor, currency, fee: record({ amountMinor, currency }) }),
        { noNullPrototype: true },
      ),
    }),
  }),
)

const mergeAll = (facts: readonly Fact[]): Known => facts.reduce(merge, NOTHING_KNOWN)

describe('merge', () => {
  it('ends in the same knowledge in every order of the same facts', () => {
    fc.assert(
      fc.property(
        fc
          .array(fact, { maxLength: 7 })
          .chain((facts) =>
            fc.tuple(fc.constant(facts), fc.shuffledSubarray(facts, { minLength: facts.length })),
          ),
        ([facts, shuffled]) => assert.deepEqual(mergeAll(shuffled), mergeAll(facts)),
      ),
      { numRuns: 2000 },
    )
  })

  it('learns nothing from a fact it has heard, however often and late it comes again', () => {
    fc.assert(
      fc.property(fc.array(fact, { minLength: 1, maxLength: 6 }), fc.nat(), (facts, index) => {
        const known = mergeAll(facts)
        const repeated = facts[index % facts.length] as Fact
        assert.equal(merge(known, repeated), known)
      }),
    )
  })

  it('never forgets money: received amounts, success and refunds only grow', () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 6 }), fact, (facts, next) => {
        const before = mergeAll(facts)
        const after = merge(before, next)
        for (const [intentId, intent] of Object.entries(before.intents)) {
          const later = after.intents[intentId]
          assert.ok(later && later.receivedMinor >= intent.receivedMinor)
          if (intent.state === 'succeeded') assert.equal(later.state, 'succeeded')
        }
        for (const [refundId, refund] of Object.entries(before.refunds)) {
          const later = after.refunds[refundId]
          assert.ok(later && REFUND_STATES.indexOf(later.state) >= REFUND_STATES.indexOf(refund.state))
        }
      }),
    )
  })

  it('keeps objects called like properties of every object apart from them', () => {
    const session = {
      attemptId: null,
      intentId: null,
      state: 'open',
      money: 'unpaid',
      amountMinor: 500,
      currency: 'eur',
      livemode: false,
      expiresAt: 1,
    } as const
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      const known = merge(NOTHING_KNOWN, { type: 'session', id: name, says: session })
      assert.deepEqual(Object.keys(known.sessions), [name])
    }
  })
})
