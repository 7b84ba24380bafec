import type { Log } from '@passerelle/kit/log'
import type { Payment } from './payment.repository.ts'

/** The channel on which every process hears which payments changed, their ids separated by commas. */
export const PAYMENTS_CHANNEL = 'payment_gateway_payments'

/** Who watches which payment in this process. */
export type PaymentWatchers = {
  /** Calls `watcher` with the payment after every change; returns what ends that. */
  readonly watch: (paymentId: string, watcher: (payment: Payment) => void) => () => void
  /** Tells the watchers of these payments; with an empty text all of them, for something may have been missed. */
  readonly changed: (paymentIds: string) => void
  readonly count: () => number
}

/**
 * One look at the database serves every watcher of a payment, and nobody watching costs none. Changes that arrive while
 * a look is under way are covered by one more look, so a burst is told as its last state.
 */
export function createPaymentWatchers(deps: {
  readonly log: Log
  readonly find: (paymentIds: readonly string[]) => Promise<readonly Payment[]>
}): PaymentWatchers {
  const watchers = new Map<string, Set<(payment: Payment) => void>>()
  const changed = new Set<string>()
  let count = 0
  let looking = false

  async function look(): Promise<void> {
    looking = true
    while (changed.size > 0) {
      const ids = [...changed]
      changed.clear()
      await tell(ids).catch((error: unknown) => deps.log.warn({ err: error }, 'payment_stream.not_read'))
    }
    looking = false
  }

  // Watchers who hear nothing because of a failure keep what they have: the next change, or their polling, brings it.
  async function tell(ids: readonly string[]): Promise<void> {
    for (const payment of await deps.find(ids))
      watchers.get(payment.id)?.forEach((watcher) => watcher(payment))
  }

  return {
    watch: (paymentId, watcher) => {
      const those = watchers.get(paymentId) ?? new Set()
      watchers.set(paymentId, those.add(watcher))
      count += 1
      return () => {
        if (!those.delete(watcher)) return
        count -= 1
        if (those.size === 0 && watchers.get(paymentId) === those) watchers.delete(paymentId)
      }
    },
    changed: (paymentIds) => {
      const ids = paymentIds === '' ? [...watchers.keys()] : paymentIds.split(',')
      for (const id of ids) if (watchers.has(id)) changed.add(id)
      if (changed.size > 0 && !looking) void look()
    },
    count: () => count,
  }
}
