import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { median, percentiles, riseOver } from './measure.ts'

describe('what the bench makes of its values', () => {
  it('takes the value itself as a percentile, never one in between, in whatever order they came', () => {
    const hundred = Float64Array.from({ length: 100 }, (_, index) => ((index * 37) % 100) + 1)
    assert.deepEqual(percentiles(hundred), { p50: 50, p95: 95, p99: 99, max: 100 })
    assert.deepEqual(percentiles(Float64Array.of(7)), { p50: 7, p95: 7, p99: 7, max: 7 })
    assert.deepEqual(percentiles(new Float64Array(0)), {
      p50: Number.NaN,
      p95: Number.NaN,
      p99: Number.NaN,
      max: Number.NaN,
    })
  })

  it('sees the one slow answer among a hundred and one in the p99', () => {
    const values = new Float64Array(150).fill(1)
    values[3] = 900
    values[90] = 900
    assert.equal(percentiles(values).p99, 900)
    assert.equal(percentiles(values).p95, 1)
  })

  it('has as median of an even number the middle of the two in the middle', () => {
    assert.equal(median([9, 1, 5]), 5)
    assert.equal(median([10, 1, 2, 4]), 3)
    assert.ok(Number.isNaN(median([])))
  })

  it('finds a leak under the saw teeth of a garbage collector, and none where only the teeth are', () => {
    const teeth = Array.from({ length: 200 }, (_, index) => 200 + (index % 10) * 5)
    assert.ok(Math.abs(riseOver(teeth)) < 3)
    const leaking = teeth.map((value, index) => value + index * 0.5)
    assert.ok(Math.abs(riseOver(leaking) - 100) < 3)
    assert.ok(Number.isNaN(riseOver([])))
  })
})
