import type { Known } from '../payments/known.ts'

/** What of an intent is given back already or on its way: everything but what failed or was canceled. */
export function givenBackMinor(known: Known, intentId: string): number {
  return Object.values(known.refunds)
    .filter(
      (refund) => refund.intentId === intentId && refund.state !== 'failed' && refund.state !== 'canceled',
    )
    .reduce((sum, refund) => sum + refund.amountMinor, 0)
}

/** Our requests that Stripe has reported as refunds, whether their answer has reached us or not. */
export function seenRequests(known: Known): string[] {
  return Object.values(known.refunds).flatMap(({ requestId }) => (requestId === null ? [] : [requestId]))
}

/** Every refund of an intent ever seen, whatever became of it: what a charge may have counted when it was rendered. */
export function refundsSeenMinor(known: Known, intentId: string): number {
  return Object.values(known.refunds)
    .filter((refund) => refund.intentId === intentId)
    .reduce((sum, refund) => sum + refund.amountMinor, 0)
}
