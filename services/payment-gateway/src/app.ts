// The composition root: everything is constructed here, by hand, in order.
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createAuthenticate, requireCaller } from '@passerelle/kit/caller'
import { ALONG_INDEXES, createPool } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { createHttpServer, listen } from '@passerelle/kit/http'
import type { HttpServer } from '@passerelle/kit/http'
import { metricsRoutes } from '@passerelle/kit/http-metrics'
import { startLoop } from '@passerelle/kit/loop'
import type { Loop } from '@passerelle/kit/loop'
import type { Log } from '@passerelle/kit/log'
import { migrate } from '@passerelle/kit/migrate'
import { createRateLimiter } from '@passerelle/kit/rate-limit'
import type { Running } from '@passerelle/kit/service'
import { startTracing } from '@passerelle/kit/tracing'
import type { Tracing } from '@passerelle/kit/tracing'
import { adminRoutes } from './admin/admin.routes.ts'
import { createAdoptPayment } from './checkout/adopt-payment.ts'
import { checkoutRoutes } from './checkout/checkout.routes.ts'
import type { GatewayConfig } from './config.ts'
import { createExtensionClient } from './forwards/extension.client.ts'
import type { ExtensionConfig } from './forwards/extension.client.ts'
import { forwardOneEvent } from './forwards/forward-events.ts'
import { nextForwardInMs } from './forwards/forward.repository.ts'
import { docsRoutes } from './ops/docs.routes.ts'
import { healthRoutes } from './ops/health.routes.ts'
import { createMetrics } from './ops/metrics.ts'
import type { Metrics } from './ops/metrics.ts'
import { startTracingEvents } from './ops/trace-events.ts'
import type { EventTracer } from './ops/trace-events.ts'
import { nextFeeDueInMs } from './ledger/ledger.repository.ts'
import { readOneFee } from './ledger/read-fees.ts'
import { createBookingClient } from './outbox/booking.client.ts'
import type { BookingClient } from './outbox/booking.client.ts'
import { DELIVERIES_CHANNEL } from './outbox/delivery.repository.ts'
import { startDelivering } from './outbox/deliver.ts'
import { startWorkerSession } from './outbox/worker-session.ts'
import { findPayments } from './payments/payment.repository.ts'
import { paymentRoutes } from './payments/payment.routes.ts'
import { receiptRoutes } from './payments/receipt.routes.ts'
import { verifyRoutes } from './payments/verify.routes.ts'
import { createPaymentWatchers, PAYMENTS_CHANNEL } from './payments/payment-stream.ts'
import type { PaymentWatchers } from './payments/payment-stream.ts'
import { paymentStreamRoutes } from './payments/payment-stream.routes.ts'
import { reconciliationRoutes } from './reconciliation/reconciliation.routes.ts'
import { startHealing } from './reconciliation/run-schedule.ts'
import type { Healing } from './reconciliation/run-schedule.ts'
import { nextRefundRequestInMs } from './refunds/refund.repository.ts'
import { refundRoutes } from './refunds/refund.routes.ts'
import { workOneRefundRequest } from './refunds/work-refund-requests.ts'
import { createAllowlist } from './stripe/allowlist.ts'
import type { Allowlist } from './stripe/allowlist.ts'
import type { AppliedEvents } from './stripe/apply-events.ts'
import { createInbox } from './stripe/inbox.ts'
import type { Inbox } from './stripe/inbox.ts'
import { EVENTS_CHANNEL, nextOwedInMs } from './stripe/inbox.repository.ts'
import { createRetentionRound } from './stripe/redact-events.ts'
import { createStripeClient } from './stripe/stripe.client.ts'
import type { StripeClient } from './stripe/stripe.client.ts'
import { tracedStripeClient } from './stripe/traced-stripe.client.ts'
import { webhookRoutes } from './stripe/webhook.routes.ts'
import { workOwedEvents } from './stripe/work-owed-events.ts'

export const SCHEMA = 'payment_gateway'
export const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))
const CONNECTIONS_MAX = 12
// For events and deliveries, which have connections of their own: however busy everybody else is, these are not kept
// waiting. One stores, one claims, one records, one works on owed events.
const HOT_CONNECTIONS_MAX = 5
// Reads of fees stay far below what Stripe allows (25 a second in test mode): nobody waits for them.
const FEE_INTERVAL_MS = 100

export type Gateway = Running & { readonly url: string; readonly port: number }

