/**
 * When a delivery that failed is tried again: exponential with full jitter, so that the bookings of an outage do not
 * come back in step.
 *
 *   failure   1     2    3    4    5    6     7     8 and more
 *   at most   0.5s  1s   2s   4s   8s   16s   32s   60s
 *
 * Given up by age, not by count: an outage of the destination costs no delivery its life, however often it was probed.
 * Three days is how long Stripe itself keeps trying.
 */
export const DELIVERY_AGE_MAX_MS = 3 * 24 * 60 * 60_000
const FIRST_MS = 500
const MAX_MS = 60_000

/** `random` is in [0, 1); the wait is never below a tenth of its bound, so that a retry is no hammer. */
export function retryWaitMs(failures: number, retryAfterMs: number | null, random: number): number {
  const bound = Math.min(FIRST_MS * 2 ** Math.max(failures - 1, 0), MAX_MS)
  const jittered = bound * (0.1 + 0.9 * random)
  return Math.round(Math.max(jittered, retryAfterMs ?? 0))
}

/** While the destination does not answer, it is asked this often, by one delivery. */
export const PROBE_INTERVAL_MS = 1000

/** Closed: everything is sent. Open: one delivery at a time is sent as a probe, the rest wait. */
export type Breaker = {
  readonly isOpen: () => boolean
  /** Tells how a call ended; true when this closed the breaker again. */
  readonly record: (answered: boolean) => boolean
}

// Five in a row without an answer is no coincidence at 64 in flight; fewer would trip on a single restart's blip.
const FAILURES_TO_OPEN = 5

export function createBreaker(): Breaker {
  let failures = 0
  return {
    isOpen: () => failures >= FAILURES_TO_OPEN,
    record: (answered) => {
      const wasOpen = failures >= FAILURES_TO_OPEN
      failures = answered ? 0 : failures + 1
      return wasOpen && answered
    },
  }
}
