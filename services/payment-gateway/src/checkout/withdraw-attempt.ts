import type { PaymentStatus } from '@passerelle/contracts/payment'
import { inTransaction, roundTrip } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import { appendAudit } from '../admin/audit.repository.ts'
import { applyFacts } from '../payments/apply-facts.ts'
import type { Fact, IntentState } from '../payments/known.ts'
import { findPayment, linkObjects, lockPayments } from '../payments/payment.repository.ts'
import type { Payment } from '../payments/payment.repository.ts'
import { readObject } from '../stripe/facts.ts'
import type { StripeAnswer, StripeClient } from '../stripe/stripe.client.ts'
import { closeAttempt } from './attempt.repository.ts'
import type { Attempt } from './attempt.repository.ts'

export type WithdrawDeps = {
  readonly pool: Pool
  readonly stripe: StripeClient
  readonly extended: boolean
  readonly onChanged: (paymentIds: readonly string[]) => void
}

/** Who gives up an attempt that is somebody else's, as the audit log names them, and where the payment stood then. */
export type WithdrawnBy = {
  readonly actor: string
  readonly requestId: string
  /** Read before Stripe is called: its webhook may report the session's end before its answer is here. */
  readonly statusBefore: PaymentStatus
}

/**
 * Makes an open attempt unpayable at Stripe and returns the payment as it stands after that. An attempt that was paid
 * meanwhile cannot be withdrawn: the payment then says so. `because` is `canceled` when the payer gave it up, or when
 * `by` did: that stands in the audit log, once however often it is sent.
 */
export async function withdrawAttempt(
  deps: WithdrawDeps,
  attempt: Attempt,
  because: 'canceled' | 'replaced',
  by: WithdrawnBy | null = null,
): Promise<Payment> {
  const answer = await stopAtStripe(deps.stripe, attempt)
  const facts = answer.kind === 'answered' ? factsOf(answer, attempt) : []
  const withdrawn: Fact[] =
    because === 'canceled'
      ? [
          {
            type: 'attempt',
            id: attempt.id,
            says: {
              number: attempt.number,
              amountMinor: attempt.amountMinor,
              currency: attempt.currency,
              livemode: false,
              withdrawn: true,
            },
          },
        ]
      : []
  const payment = await inTransaction(deps.pool, async (tx) => {
    const change = {
      paymentId: attempt.paymentId,
      facts: [...facts, ...withdrawn],
      because: `${because} ${attempt.id}`,
    }
    const [before] = by === null ? [] : await lockPayments(tx, [attempt.paymentId])
    await applyFacts(tx, [change], deps)
    const ids = facts
      .filter((fact) => fact.type === 'intent')
      .map((fact) => ({ id: fact.id, paymentId: attempt.paymentId }))
    await roundTrip(tx, linkObjects(ids))
    // What is over at Stripe was closed with its facts; what may still be paid must stay the only live attempt.
    if (answer.kind === 'not_found') await closeAttempt(tx, attempt.id, because)
    // Read again: when it changed is told by the database.
    const after = await findPayment(tx, attempt.paymentId)
    if (!after) throw new Error(`the payment ${attempt.paymentId} is gone`)
    if (by !== null && before?.known.attempts[attempt.id]?.withdrawn === false)
      await appendAudit(tx, [
        {
          actor: by.actor,
          requestId: by.requestId,
          action: 'session.canceled',
          subject: after.bookingId,
          paymentId: after.id,
          reason: null,
          before: { sessionId: attempt.sessionId, status: by.statusBefore },
          after: { status: after.status },
        },
      ])
    return after
  })
  deps.onChanged([payment.id])
  return payment
}

/**
 * Expires or cancels; when Stripe refuses because it is over already, reads how it ended. Throws STRIPE_UNAVAILABLE when
 * it could not be stopped and may still be paid: another attempt beside it would let the payer pay twice.
 */
async function stopAtStripe(stripe: StripeClient, attempt: Attempt): Promise<StripeAnswer> {
  const { sessionId, paymentIntentId } = attempt
  const stop =
    sessionId !== null
      ? () => stripe.expireSession(sessionId)
      : () => stripe.cancelIntent(paymentIntentId ?? '')
  const read =
    sessionId !== null
      ? () => stripe.retrieveSession(sessionId)
      : () => stripe.retrieveIntent(paymentIntentId ?? '')
  const stopped = await stop()
  const answer = stopped.kind === 'answered' || stopped.kind === 'not_found' ? stopped : await read()
  const isUnclear = stopped.kind !== 'refused' && answer.kind === 'answered' && isPayable(answer, attempt)
  if ((answer.kind === 'answered' && !isUnclear) || answer.kind === 'not_found') return answer
  throw new ApiError(
    'STRIPE_UNAVAILABLE',
    'Stripe does not answer right now. Nothing was changed; try again in a moment.',
    {
      retryAfterSeconds: 2,
    },
  )
}

/** Whether the payer may still pay what Stripe answered with. */
function isPayable(answer: Extract<StripeAnswer, { kind: 'answered' }>, attempt: Attempt): boolean {
  return factsOf(answer, attempt).some((fact) =>
    attempt.kind === 'checkout_session'
      ? fact.type === 'session' && fact.says.state === 'open'
      : fact.type === 'intent' && !INTENT_IS_OVER.has(fact.says.state),
  )
}

// A payment under way is not to be stopped; the payer has nothing more to do in it.
const INTENT_IS_OVER: ReadonlySet<IntentState> = new Set(['processing', 'canceled', 'succeeded'])

function factsOf(answer: Extract<StripeAnswer, { kind: 'answered' }>, attempt: Attempt): readonly Fact[] {
  const reading = readObject(answer.object, { second: answer.second, id: attempt.id })
  return reading.kind === 'facts' ? reading.facts : []
}
