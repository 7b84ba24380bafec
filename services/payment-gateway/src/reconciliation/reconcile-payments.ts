import { setTimeout } from 'node:timers/promises'
import { inTransaction, roundTrip } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import { applyFacts } from '../payments/apply-facts.ts'
import { findPayment, linkObjects, lockPayments } from '../payments/payment.repository.ts'
import type { Payment } from '../payments/payment.repository.ts'
import { closeAttempt, findLiveAttempt } from '../checkout/attempt.repository.ts'
import type { Attempt } from '../checkout/attempt.repository.ts'
import { readObject } from '../stripe/facts.ts'
import type { StripeAnswer, StripeClient } from '../stripe/stripe.client.ts'
import { checkAnnouncements } from './check-announcements.ts'
import { checkIntervalMs } from './check-interval.ts'
import { paymentDrift } from './drift.ts'
import { insertDrift } from './drift.repository.ts'
import { finishAttempt } from './finish-attempt.ts'
import { findDuePayments, saveCheck } from './reconcile.repository.ts'
import type { DuePayment } from './reconcile.repository.ts'
import type { Found } from './schedule.repository.ts'

export type ReconcileDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly stripe: StripeClient
  readonly extended: boolean
  /** What happened less than this ago is left to its webhook. */
  readonly afterSeconds: number
  readonly onChanged: (paymentIds: readonly string[]) => void
}

/** How often, and whether at all, Stripe may be asked for one payment; the run ends when it is `away`. */
type Checked = { readonly found: number; readonly away: boolean }

// Some seconds' worth of calls; what is left waits for the next run, which begins at once.
const PAYMENTS_PER_RUN_MAX = 200
// Stripe allows 25 reads a second in test mode, and payers' calls come first.
const CALL_INTERVAL_MS = 1000 / 15

/**
 * Asks Stripe about every payment that is not final and due, through the same merge as a webhook: what no event told, or
 * will ever tell, is healed here. `everything` asks without waiting for the growing intervals.
 */
export async function reconcilePayments(
  deps: ReconcileDeps,
  isHeld: () => boolean,
  everything: boolean,
): Promise<Found> {
  const due = await findDuePayments(deps.pool, {
    limit: PAYMENTS_PER_RUN_MAX,
    afterSeconds: everything ? 0 : deps.afterSeconds,
    everything,
  })
  const announcements = await checkAnnouncements(deps)
  let checked = 0
  let found = announcements.found
  for (const payment of due.slice(0, PAYMENTS_PER_RUN_MAX)) {
    if (!isHeld()) return { checked, found, more: true, error: null }
    const result = await checkPayment(deps, payment)
    found += result.found
    if (result.away) return { checked, found, more: false, error: 'Stripe could not be asked' }
    checked += 1
    await saveCheck(deps.pool, payment, checkIntervalMs(payment.reason, payment.checks))
  }
  return { checked, found, more: due.length > PAYMENTS_PER_RUN_MAX && !everything, error: null }
}

async function checkPayment(deps: ReconcileDeps, due: DuePayment): Promise<Checked> {
  const payment = await findPayment(deps.pool, due.paymentId)
  if (payment === null) return { found: 0, away: false }
  const attempt = await findLiveAttempt(deps.pool, payment.id)
  if (attempt?.state === 'creating') return finishAttempt(deps, attempt, payment)
  let found = 0
  for (const question of questionsOf(deps.stripe, payment, attempt)) {
    await setTimeout(CALL_INTERVAL_MS)
    const answer = await question.ask()
    if (answer.kind === 'busy' || answer.kind === 'unreachable' || answer.kind === 'indeterminate')
      return { found, away: true }
    if (answer.kind === 'answered') found += await applyAnswer(deps, payment, answer)
    else if (answer.kind === 'not_found' && question.attempt !== null)
      found += await closeUnknown(deps, question.attempt)
    else deps.log.error({ paymentId: payment.id, because: answer.kind }, 'reconcile.not_answered')
  }
  return { found, away: false }
}