/** Migrates, connects, listens. `stop` drains requests, finishes the batch under way and releases what was claimed. */
export async function startGateway(config: GatewayConfig, log: Log): Promise<Gateway> {
  const schemaVersion = await migrate({ url: config.databaseUrl, schema: SCHEMA, directory: MIGRATIONS })
  // The deliverer is asked when the numbers are read: it is made below.
  const parts = await createParts(config, log, () => workers.isBreakerOpen())
  const { pool, hotPool, metrics, tracing } = parts
  const events = tracing.isOn ? startTracingEvents(parts) : null
  const workers = await startWorkers(config, parts)
  const inbox = createInbox({
    ...parts,
    pool: hotPool,
    claimNew: workers.claimNew,
    onApplied: workers.onApplied,
    onBatch: batchTeller(metrics, log),
  })
  const { livemode } = config.stripe
  const healing = startHealing(config.healing, { ...parts, ...workers, livemode })

  const allowlist = createAllowlist({
    setting: config.stripeIpAllowlist,
    source: config.stripeIpAllowlistSource,
    log,
  })
  await allowlist?.refresh()

  const draining = new AbortController()
  const stopping = new AbortController()
  const server = createServer(config, parts, draining.signal)
  await docsRoutes(server)
  metricsRoutes(server, metrics)
  addRoutes(server, config, {
    ...parts,
    ...workers,
    inbox,
    healing,
    allowlist,
    events,
    stopping: stopping.signal,
  })
  healthRoutes(server, { pool, schemaVersion, isStopping: () => draining.signal.aborted })
  const { url, port } = await listen(server, config)
  log.info({ port, livemode, stripe: config.stripe.apiBase }, 'gateway.listening')

  return {
    url,
    port,
    drainMs: config.drainSeconds * 1000,
    stop: async () => {
      // Whoever balances the load sees `/readyz` refuse and sends nothing new, while what still comes is answered.
      draining.abort()
      await setTimeout(config.drainSeconds * 1000)
      stopping.abort()
      allowlist?.stop()
      await server.close()
      await inbox.drain()
      await healing.stop()
      await workers.stop()
      await events?.stop()
      await tracing.stop()
      await Promise.all([pool.end(), hotPool.end()])
    },
  }
}

// A line names each event of a quiet hour; of a batch in a rush it names some, and counts them all.
const EVENTS_NAMED_MAX = 20

/** One line per commit of the inbox: its events are the unit of work here, however many requests brought them. */
function batchTeller({ onBatch }: Metrics, log: Log): Metrics['onBatch'] {
  return (batch) => {
    onBatch(batch)
    const { received, fresh, applied } = batch
    const events = fresh.slice(0, EVENTS_NAMED_MAX).map(({ id, type }) => `${id} ${type}`)
    const { owed = fresh.length, skipped = 0, deliveries = 0, changed = [] } = applied ?? {}
    const paymentIds = changed.slice(0, EVENTS_NAMED_MAX)
    log.info(
      { received, new: fresh.length, owed, skipped, deliveries, events, paymentIds },
      'stripe_events.stored',
    )
  }
}

function createServer(
  { frontendUrl, trustedProxies, tls, auth: { serviceTokens } }: GatewayConfig,
  { log, tracing }: Parts,
  draining: AbortSignal,
): HttpServer {
  const corsOrigin = new URL(frontendUrl).origin
  return createHttpServer({ log, corsOrigin, trustedProxies, tls, draining, tracing, serviceTokens })
}

function createPools(config: GatewayConfig, log: Log): { readonly pool: Pool; readonly hotPool: Pool } {
  const common = { url: config.databaseUrl, schema: SCHEMA, log }
  return {
    pool: createPool({ ...common, applicationName: 'payment-gateway', connectionsMax: CONNECTIONS_MAX }),
    hotPool: createPool({
      ...common,
      applicationName: 'payment-gateway events',
      connectionsMax: HOT_CONNECTIONS_MAX,
      settings: ALONG_INDEXES,
    }),
  }
}

async function createParts(config: GatewayConfig, log: Log, isBreakerOpen: () => boolean): Promise<Parts> {
  const { pool, hotPool } = createPools(config, log)
  const tracing = await startTracing(config.tracing, 'payment-gateway', log)
  const { bookingServiceUrl: url, serviceToken } = config
  return {
    pool,
    hotPool,
    log,
    metrics: createMetrics({ pool, isBreakerOpen }),
    tracing,
    extended: config.bookingStatusExtended,
    forwarding: config.extension !== null,
    refundsLostBookings: config.refundsLostBookings,
    refundAloneMaxMinor: config.refundAloneMaxMinor,
    stripe: tracedStripeClient(createStripeClient(config.stripe), tracing),
    booking: createBookingClient({ url, serviceToken, tracing }),
    watchers: createPaymentWatchers({ log, find: (ids) => findPayments(pool, ids) }),
  }
}

/** What nearly everything needs. */
type Parts = {
  readonly pool: Pool
  readonly hotPool: Pool
  readonly log: Log
  readonly extended: boolean
  readonly forwarding: boolean
  readonly refundsLostBookings: boolean
  readonly refundAloneMaxMinor: number | null
  readonly stripe: StripeClient
  readonly booking: BookingClient
  readonly watchers: PaymentWatchers
  readonly metrics: Metrics
  readonly tracing: Tracing
}

