import type { Known } from '../payments/known.ts'

/** What of an intent is given back already or on its way: everything but what failed or was canceled. */
export function givenBackMinor(known: Known, intentId: string): number {
  return Object.values(known.refunds)
    .filter(
      (refund) => refund.intentId === intentId && refund.state !== 'failed' && refund.state !== 'canceled',
    )
    .reduce((sum, refund) => sum + refund.amountMinor, 0)
}
