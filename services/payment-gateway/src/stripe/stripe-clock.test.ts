import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createStripeClock } from './stripe-clock.ts'

const NOON = Date.UTC(2026, 10, 24, 12)

describe("Stripe's clock", () => {
  it("goes by the host's until Stripe has told the time, then by Stripe's, wherever the host's jumps", () => {
    let monotonic = 5000
    let wall = NOON - 3 * 3_600_000
    const clock = createStripeClock(
      () => monotonic,
      () => wall,
    )
    assert.equal(clock.nowSeconds(), wall / 1000)
    clock.note(new Date(NOON).toUTCString())
    assert.equal(clock.nowSeconds(), NOON / 1000)
    wall += 10 * 3_600_000
    monotonic += 90_000
    assert.equal(clock.nowSeconds(), NOON / 1000 + 90)
  })

  it('is left as it is by an answer without a time, or with none that can be read', () => {
    const clock = createStripeClock(() => 0)
    clock.note(new Date(NOON).toUTCString())
    for (const date of [undefined, '', 'yesterday', ['a', 'b']]) clock.note(date)
    assert.equal(clock.nowSeconds(), NOON / 1000)
  })
})
