/**
 * How long a payment is left alone after Stripe was asked about it. Most are paid within minutes; a session lives a day,
 * and a debit takes days.
 *
 *   check            1      2      3      4       5 and more
 *   not paid yet     1 min  2 min  5 min  15 min  1 h
 *   money going back 10 min 1 h    6 h    24 h    24 h
 */
const NOT_PAID_SECONDS = [60, 120, 300, 900, 3600] as const
const GOING_BACK_SECONDS = [600, 3600, 6 * 3600, 24 * 3600] as const

/** Milliseconds until the next check, when `checks` were made before this one because of `reason`. */
export function checkIntervalMs(reason: string, checks: number): number {
  const table: readonly number[] =
    reason === 'refund' || reason === 'dispute' ? GOING_BACK_SECONDS : NOT_PAID_SECONDS
  return (table[Math.min(checks, table.length - 1)] ?? 3600) * 1000
}
