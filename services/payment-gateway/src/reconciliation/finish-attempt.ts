import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import { attemptAgeMs, closeAttempt, findLiveAttempt } from '../checkout/attempt.repository.ts'
import type { Attempt } from '../checkout/attempt.repository.ts'
import { createAtStripe, REPLAYED_MS_MAX } from '../checkout/start-attempt.ts'
import type { CreateDeps } from '../checkout/start-attempt.ts'
import type { Payment } from '../payments/payment.repository.ts'
import { insertDrift } from './drift.repository.ts'

/**
 * Ends what a crash left `creating`: the same call with the same key brings what Stripe made, or makes it now, so that
 * the next who asks is given it. What is too old for that, or paid otherwise, is closed.
 */
export async function finishAttempt(
  deps: CreateDeps,
  attempt: Attempt,
  payment: Payment,
): Promise<{ found: number; away: boolean }> {
  const ageMs = await attemptAgeMs(deps.pool, attempt.id)
  const useless = ageMs > REPLAYED_MS_MAX || payment.paidAt !== null
  if (useless) await inTransaction(deps.pool, (tx) => closeAttempt(tx, attempt.id, 'never finished'))
  else
    try {
      await createAtStripe(deps, attempt)
    } catch (error) {
      // Stripe away or refusing: what became of the attempt tells which.
      if (!(error instanceof ApiError)) throw error
    }
  return report(deps.pool, attempt, { asked: !useless, ageSeconds: ageMs / 1000 })
}

async function report(
  pool: Pool,
  attempt: Attempt,
  { asked, ageSeconds }: { asked: boolean; ageSeconds: number },
): Promise<{ found: number; away: boolean }> {
  const live = await findLiveAttempt(pool, attempt.paymentId)
  const state = live?.id === attempt.id ? live.state : 'closed'
  if (state === 'creating') return { found: 0, away: true }
  const madeSaid = state === 'open' ? 'open' : 'refused'
  await inTransaction(pool, (tx) =>
    insertDrift(tx, [
      {
        foundBy: 'reconcile',
        kind: 'attempt_unfinished',
        subject: attempt.id,
        paymentId: attempt.paymentId,
        thought: 'creating',
        stripeSaid: asked ? madeSaid : 'not asked',
        done: state === 'open' ? 'finished' : 'closed',
        ageSeconds,
      },
    ]),
  )
  return { found: 1, away: false }
}
