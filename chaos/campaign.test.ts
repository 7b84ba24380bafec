// A short campaign, always the same one, and proof that its checker would have noticed.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { runCampaign } from './campaign.ts'
import type { Outcome } from './campaign.ts'
import { check, CHECKS } from './checker.ts'
import { DOCTORINGS } from './doctor.ts'
import { readOptions } from './options.ts'
import { LIFE_WEIGHTS, planPayments, planStrikes } from './plan.ts'
import { plantBug, PLANTS } from './plants.ts'
import { keepHistory, reportOf } from './report.ts'
import { checkWireLog } from '../tools/stripe-schema/sent.ts'

const OPTIONS = readOptions(['--payments', '44', '--seed', '24', '--payers', '16', '--gap', '500'])

let outcome: Outcome
before(async () => {
  outcome = await runCampaign(OPTIONS, () => {})
})
after(() => outcome.forget())

describe('a crash campaign', () => {
  it('loses nothing, doubles nothing, tells nothing out of order and gets no amount wrong', () => {
    if (outcome.violations.length > 0)
      process.stderr.write(`${reportOf(outcome, OPTIONS)}\n${keepHistory(outcome, OPTIONS)}\n`)
    assert.deepEqual(outcome.violations, [])
  })

  it('struck where it hurts, and had something to check', () => {
    const { faults } = outcome.history
    const wanted = ['kill_gateway', 'freeze_gateway', 'kill_database', 'kill_booking']
    for (const fault of [...wanted, 'stripe webhook: drop', 'stripe api: error_after'])
      assert.ok((faults.get(fault) ?? 0) > 0, `no ${fault}: choose another seed or a longer campaign`)
    const { rows, bookings } = outcome.evidence
    assert.equal(bookings.length, OPTIONS.payments)
    assert.ok(rows.payments.filter(({ paid }) => paid).length > OPTIONS.payments / 2)
    assert.ok(rows.events.some(({ source }) => source === 'sweep'))
  })

  it('was fed nothing by the sandbox that Stripe would not send', () => {
    checkWireLog(outcome.wireLog ?? '')
  })
})

describe('the checker has teeth', () => {
  for (const { what, caughtBy, doctor } of DOCTORINGS)
    it(what, () => {
      const caught = check(doctor(outcome.evidence)).map((violation) => violation.check)
      assert.ok(caught.includes(caughtBy), `caught by ${[...new Set(caught)].join(', ') || 'nothing'} only`)
    })

  it('each of its checks fails for something', () => {
    const failing = new Set(DOCTORINGS.map(({ caughtBy }) => caughtBy))
    assert.deepEqual(
      CHECKS.map(({ name }) => name).filter((name) => !failing.has(name)),
      [],
    )
  })

  it('the bugs to plant still fit the gateway, and each names a check', () => {
    const folder = mkdtempSync(join(tmpdir(), 'passerelle-plants-'))
    try {
      for (const [name, { caughtBy }] of Object.entries(PLANTS)) {
        assert.ok(plantBug(name, join(folder, name)).endsWith('main.ts'))
        assert.ok(CHECKS.some((known) => known.name === caughtBy))
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('the plan', () => {
  it('is the same for the same seed, holds every life, and is another for another seed', () => {
    const strikes = (seed: number): string => {
      const planned = planStrikes(seed, 900)
      return JSON.stringify(Array.from({ length: 50 }, () => planned.next().value))
    }
    assert.deepEqual(planPayments(5, 100), planPayments(5, 100))
    assert.notDeepEqual(planPayments(5, 100), planPayments(6, 100))
    assert.equal(strikes(5), strikes(5))
    assert.notEqual(strikes(5), strikes(6))
    const lives = new Set(planPayments(7, 40).map(({ life }) => life))
    assert.equal(lives.size, Object.keys(LIFE_WEIGHTS).length)
  })
})
