import type { PaymentStatus } from './payment.ts'

export type PollSettings = {
  readonly initialIntervalMs: number
  readonly maxIntervalMs: number
  readonly attemptsMax: number
}

/** The lesson's numbers. */
export const DEFAULT_POLLING: PollSettings = {
  initialIntervalMs: 1000,
  maxIntervalMs: 10_000,
  attemptsMax: 30,
}

export type PollState = {
  readonly status: PaymentStatus | null
  readonly settled: boolean
  /** How many times the status was asked for so far. */
  readonly attempts: number
  /** What the last answer asked to wait, if it did. */
  readonly retryAfterMs: number | null
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: number
}

const GROWTH = 1.5
const JITTER = 0.2
// A bank takes days over these: asking every ten seconds would only cost the payer's battery.
const PROCESSING_INTERVAL_MS = 15_000
// A server that asks for an hour would leave the payer in front of a dead page; a person's focus re-checks anyway.
const RETRY_AFTER_MS_MAX = 60_000

/**
 * How long to wait before asking again, in milliseconds, or null when to ask no more by oneself. Grows by half with each
 * attempt up to the maximum, spread by a fifth either way so that a thousand payers do not ask at once; a Retry-After
 * is a lower bound.
 */
export function nextPollMs(state: PollState, settings: PollSettings = DEFAULT_POLLING): number | null {
  if (state.settled || state.attempts >= settings.attemptsMax) return null
  const grown = settings.initialIntervalMs * GROWTH ** Math.max(0, state.attempts - 1)
  const capped = Math.min(grown, settings.maxIntervalMs)
  const base = state.status === 'processing' ? Math.max(capped, PROCESSING_INTERVAL_MS) : capped
  const spread = base * (1 - JITTER + 2 * JITTER * state.random)
  return Math.round(Math.max(spread, Math.min(state.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX)))
}

/** The milliseconds a Retry-After header asks for (seconds or an HTTP date), or null when it says nothing usable. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null || header.trim() === '') return null
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return seconds < 0 ? null : seconds * 1000
  const until = Date.parse(header)
  return Number.isNaN(until) ? null : Math.max(0, until - nowMs)
}
