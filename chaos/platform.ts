// The whole platform of a campaign: every part a process of its own, joined only by connections that can be cut.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../tools/ports.ts'
import { startBalancer } from './balancer.ts'
import type { Balancer } from './balancer.ts'
import { startBookingFront } from './booking-front.ts'
import type { BookingFront } from './booking-front.ts'
import { startDatabase } from './database.ts'
import type { Database } from './database.ts'
import type { EarlierGateway } from './earlier.ts'
import type { History } from './history.ts'
import { GATEWAYS, TOURS } from './plan.ts'
import { createRandom } from './random.ts'
import { startService } from './service.ts'
import type { Service, ServiceOptions } from './service.ts'

export const JWT_SECRET = 'a secret of the campaign, long enough for HS256'
export const SERVICE_TOKEN = 'service token of the campaign'
export const WEBHOOK_SECRET = 'whsec_campaign'
export const STRIPE_KEY = 'sk_test_campaign'

export type Platform = {
  readonly database: Database
  readonly sandbox: Service
  readonly booking: Service
  readonly bookingFront: BookingFront
  readonly gateways: readonly Service[]
  readonly balancer: Balancer
  readonly stop: () => Promise<void>
}

export type PlatformOptions = {
  /** Where data and logs go. */
  readonly folder: string
  readonly seed: number
  readonly history: History
  /** The gateway's main, or that of a broken copy. */
  readonly gatewayMain: string
  /** What the first of the gateways runs instead; null: the same as the others. */
  readonly earlier: EarlierGateway | null
  readonly gatewayEnv: Readonly<Record<string, string>>
  /** Where the sandbox writes down everything that it sends; null for nowhere. */
  readonly wireLog: string | null
}

export const GATEWAY_MAIN = fileURLToPath(new URL('../services/payment-gateway/src/main.ts', import.meta.url))
const BOOKING_MAIN = fileURLToPath(new URL('../services/booking-management/src/main.ts', import.meta.url))
const SANDBOX_MAIN = fileURLToPath(new URL('sandbox-process.ts', import.meta.url))
const HOST = '127.0.0.1'

export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { folder, history, seed } = options
  const begun: { stop: () => Promise<void> }[] = []
  const keep = <T extends { stop: () => Promise<void> }>(part: T): T => {
    begun.unshift(part)
    return part
  }
  const stop = async (): Promise<void> => {
    for (const part of begun) await part.stop()
  }
  try {
    const database = keep(await startDatabase(folder))
    const ports = await freePorts(GATEWAYS + 2)
    const [sandboxPort = 0, bookingPort = 0, ...gatewayPorts] = ports
    const balancer = keep(await startBalancer(gatewayPorts, createRandom(seed, 'balancer')))
    const service = async (
      name: string,
      script: string,
      more: Pick<ServiceOptions, 'port' | 'env' | 'healthPath' | 'scriptAgain'>,
    ) => keep(await startService({ name, script, logFile: join(folder, `${name}.log`), history, ...more }))
    const [sandbox, booking] = await Promise.all([
      service('sandbox', SANDBOX_MAIN, {
        port: sandboxPort,
        env: sandboxEnv(balancer, options.wireLog),
        healthPath: '/_sandbox/health',
      }),
      service('booking', BOOKING_MAIN, {
        port: bookingPort,
        env: bookingEnv(database),
        healthPath: '/readyz',
      }),
    ])
    await widenTours(database)
    const front = { servicePort: bookingPort, history, random: createRandom(seed, 'booking front') }
    const bookingFront = keep(await startBookingFront(front))
    const env = { ...gatewayEnv({ database, sandbox, bookingFront }), ...options.gatewayEnv }
    const gateway = (port: number, name: string, script: string, scriptAgain?: string) =>
      service(name, script, { port, env, healthPath: '/readyz', ...(scriptAgain ? { scriptAgain } : {}) })
    const [firstPort = 0, ...otherPorts] = gatewayPorts
    const { gatewayMain, earlier } = options
    // The earlier version is there before the others bring the tables up to date, as in a rolling upgrade.
    const first = await gateway(
      firstPort,
      'gateway-0',
      earlier?.main ?? gatewayMain,
      earlier?.startsAgain === true ? earlier.main : gatewayMain,
    )
    const others = await Promise.all(
      otherPorts.map((port, index) => gateway(port, `gateway-${index + 1}`, gatewayMain)),
    )
    const gateways = [first, ...others]
    return { database, sandbox, booking, bookingFront, gateways, balancer, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort(HOST))
  return [...ports]
}

function sandboxEnv(balancer: Balancer, wireLog: string | null): Record<string, string> {
  return {
    WEBHOOK_URL: `${balancer.url}/api/v1/payment-gateway/webhooks/stripe`,
    WEBHOOK_SECRET,
    ...(wireLog === null ? {} : { WIRE_LOG: wireLog }),
  }
}

function bookingEnv(database: Database): Record<string, string> {
  return { DATABASE_URL: database.url, INTERNAL_SERVICE_TOKEN: SERVICE_TOKEN, AUTH_JWT_SECRET: JWT_SECRET }
}

function gatewayEnv(parts: {
  database: Database
  sandbox: Service
  bookingFront: BookingFront
}): Record<string, string> {
  return {
    DATABASE_URL: parts.database.url,
    STRIPE_SECRET_KEY: STRIPE_KEY,
    STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
    STRIPE_API_BASE: parts.sandbox.url,
    INTERNAL_SERVICE_TOKEN: SERVICE_TOKEN,
    AUTH_JWT_SECRET: JWT_SECRET,
    BOOKING_SERVICE_URL: parts.bookingFront.url,
    FRONTEND_URL: 'http://localhost:5173',
  }
}

/** Thousands book the same few tours here. */
async function widenTours(database: Database): Promise<void> {
  const tours = TOURS.map((tour) => `'${tour}'`).join(', ')
  await database.query(`update booking_management.tours set seats_per_day = 1000000 where id in (${tours})`)
}
