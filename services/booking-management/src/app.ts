import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createAuthenticate } from '@passerelle/kit/caller'
import { createPool } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { createHttpServer, listen } from '@passerelle/kit/http'
import type { HttpServer } from '@passerelle/kit/http'
import { metricsRoutes } from '@passerelle/kit/http-metrics'
import type { Log } from '@passerelle/kit/log'
import { startLoop } from '@passerelle/kit/loop'
import { migrate } from '@passerelle/kit/migrate'
import { createRateLimiter } from '@passerelle/kit/rate-limit'
import type { Running } from '@passerelle/kit/service'
import { startTracing } from '@passerelle/kit/tracing'
import type { Tracing } from '@passerelle/kit/tracing'
import { addBookingRoutes } from './bookings/booking.routes.ts'
import { giveUpExpiredHolds } from './bookings/give-up-booking.ts'
import { addPaymentStatusRoutes } from './bookings/payment-status.routes.ts'
import type { BookingConfig } from './config.ts'
import { addCustomerRoutes } from './customers.routes.ts'
import { openDemoKeys } from './demo/demo-keys.ts'
import { addDemoRoutes } from './demo/demo.routes.ts'
import { addHealthRoutes } from './health.routes.ts'
import { createMetrics } from './ops/metrics.ts'
import { addTourRoutes } from './tours/tour.routes.ts'

export const SCHEMA = 'booking_management'
export const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))
const CONNECTIONS_MAX = 10

export type BookingService = Running & { readonly url: string; readonly port: number }
export type AppDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly now: () => Date
  readonly schemaVersion: number
  /** Aborted when the process is about to stop. */
  readonly draining?: AbortSignal
  readonly tracing?: Tracing
}

/** The booking service's HTTP server, not listening yet. */
export async function createApp(config: BookingConfig, deps: AppDeps): Promise<HttpServer> {
  const demoKeys = config.demoSignIn ? await openDemoKeys(deps.pool, config.auth) : null
  const limits = {
    customers: createRateLimiter(config.requestsPerMinute),
    failures: createRateLimiter(config.failuresPerMinute),
  }
  const authenticate = createAuthenticate(config.auth, { limits, ownKeys: demoKeys?.own?.getKey })
  const server = createHttpServer({
    log: deps.log,
    corsOrigin: config.frontendOrigin,
    trustedProxies: config.trustedProxies,
    tls: config.tls,
    serviceTokens: config.auth.serviceTokens,
    ...(deps.draining === undefined ? {} : { draining: deps.draining }),
    ...(deps.tracing === undefined ? {} : { tracing: deps.tracing }),
  })
  const metrics = createMetrics(deps.pool)
  metricsRoutes(server, metrics)
  addHealthRoutes(server, deps)
  addTourRoutes(server, deps)
  addBookingRoutes(server, { ...deps, authenticate, holdMinutes: config.holdMinutes })
  addPaymentStatusRoutes(server, { ...deps, authenticate, onMessage: metrics.onMessage })
  addCustomerRoutes(server, { ...deps, authenticate })
  if (demoKeys) addDemoRoutes(server, { ...deps, keys: demoKeys, frontendOrigin: config.frontendOrigin })
  return server
}

/** Migrates, listens and begins to sweep; throws with everything closed again when one of them fails. */
export async function startBooking(
  config: BookingConfig,
  log: Log,
  now: () => Date = () => new Date(),
): Promise<BookingService> {
  const schemaVersion = await migrate({ url: config.databaseUrl, schema: SCHEMA, directory: MIGRATIONS })
  const started: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const stop of started.toReversed()) await stop()
  }
  try {
    const pool = createPool({
      url: config.databaseUrl,
      schema: SCHEMA,
      applicationName: 'booking-management',
      connectionsMax: CONNECTIONS_MAX,
      log,
    })
    started.push(() => pool.end())
    const tracing = await startTracing(config.tracing, 'booking-management', log)
    started.push(tracing.stop)
    const draining = new AbortController()
    const deps = { pool, log, now, schemaVersion, draining: draining.signal, tracing }
    const server = await createApp(config, deps)
    started.push(() => server.close())
    const { url, port } = await listen(server, config)
    const sweep = startLoop('booking_holds', () => giveUpExpiredHolds({ pool, log, now }), log)
    started.push(sweep.stop)
    log.info({ url, schemaVersion, demoSignIn: config.demoSignIn }, 'booking_service.started')
    const stop = async (): Promise<void> => {
      draining.abort()
      await setTimeout(config.drainSeconds * 1000)
      await close()
      log.info('booking_service.stopped')
    }
    return { url, port, drainMs: config.drainSeconds * 1000, stop }
  } catch (error) {
    await close()
    throw error
  }
}