type Question = { readonly attempt: Attempt | null; readonly ask: () => Promise<StripeAnswer> }

/** Everything about a payment that may still change without us. */
function questionsOf(stripe: StripeClient, payment: Payment, attempt: Attempt | null): Question[] {
  const { sessionId = null, paymentIntentId = null } = attempt ?? {}
  const { intents, sessions, refunds, disputes } = payment.known
  const questions: Question[] = []
  if (sessionId !== null) questions.push({ attempt, ask: () => stripe.retrieveSession(sessionId) })
  else if (paymentIntentId !== null)
    questions.push({ attempt, ask: () => stripe.retrieveIntent(paymentIntentId) })
  if (payment.status === 'processing') {
    for (const [id, { state, intentId }] of Object.entries(sessions))
      if (id !== sessionId && state === 'complete' && intentId === null)
        questions.push({ attempt: null, ask: () => stripe.retrieveSession(id) })
    for (const [id, { state }] of Object.entries(intents))
      if (id !== paymentIntentId && state !== 'succeeded' && state !== 'canceled')
        questions.push({ attempt: null, ask: () => stripe.retrieveIntent(id) })
  }
  const pending = Object.values(refunds).filter(({ state }) => REFUND_UNDER_WAY.has(state))
  for (const id of new Set(pending.map(({ intentId }) => intentId)))
    if (id !== null) questions.push({ attempt: null, ask: () => stripe.retrieveIntentWithRefunds(id) })
  for (const [id, { state }] of Object.entries(disputes))
    if (!DISPUTE_OVER.has(state)) questions.push({ attempt: null, ask: () => stripe.retrieveDispute(id) })
  return questions
}

const REFUND_UNDER_WAY: ReadonlySet<string> = new Set(['pending', 'requires_action'])
const DISPUTE_OVER: ReadonlySet<string> = new Set(['won', 'lost', 'warning_closed', 'prevented'])

async function applyAnswer(
  deps: ReconcileDeps,
  { id: paymentId }: Payment,
  answer: Extract<StripeAnswer, { kind: 'answered' }>,
): Promise<number> {
  const because = `reconcile ${answer.object.id}`
  const reading = readObject(answer.object, { second: answer.second, id: because })
  if (reading.kind !== 'facts') {
    deps.log.error({ paymentId, objectId: answer.object.id, because: reading.because }, 'reconcile.not_read')
    return 0
  }
  const { sessionId, intentId, chargeId } = reading.refs
  const { applied, found } = await inTransaction(deps.pool, async (tx) => {
    const [before] = await lockPayments(tx, [paymentId])
    const result = await applyFacts(tx, [{ paymentId, facts: reading.facts, because }], deps)
    const objects = [sessionId, intentId, chargeId].filter((id) => id !== null)
    await roundTrip(tx, linkObjects(objects.map((id) => ({ id, paymentId }))))
    const after = result.payments.get(paymentId)
    const drift =
      before && after ? paymentDrift(before, after, { by: 'reconcile', nowSeconds: answer.second }) : null
    await insertDrift(tx, drift === null ? [] : [drift])
    return { applied: result, found: drift === null ? 0 : 1 }
  })
  if (applied.changed.length > 0) deps.onChanged(applied.changed)
  for (const transition of applied.transitions) deps.log.info(transition, 'payment.changed')
  return found
}

/** Stripe knows neither session nor intent: nobody can pay it, so it must not stand in the way of another. */
async function closeUnknown(deps: ReconcileDeps, attempt: Attempt): Promise<number> {
  await inTransaction(deps.pool, async (tx) => {
    await closeAttempt(tx, attempt.id, 'unknown to Stripe')
    await insertDrift(tx, [
      {
        foundBy: 'reconcile',
        kind: 'attempt_unfinished',
        subject: attempt.id,
        paymentId: attempt.paymentId,
        thought: attempt.state,
        stripeSaid: 'no such object',
        done: 'closed',
        ageSeconds: (Date.now() - attempt.createdAt.getTime()) / 1000,
      },
    ])
  })
  return 1
}
