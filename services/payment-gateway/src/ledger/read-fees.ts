import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import { applyFacts } from '../payments/apply-facts.ts'
import type { Fact } from '../payments/known.ts'
import { feeOf } from '../stripe/facts.ts'
import type { StripeClient } from '../stripe/stripe.client.ts'
import { claimFeeDue, deleteFeeDue, postponeFeeDue } from './ledger.repository.ts'

export type FeeDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly stripe: StripeClient
  readonly extended: boolean
}

// Longer than every try of one call together; a process that dies while it asks delays the fee by this and no more.
const LEASE_MS = 30_000
// Nobody waits for a fee, but until it is posted the ledger holds more than Stripe does.
const RETRY_MS = 5000

const MAY_PASS: ReadonlySet<string> = new Set(['busy', 'unreachable', 'indeterminate'])

/** Reads one fee that is due from Stripe and posts it; false when none is due. */
export async function readOneFee(deps: FeeDeps): Promise<boolean> {
  const due = await claimFeeDue(deps.pool, LEASE_MS)
  if (due === null) return false
  const answer = await deps.stripe.retrieveBalanceTransaction(due.balanceTransactionId)
  const fee = answer.kind === 'answered' ? feeOf(answer.object) : null
  if (fee === null) {
    deps.log.warn({ chargeId: due.chargeId, because: answer.kind }, 'fee.read_later')
    // Only what may pass is asked for soon; what Stripe does not know waits for the whole lease.
    if (MAY_PASS.has(answer.kind)) await postponeFeeDue(deps.pool, due.chargeId, RETRY_MS)
    return true
  }
  const { chargeId, paymentId, balanceTransactionId } = due
  const fact: Fact = { type: 'charge', id: chargeId, says: { intentId: null, balanceTransactionId, fee } }
  await inTransaction(deps.pool, async (tx) => {
    await applyFacts(tx, [{ paymentId, facts: [fact], because: `fee ${balanceTransactionId}` }], deps)
    await deleteFeeDue(tx, chargeId)
  })
  return true
}
