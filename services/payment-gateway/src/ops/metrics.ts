import type { Pool } from '@passerelle/kit/database'
import { countRequests } from '@passerelle/kit/http-metrics'
import type { AnsweredRequest } from '@passerelle/kit/http-metrics'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { readOverview } from '../admin/overview.repository.ts'
import type { Overview } from '../admin/overview.repository.ts'
import type { DeliverDeps } from '../outbox/deliver.ts'
import type { InboxDeps } from '../stripe/inbox.ts'
import type { WebhookRoutesDeps } from '../stripe/webhook.routes.ts'

export type Metrics = {
  readonly onBatch: NonNullable<InboxDeps['onBatch']>
  readonly onAttempt: NonNullable<DeliverDeps['onAttempt']>
  readonly onRefused: NonNullable<WebhookRoutesDeps['onRefused']>
  readonly onRequest: (request: AnsweredRequest) => void
  /** Everything in Prometheus's text format; what only the database knows is read now, or left out when it does not answer. */
  readonly render: () => Promise<string>
}

export type MetricsDeps = { readonly pool: Pool; readonly isBreakerOpen: () => boolean }

// Whoever scrapes more often than this gets the same numbers: /metrics is open, and must not be a lever on the database.
const OVERVIEW_LIFE_MS = 1000

/** The gateway's numbers. No label ever holds an id, an address or a secret, and each has a handful of values. */
export function createMetrics(deps: MetricsDeps): Metrics {
  const registry = new Registry()
  const registers = [registry]
  // Memory, processor time and how late the event loop is: what a process that is too busy shows first.
  collectDefaultMetrics({ register: registry })
  return {
    ...inboxMetrics(registers),
    ...outboxMetrics(registers),
    onRequest: countRequests('passerelle', registers),
    render: renderer(registry, deps),
  }
}

const REFUSALS = [
  'missing',
  'malformed',
  'mismatch',
  'too_old',
  'in_the_future',
  'wrong_mode',
  'address',
  'rate_limited',
] as const

function inboxMetrics(registers: Registry[]): Pick<Metrics, 'onBatch' | 'onRefused'> {
  const events = new Counter({
    name: 'passerelle_stripe_events_total',
    help: 'Verified events by what became of them at once: processed, skipped, owed (the worker applies it), duplicate.',
    labelNames: ['outcome'] as const,
    registers,
  })
  for (const outcome of ['processed', 'skipped', 'owed', 'duplicate']) events.inc({ outcome }, 0)
  const lag = new Histogram({
    name: 'passerelle_stripe_event_lag_seconds',
    help: 'From when Stripe made an event (whole seconds) to its commit here.',
    buckets: [0.5, 1, 2, 5, 15, 60, 300, 3600, 86_400],
    registers,
  })
  const batches = new Histogram({
    name: 'passerelle_inbox_batch_events',
    help: 'Events stored and applied by one commit.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers,
  })
  const refused = new Counter({
    name: 'passerelle_webhooks_refused_total',
    help: 'Webhook requests refused before they were stored, by why: the signature, the mode, the address, the limit.',
    labelNames: ['because'] as const,
    registers,
  })
  for (const because of REFUSALS) refused.inc({ because }, 0)
  return {
    onRefused: (because) => refused.inc({ because }),
    onBatch: ({ received, fresh, applied }) => {
      batches.observe(received)
      const owed = applied === null ? fresh.length : Math.min(applied.owed, fresh.length)
      const skipped = Math.min(applied?.skipped ?? 0, fresh.length - owed)
      events.inc({ outcome: 'owed' }, owed)
      events.inc({ outcome: 'skipped' }, skipped)
      events.inc({ outcome: 'processed' }, fresh.length - owed - skipped)
      events.inc({ outcome: 'duplicate' }, received - fresh.length)
      const nowSeconds = Date.now() / 1000
      for (const { created } of fresh) lag.observe(Math.max(nowSeconds - created, 0))
    },
  }
}

function outboxMetrics(registers: Registry[]): Pick<Metrics, 'onAttempt'> {
  const attempts = new Counter({
    name: 'passerelle_delivery_attempts_total',
    help: 'Calls to the booking service by how they ended: delivered, failed (tried again), dead (a person looks).',
    labelNames: ['outcome'] as const,
    registers,
  })
  for (const outcome of ['delivered', 'failed', 'dead']) attempts.inc({ outcome }, 0)
  const confirmed = new Histogram({
    name: 'passerelle_booking_confirmed_seconds',
    help: 'From the commit of a payment to the booking service having confirmed it.',
    buckets: [0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600],
    registers,
  })
  return {
    onAttempt: ({ outcome, announced, ageMs }) => {
      attempts.inc({ outcome: outcome === 'refused' ? 'dead' : outcome })
      if (outcome === 'delivered' && announced === 'confirmed') confirmed.observe(Math.max(ageMs, 0) / 1000)
    },
  }
}

const DATABASE_GAUGES: readonly (readonly [string, string, (it: Overview) => number])[] = [
  ['owed_events', 'Events stored whose effect is still owed.', (it) => it.owedEvents],
  [
    'oldest_owed_event_seconds',
    'Age of the oldest of them, 0 when none is owed.',
    (it) => it.oldestOwedSeconds ?? 0,
  ],
  ['failed_events', 'Events given up, waiting for a person to replay them.', (it) => it.failedEvents],
  ['pending_deliveries', 'Announcements the booking service is owed.', (it) => it.pendingDeliveries],
  [
    'oldest_pending_delivery_seconds',
    'Age of the oldest of them, 0 when none is owed.',
    (it) => it.oldestPendingSeconds ?? 0,
  ],
  [
    'dead_deliveries',
    'Announcements given up, waiting for a person to redeliver them.',
    (it) => it.deadDeliveries,
  ],
  ['open_incidents', 'Incidents nobody has resolved.', (it) => it.openIncidents],
  [
    'drift_found_last_hour',
    'Differences between what was thought here and what was so, found within the last hour.',
    (it) => it.driftLastHour,
  ],
  [
    'sweep_age_seconds',
    'Since the last sweep of missed events ended without an error; 0 before the first.',
    (it) => it.sweepAgeSeconds ?? 0,
  ],
  [
    'reconcile_age_seconds',
    'Since the last reconciliation with Stripe ended without an error; 0 before the first.',
    (it) => it.reconcileAgeSeconds ?? 0,
  ],
]

function renderer(registry: Registry, { pool, isBreakerOpen }: MetricsDeps): () => Promise<string> {
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `passerelle_${name}`, help, registers: [registry] })
  const breaker = gauge('booking_breaker_open', '1 while this process takes the booking service for down.')
  const up = gauge('database_up', '1 when the database answered this scrape within its second.')
  const gauges = DATABASE_GAUGES.map(([name, help, read]) => ({ gauge: gauge(name, help), read }))
  let reading: { readonly sinceMs: number; readonly overview: Promise<Overview | null> } | null = null

  return async () => {
    if (reading === null || performance.now() - reading.sinceMs > OVERVIEW_LIFE_MS)
      reading = { sinceMs: performance.now(), overview: readOverview(pool).catch(() => null) }
    const overview = await reading.overview
    breaker.set(isBreakerOpen() ? 1 : 0)
    up.set(overview === null ? 0 : 1)
    for (const { gauge, read } of gauges) {
      // A number from before would look like one of now.
      if (overview === null) gauge.remove()
      else gauge.set(read(overview))
    }
    return registry.metrics()
  }
}
