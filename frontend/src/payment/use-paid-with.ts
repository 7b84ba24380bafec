import { useEffect, useState } from 'react'
import { fetchReceipt } from '../api/gateway.client.ts'
import type { PaidWith } from '../api/gateway.client.ts'
import type { Landing } from './landing.ts'

/**
 * What was paid with, asked for as the signed-in customer once there is a receipt: the status token opens none of it, and a
 * masked page does not ask. Null on any trouble: a receipt with fewer lines is still a receipt.
 */
export function usePaidWith(
  { bookingId, isMasked }: Pick<Landing, 'bookingId' | 'isMasked'>,
  isNeeded: boolean,
): PaidWith | null {
  const [paidWith, setPaidWith] = useState<PaidWith | null>(null)
  const asksFor = isNeeded && !isMasked ? bookingId : null
  useEffect(() => {
    if (asksFor === null) return undefined
    const leaving = new AbortController()
    fetchReceipt(asksFor, leaving.signal).then(
      (found) => {
        if (!leaving.signal.aborted) setPaidWith(found)
      },
      () => undefined,
    )
    return () => leaving.abort()
  }, [asksFor])
  return paidWith
}
