import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pretty } from '../http/pretty.ts'
import type { EventRecord } from '../store/records.ts'
import { aboutOf, fillHole, HOLE, idsOf, objectOf, wireText } from './event-object.ts'

const charge = {
  id: 'ch_1',
  object: 'charge',
  amount: 12900,
  metadata: { note: `"${HOLE}"`, 'two\nlines': '€ $& $1' },
  payment_intent: 'pi_1',
  refunds: { data: [], empty: {} },
}
const eventOf = (object: unknown): object => ({
  id: 'evt_1',
  data: { object, previous_attributes: { description: HOLE } },
  type: 'charge.updated',
})
const record: EventRecord = {
  id: 'evt_1',
  created: 1,
  type: 'charge.updated',
  object: charge,
  previousAttributes: null,
  request: { id: null, idempotencyKey: null },
  endpoints: [],
}

test('an event is sent to the byte as if its object had been written with it', () => {
  assert.equal(fillHole(pretty(eventOf(HOLE)), wireText(charge)), pretty(eventOf(charge)))
})

test('an event’s object is read from its text, or as an older journal kept it', () => {
  for (const event of [record, { ...record, object: wireText(charge), about: idsOf(charge) }]) {
    assert.deepEqual(objectOf(event), charge)
    assert.deepEqual(aboutOf(event), ['ch_1', 'pi_1'])
  }
})
