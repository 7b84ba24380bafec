import { inTransaction, roundTrip } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import { takeCheckTurn } from '../checkout/attempt.repository.ts'
import type { Attempt } from '../checkout/attempt.repository.ts'
import { readObject } from '../stripe/facts.ts'
import type { StripeClient } from '../stripe/stripe.client.ts'
import { applyFacts } from './apply-facts.ts'
import { isSettled } from './payment-view.ts'
import { findPayment, linkObjects } from './payment.repository.ts'
import type { Payment } from './payment.repository.ts'

export type VerifyDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly stripe: StripeClient
  readonly extended: boolean
  readonly onChanged: (paymentIds: readonly string[]) => void
}

/**
 * The payment as it stands after asking Stripe about one of its attempts, when it may still change: the answer goes
 * through the same merge as a webhook, so a lost webhook is healed by the payer's own return. When Stripe is away, or was
 * asked a moment ago, the payment is returned as it is known.
 */
export async function verifyAttempt(deps: VerifyDeps, attempt: Attempt, payment: Payment): Promise<Payment> {
  const stripeId = attempt.sessionId ?? attempt.paymentIntentId
  if (isSettled(payment) || stripeId === null || !(await takeCheckTurn(deps.pool, attempt.id))) return payment
  const answer = await (attempt.sessionId === null
    ? deps.stripe.retrieveIntent(stripeId)
    : deps.stripe.retrieveSession(stripeId))
  if (answer.kind !== 'answered') {
    deps.log.warn({ stripeId, because: answer.kind }, 'verify.stripe_not_asked')
    return payment
  }
  const reading = readObject(answer.object, { second: answer.second, id: `verify ${stripeId}` })
  if (reading.kind !== 'facts') {
    deps.log.error({ stripeId, because: reading.because }, 'verify.answer_not_read')
    return payment
  }
  const applied = await inTransaction(deps.pool, async (tx) => {
    const change = { paymentId: payment.id, facts: reading.facts, because: `verify ${stripeId}` }
    const result = await applyFacts(tx, [change], deps)
    const objects = [reading.refs.sessionId, reading.refs.intentId].filter((id) => id !== null)
    await roundTrip(tx, linkObjects(objects.map((id) => ({ id, paymentId: payment.id }))))
    return result
  })
  if (applied.changed.length > 0) deps.onChanged(applied.changed)
  for (const transition of applied.transitions) deps.log.info(transition, 'payment.changed')
  // Read again where it changed: when it did is told by the database.
  const after = applied.payments.get(payment.id) ?? payment
  return applied.changed.length === 0 ? after : ((await findPayment(deps.pool, payment.id)) ?? after)
}