/** The deliverer and the worker of owed events, and the session by which other processes wake them. */
async function startWorkers(config: GatewayConfig, parts: Parts) {
  const { pool, log } = parts
  // Filled in below: the loops need the session, and the session wakes the loops.
  const wake: Record<string, (payload: string) => void> = {
    [DELIVERIES_CHANNEL]: () => {},
    [EVENTS_CHANNEL]: () => {},
    [PAYMENTS_CHANNEL]: parts.watchers.changed,
  }
  const session = await startWorkerSession({ url: config.databaseUrl, schema: SCHEMA, log, wake })
  const onApplied = ({ owed, skipped, unclaimed, transitions }: AppliedEvents): void => {
    if (skipped > 0) forwards?.wake()
    if (unclaimed > 0) deliverer.wake()
    if (owed > 0) owedEvents.wake()
    for (const transition of transitions) log.info(transition, 'payment.changed')
  }
  const deliverer = startDelivering({
    ...parts,
    pool: parts.hotPool,
    session,
    onAttempt: parts.metrics.onAttempt,
  })
  const owed = { ...parts, pool: parts.hotPool, adopt: createAdoptPayment(parts), onApplied }
  const owedEvents = startLoop(
    'owed_events',
    async () => ((await workOwedEvents(owed)) ? 0 : nextOwedInMs(pool)),
    log,
  )
  const onChanged = (): void => deliverer.wake()
  const refunds = { ...parts, onChanged }
  const refundRequests = startLoop(
    'refund_requests',
    async () => ((await workOneRefundRequest(refunds)) ? 0 : nextRefundRequestInMs(pool)),
    log,
  )
  const fees = startReadingFees(parts)
  const retention = startRetention(config, parts)
  const forwards = config.extension === null ? null : startForwarding(parts, config.extension)
  wake[DELIVERIES_CHANNEL] = deliverer.wake
  wake[EVENTS_CHANNEL] = owedEvents.wake
  return {
    onApplied,
    onChanged,
    claimNew: deliverer.claimNew,
    isBreakerOpen: deliverer.isBreakerOpen,
    stop: async () => {
      await Promise.all([
        owedEvents.stop(),
        refundRequests.stop(),
        fees.stop(),
        retention.stop(),
        forwards?.stop(),
        deliverer.stop(),
      ])
      await session.stop()
    },
  }
}

function startReadingFees(parts: Parts): Loop {
  const round = async (): Promise<number | null> =>
    (await readOneFee(parts)) ? FEE_INTERVAL_MS : nextFeeDueInMs(parts.pool)
  return startLoop('fees', round, parts.log)
}

function startRetention({ eventRetentionDays }: GatewayConfig, { pool, log }: Parts): Loop {
  return startLoop('retention', createRetentionRound({ pool, retentionDays: eventRetentionDays }), log)
}

function startForwarding({ pool, log }: Parts, extension: ExtensionConfig): Loop {
  const deps = { pool, log, extension: createExtensionClient(extension) }
  return startLoop('forwards', async () => ((await forwardOneEvent(deps)) ? 0 : nextForwardInMs(pool)), log)
}

function addRoutes(
  server: HttpServer,
  config: GatewayConfig,
  parts: Parts & {
    readonly inbox: Inbox
    readonly healing: Healing
    readonly allowlist: Allowlist | null
    readonly events: EventTracer | null
    readonly onChanged: () => void
    readonly isBreakerOpen: () => boolean
    readonly stopping: AbortSignal
  },
): void {
  const { livemode, webhookSecrets: secrets } = config.stripe
  const { frontendUrl, limits } = config
  const { checkoutsPerHour } = limits
  const failures = createRateLimiter(limits.failuresPerMinute)
  const customers = createRateLimiter(limits.requestsPerMinute)
  const anonymous = createRateLimiter(limits.requestsPerMinute)
  const authenticate = createAuthenticate(config.auth, { limits: { customers, failures } })
  void server.register(
    async (api: HttpServer) => {
      void api.register(async (scope: HttpServer) => {
        requireCaller(scope, authenticate)
        checkoutRoutes(scope, { ...parts, authenticate, livemode, frontendUrl, checkoutsPerHour })
        receiptRoutes(scope, { ...parts, authenticate })
        refundRoutes(scope, { ...parts, authenticate })
        reconciliationRoutes(scope, { ...parts, authenticate })
      })
      paymentRoutes(api, { ...parts, authenticate, anonymous })
      verifyRoutes(api, { ...parts, authenticate, anonymous })
      paymentStreamRoutes(api, { ...parts, authenticate, anonymous })
      adminRoutes(api, { ...parts, authenticate })
      const { onRefused } = parts.metrics
      const onTaken = parts.events?.taken
      webhookRoutes(api, {
        ...parts,
        secrets,
        livemode,
        failures,
        onRefused,
        ...(onTaken === undefined ? {} : { onTaken }),
      })
    },
    { prefix: '/api/v1/payment-gateway' },
  )
}
