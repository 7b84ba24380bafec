/**
 * The time by Stripe's own clock, which every answer tells in its `Date` and the monotonic clock carries on from there.
 * What is read from Stripe is put in order with its events, and events are listed, by their `created`: a host whose wall
 * clock is wrong, or jumps, would else outrank what happens after it, or take hours for swept that are still to come.
 */
export type StripeClock = {
  readonly note: (date: unknown) => void
  /** Unix seconds. By the host's clock as long as Stripe has said nothing. */
  readonly nowSeconds: () => number
}

export function createStripeClock(
  monotonicMs: () => number = () => performance.now(),
  wallMs: () => number = () => Date.now(),
): StripeClock {
  let offsetMs: number | null = null
  return {
    note: (date) => {
      const ms = typeof date === 'string' ? Date.parse(date) : Number.NaN
      if (!Number.isNaN(ms)) offsetMs = ms - monotonicMs()
    },
    nowSeconds: () => Math.floor((offsetMs === null ? wallMs() : offsetMs + monotonicMs()) / 1000),
  }
}
