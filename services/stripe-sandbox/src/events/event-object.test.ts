import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pretty } from '../http/pretty.ts'
import { API_VERSION, DEFAULT_SETTINGS } from '../settings.ts'
import { Clock } from '../store/clock.ts'
import type { EventRecord } from '../store/records.ts'
import { Store } from '../store/store.ts'
import { aboutOf, idsOf, objectOf, wireText } from './event-object.ts'
import { eventText, renderEvent } from './event.ts'

const charge = {
  id: 'ch_1',
  object: 'charge',
  amount: 12900,
  metadata: { note: '"a" $& $1', 'two\nlines': '€' },
  payment_intent: 'pi_1',
  refunds: { data: [], empty: {} },
}
const old: EventRecord = {
  id: 'evt_1',
  created: 1,
  type: 'charge.updated',
  object: charge,
  previousAttributes: null,
  request: { id: null, idempotencyKey: null },
  endpoints: ['we_1'],
}
const event: EventRecord = { ...old, object: wireText(charge), about: idsOf(charge) }
const store = new Store(new Clock(), DEFAULT_SETTINGS, undefined)

test('an event is sent to the byte as the JSON of what the API shows', () => {
  const request = { id: 'req_1', idempotencyKey: 'a "key"\n' }
  const previousAttributes = { metadata: { 'a "b"': null }, description: '\u2028' }
  for (const each of [event, { ...event, request }, { ...event, previousAttributes }, old])
    assert.equal(eventText(store, each, API_VERSION), pretty(renderEvent(store, each)))
})

test('an event’s object is read from its text, or as an older journal kept it', () => {
  for (const each of [old, event]) {
    assert.deepEqual(objectOf(each), charge)
    assert.deepEqual(aboutOf(each), ['ch_1', 'pi_1'])
  }
})
