import { BOOKING_STATUSES } from '@passerelle/contracts/booking'
import type { Pool } from '@passerelle/kit/database'
import { countRequests } from '@passerelle/kit/http-metrics'
import type { AnsweredRequest } from '@passerelle/kit/http-metrics'
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { PaymentStatusOutcome } from '../bookings/apply-payment-status.ts'
import { countBookings, lastMessageAgeSeconds } from './overview.repository.ts'
import type { BookingCounts } from './overview.repository.ts'

export type Metrics = {
  readonly onRequest: (request: AnsweredRequest) => void
  /** What became of a message of the gateway. */
  readonly onMessage: (outcome: PaymentStatusOutcome) => void
  /** Everything in Prometheus's text format; what only the database knows is read now, or left out when it does not answer. */
  readonly render: () => Promise<string>
}

const PREFIX = 'passerelle_booking_service'
// /metrics is open, and must not be a lever on the database: whoever asks more often gets the same numbers.
const MESSAGE_AGE_LIFE_MS = 1000
// Counting reads every booking.
const COUNTS_LIFE_MS = 60_000

/** The booking service's numbers. No label ever holds an id or a person, and each has a handful of values. */
export function createMetrics(pool: Pool): Metrics {
  const registry = new Registry()
  const messages = new Counter({
    name: `${PREFIX}_messages_total`,
    help: "The gateway's messages by what became of them: applied; duplicate and out_of_order (changed nothing, as is right); refused and unknown_booking (a person looks).",
    labelNames: ['outcome'] as const,
    registers: [registry],
  })
  for (const outcome of ['applied', 'duplicate', 'out_of_order', 'refused', 'unknown_booking'])
    messages.inc({ outcome }, 0)
  collectDefaultMetrics({ register: registry })
  return {
    onRequest: countRequests(PREFIX, [registry]),
    onMessage: (outcome) => messages.inc({ outcome: nameOf(outcome) }),
    render: renderer(registry, pool),
  }
}

function nameOf(outcome: PaymentStatusOutcome): string {
  switch (outcome.kind) {
    case 'applied':
      return 'applied'
    case 'ignore':
      return outcome.because === 'already_applied' ? 'duplicate' : 'out_of_order'
    case 'refuse':
      return 'refused'
    case 'unknown_booking':
      return 'unknown_booking'
    default:
      return outcome satisfies never
  }
}

function renderer(registry: Registry, pool: Pool): () => Promise<string> {
  const registers = [registry]
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `${PREFIX}_${name}`, help, registers })
  const up = gauge('database_up', '1 when the database answered this scrape.')
  const age = gauge(
    'last_message_age_seconds',
    'Since the gateway last said anything; absent before it ever did.',
  )
  const overbooked = gauge('overbooked_bookings', 'Paid bookings of days to come that have no seats.')
  const bookings = new Gauge({
    name: `${PREFIX}_bookings`,
    help: 'Bookings by status, counted once a minute.',
    labelNames: ['status'] as const,
    registers,
  })
  const readAge = remembered(MESSAGE_AGE_LIFE_MS, () => lastMessageAgeSeconds(pool))
  const readCounts = remembered(COUNTS_LIFE_MS, () => countBookings(pool))

  return async () => {
    const [messageAge, counts] = await Promise.all([readAge(), readCounts()])
    up.set(messageAge === FAILED ? 0 : 1)
    // A number from before would look like one of now.
    if (messageAge === FAILED || messageAge === null) age.remove()
    else age.set(messageAge)
    showCounts(counts === FAILED ? null : counts)
    return registry.metrics()
  }

  function showCounts(counts: BookingCounts | null): void {
    bookings.reset()
    if (counts === null) return overbooked.remove()
    overbooked.set(counts.overbooked)
    for (const status of BOOKING_STATUSES) bookings.set({ status }, counts.byStatus.get(status) ?? 0)
  }
}

const FAILED = Symbol('not answered')

/** Reads at most once in `lifeMs`, and again at once after a read that failed. */
function remembered<T>(lifeMs: number, read: () => Promise<T>): () => Promise<T | typeof FAILED> {
  let kept: { readonly sinceMs: number; readonly value: Promise<T | typeof FAILED> } | null = null
  return async () => {
    if (kept === null || performance.now() - kept.sinceMs > lifeMs)
      kept = { sinceMs: performance.now(), value: read().catch((): typeof FAILED => FAILED) }
    const value = await kept.value
    if (value === FAILED) kept = null
    return value
  }
}
