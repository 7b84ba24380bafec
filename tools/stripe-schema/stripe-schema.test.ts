import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createChecker } from './check.ts'
import { readDeclarations } from './declarations.ts'
import { generateSchema } from './generate.ts'
import { stripeSchema } from './schema.ts'

const schema = stripeSchema()
const checker = createChecker(schema)

const balanceTransaction = {
  id: 'txn_1',
  object: 'balance_transaction',
  amount: 100,
  available_on: 1,
  balance_type: 'payments',
  created: 1,
  currency: 'eur',
  description: null,
  exchange_rate: null,
  fee: 0,
  fee_details: [],
  net: 100,
  reporting_category: 'charge',
  source: 'ch_1',
  status: 'pending',
  type: 'charge',
}
const event = {
  id: 'evt_1',
  object: 'event',
  api_version: null,
  created: 1,
  livemode: false,
  pending_webhooks: 0,
  request: null,
  type: 'customer.deleted',
}

describe("the schema of the SDK's own declarations", () => {
  it('is generated anew whenever the SDK or the generator changes', () => {
    const root = new URL('../..', import.meta.url).pathname
    assert.deepEqual(stripeSchema(), JSON.parse(JSON.stringify(generateSchema(readDeclarations(root)))))
  })

  it('knows the objects and events that payments consist of, and refers to nothing that is not there', () => {
    for (const name of [
      'charge',
      'checkout.session',
      'dispute',
      'event',
      'payment_intent',
      'price',
      'refund',
    ])
      if (name !== 'event') assert.ok(schema.objects[name], name)
    for (const type of ['charge.dispute.funds_withdrawn', 'checkout.session.completed', 'refund.failed'])
      assert.ok(schema.events[type], type)
    assert.ok(Object.keys(schema.events).length > 250)
    const references = new Set(JSON.stringify(schema.$defs).match(/#\/\$defs\/[^"]+/g))
    const broken = [...references].filter((each) => !schema.$defs[each.slice('#/$defs/'.length)])
    assert.deepEqual(broken, [])
  })
})

describe('an object that is checked', () => {
  it('passes when it is whole', () => {
    assert.deepEqual(checker.answer(balanceTransaction), [])
  })

  it('names each required field that is missing', () => {
    for (const field of Object.keys(balanceTransaction).filter((name) => name !== 'object')) {
      const { [field]: _, ...rest } = balanceTransaction as Record<string, unknown>
      assert.deepEqual(checker.answer(rest), [`balance_transaction.${field}: missing`])
    }
  })

  it('names fields that Stripe does not have, wrong types and values that nobody published', () => {
    const wrong = { ...balanceTransaction, color: 'red', amount: '100', type: 'gift', source: 5 }
    assert.deepEqual(checker.answer(wrong).toSorted(), [
      'balance_transaction.amount: "100" is not of type number',
      'balance_transaction.color: the SDK knows no such field',
      'balance_transaction.source: 5 is none of what it may be',
      'balance_transaction.type: "gift" is not a value of the SDK',
    ])
  })

  it('is looked into: lists, expanded objects, the object of an event, its previous attributes', () => {
    const { net: _, ...broken } = balanceTransaction
    const list = { object: 'list', data: [balanceTransaction, broken], has_more: false, url: '/v1/x' }
    assert.deepEqual(checker.answer(list), ['balance_transaction.net: missing'])
    const deleted = { id: 'cus_1', object: 'customer', deleted: true }
    assert.deepEqual(checker.answer(deleted), [])
    const { deleted: _deleted, ...alive } = deleted
    assert.ok(checker.answer(alive).includes('customer.created: missing'))
    const told = { ...event, type: 'refund.updated', data: { object: 'r', previous_attributes: { x: 1 } } }
    assert.deepEqual(checker.event(told), [
      'refund.updated.data.object: "r" is not of type object',
      'refund.updated.data.previous_attributes.x: the SDK knows no such field',
    ])
  })

  it('is checked as a thin event and as a page of the second version', () => {
    const thin = {
      id: 'evt_test_1',
      object: 'v2.core.event',
      type: 'v1.refund.created',
      created: '2026-11-01T00:00:00.000Z',
      livemode: false,
      reason: { type: 'request', request: { id: 'req_1', idempotency_key: 'k' } },
      related_object: { id: 're_1', type: 'refund', url: '/v1/refunds/re_1' },
      snapshot_event: 'evt_1',
    }
    const { related_object: _, ...unrelated } = thin
    assert.deepEqual(checker.event(thin), [])
    assert.deepEqual(checker.event({ ...unrelated, data: {} }), [
      'v1.refund.created.related_object: missing',
      'v1.refund.created.data: the SDK knows no such field',
    ])
    const page = { data: [unrelated], next_page_url: null }
    assert.deepEqual(checker.answer(page), [
      'answer.previous_page_url: missing',
      'v1.refund.created.related_object: missing',
    ])
  })

  it('may not be of an unknown kind', () => {
    assert.deepEqual(checker.answer({ object: 'unicorn' }), ['answer: the SDK knows no object "unicorn"'])
    assert.deepEqual(checker.event({ ...event, type: 'charge.created' }), [
      'event: the SDK knows no type "charge.created"',
    ])
    assert.deepEqual(checker.answer({ error: { type: 'strange' } }), [
      'error.type: "strange" is not a value of the SDK',
      'error.message: missing',
      'error.type: unknown',
    ])
  })
})
