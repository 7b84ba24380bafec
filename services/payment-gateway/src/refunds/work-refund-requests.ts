import { claimRefundRequest } from './refund.repository.ts'
import { makeRefund } from './request-refund.ts'
import type { RefundDeps } from './request-refund.ts'

const LEASE_MS = 30_000

/** Makes one refund that was stored and not made yet (a crash, Stripe away, a second payment); false when none is due. */
export async function workOneRefundRequest(deps: RefundDeps): Promise<boolean> {
  const request = await claimRefundRequest(deps.pool, LEASE_MS)
  if (request === null) return false
  const made = await makeRefund(deps, request)
  deps.log.info(
    {
      refundRequestId: request.id,
      paymentId: request.paymentId,
      amountMinor: request.amountMinor,
      outcome: made.kind,
    },
    'refund_request.worked',
  )
  return true
}
