import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bookingState, rereadMs } from './booking-state.ts'

const time = '2026-11-24T10:00:00Z'

test('a cancelled booking is shown as refunded only when money came and went', () => {
  assert.equal(bookingState({ status: 'cancelled', paidAt: time, refundedAt: time }), 'refunded')
  assert.equal(bookingState({ status: 'cancelled', paidAt: null, refundedAt: null }), 'cancelled')
  assert.equal(bookingState({ status: 'confirmed', paidAt: time, refundedAt: null }), 'confirmed')
})

test('only a booking whose payment page was opened here is looked at again, and not for ever', () => {
  assert.equal(rereadMs('pending', { hasSession: true, reads: 1 }), 2000)
  assert.equal(rereadMs('pending', { hasSession: false, reads: 1 }), false)
  assert.equal(rereadMs('confirmed', { hasSession: true, reads: 1 }), false)
  assert.equal(rereadMs('pending', { hasSession: true, reads: 10 }), false)
  assert.equal(rereadMs(null, { hasSession: true, reads: 0 }), false)
})
