import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { DEFAULT_POLLING, nextPollMs, retryAfterMs } from './polling.ts'
import type { PollState } from './polling.ts'

const middle: PollState = { status: 'pending', settled: false, attempts: 1, retryAfterMs: null, random: 0.5 }

test('the waits are the lesson’s: one second, half as much again each time, ten seconds at most', () => {
  const waits = Array.from({ length: 10 }, (_, index) => nextPollMs({ ...middle, attempts: index + 1 }))
  assert.deepEqual(waits, [1000, 1500, 2250, 3375, 5063, 7594, 10_000, 10_000, 10_000, 10_000])
})

test('asking ends with the thirtieth try and with the payment', () => {
  assert.equal(nextPollMs({ ...middle, attempts: 30 }), null)
  assert.notEqual(nextPollMs({ ...middle, attempts: 29 }), null)
  assert.equal(nextPollMs({ ...middle, settled: true }), null)
})

test('a payment that the bank processes is asked about every fifteen seconds', () => {
  assert.equal(nextPollMs({ ...middle, status: 'processing', attempts: 3 }), 15_000)
})

test('every wait lies within a fifth of its plan and honours Retry-After up to a minute', () => {
  const state = fc.record({
    attempts: fc.integer({ min: 1, max: 29 }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 10_000_000 })),
  })
  fc.assert(
    fc.property(state, (given) => {
      const wait = nextPollMs({ ...middle, ...given })
      const plan = Math.min(1000 * 1.5 ** (given.attempts - 1), DEFAULT_POLLING.maxIntervalMs)
      const asked = Math.min(given.retryAfterMs ?? 0, 60_000)
      assert.ok(wait !== null)
      assert.ok(wait >= Math.max(Math.floor(plan * 0.8), asked), `${wait}`)
      assert.ok(wait <= Math.max(Math.ceil(plan * 1.2), asked), `${wait}`)
    }),
  )
})

test('Retry-After is read as seconds and as a date, and nonsense is no wait', () => {
  const now = Date.parse('2026-11-24T10:00:00Z')
  assert.equal(retryAfterMs('7', now), 7000)
  assert.equal(retryAfterMs('Tue, 24 Nov 2026 10:00:30 GMT', now), 30_000)
  assert.equal(retryAfterMs('Tue, 24 Nov 2026 09:00:00 GMT', now), 0)
  for (const nonsense of [null, '', ' ', 'soon', '-3']) assert.equal(retryAfterMs(nonsense, now), null)
})
