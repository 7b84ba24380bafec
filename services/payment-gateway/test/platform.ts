import { createHmac, randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { createPool } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { createLog } from '@passerelle/kit/log'
import type { Log } from '@passerelle/kit/log'
import { createTestDatabase } from '@passerelle/kit/test-database'
import type { TestDatabase } from '@passerelle/kit/test-database'
import { startSandbox } from '@passerelle/stripe-sandbox/sandbox'
import type { Sandbox, SandboxOptions } from '@passerelle/stripe-sandbox/sandbox'
import { SignJWT } from 'jose'
import { MIGRATIONS, SCHEMA, startGateway } from '../src/app.ts'
import type { Gateway } from '../src/app.ts'
import { gatewayConfig } from '../src/config.ts'
import { checkSent } from '../../../tools/stripe-schema/sent.ts'
import { startBookingStandIn } from './booking-stand-in.ts'
import type { BookingStandIn, StandInBooking } from './booking-stand-in.ts'

const JWT_SECRET = 'a secret of the test platform, long enough for HS256'
export const WEBHOOK_SECRET = 'whsec_test_platform'
export const SERVICE_TOKEN = 'service token of the test platform'
const WAIT_MS_MAX = 10_000
const checked = checkSent()

/** Everything around the gateway, real: PostgreSQL, the sandbox over HTTP, a booking service that listens. */
export type Platform = {
  readonly gateway: Gateway
  readonly sandbox: Sandbox
  readonly booking: BookingStandIn
  readonly database: TestDatabase
  readonly pool: Pool
  /** The environment the gateway was started with, for starting another one or a process of its own. */
  readonly env: Record<string, string>
  readonly addBooking: (over?: Partial<StandInBooking>) => StandInBooking
  readonly stop: () => Promise<void>
}

export type PlatformOptions = {
  /** Whether the sandbox delivers its webhooks to the gateway. */
  readonly webhooks?: boolean
  readonly env?: Record<string, string>
  readonly sandbox?: SandboxOptions
  /** Where the gateway logs; by default nowhere. */
  readonly log?: Log
}

export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const database = await createTestDatabase({ migrations: MIGRATIONS, schema: SCHEMA })
  const booking = await startBookingStandIn()
  const port = await freePort()
  const webhookUrl = `http://127.0.0.1:${port}/api/v1/payment-gateway/webhooks/stripe`
  const sandbox = await startSandbox({
    ...checked,
    ...(options.webhooks === false ? {} : { webhookUrl, webhookSecret: WEBHOOK_SECRET }),
    ...options.sandbox,
  })
  const env = {
    PORT: String(port),
    DATABASE_URL: database.url,
    STRIPE_SECRET_KEY: 'sk_test_platform',
    STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
    STRIPE_API_BASE: sandbox.url,
    INTERNAL_SERVICE_TOKEN: SERVICE_TOKEN,
    AUTH_JWT_SECRET: JWT_SECRET,
    BOOKING_SERVICE_URL: booking.url,
    FRONTEND_URL: 'http://localhost:5173',
    // Nothing heals by itself while a test looks at what webhooks do; the healing tests switch it on.
    SWEEP_INTERVAL_SECONDS: '0',
    RECONCILE_INTERVAL_SECONDS: '0',
    // Nobody balances load here; the rolling restart's test sets it.
    SHUTDOWN_DRAIN_SECONDS: '0',
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    ...options.env,
  }
  const gateway = await startGatewayWith(env, options.log)
  const log = createLog({ name: 'test', level: 'silent' })
  const pool = createPool({
    url: database.url,
    schema: SCHEMA,
    applicationName: 'test',
    connectionsMax: 3,
    log,
  })
  return {
    gateway,
    sandbox,
    booking,
    database,
    pool,
    env,
    addBooking: (over = {}) => {
      const added: StandInBooking = {
        id: `bkg_${randomUUID()}`,
        status: 'pending',
        customerId: 'cus_ana',
        customerEmail: null,
        tourName: 'Kayak in the Calanques',
        amountMinor: 12_900,
        currency: 'eur',
        ...over,
      }
      booking.bookings.set(added.id, added)
      return added
    },
    stop: async () => {
      await gateway.stop()
      await sandbox.stop()
      await booking.stop()
      await pool.end()
      await database.drop()
    },
  }
}

export function startGatewayWith(env: Record<string, string>, log?: Log): Promise<Gateway> {
  const config = gatewayConfig(env)
  return startGateway(config, log ?? createLog({ name: 'payment-gateway', level: config.logLevel }))
}

/** A log at its most talkative that keeps what it says. */
export function collectingLog(): { log: Log; text: () => string } {
  const chunks: string[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString())
      done()
    },
  })
  return {
    log: createLog({ name: 'payment-gateway', level: 'trace', destination }),
    text: () => chunks.join(''),
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

export async function tokenOf(customerId: string, roles: readonly string[] = []): Promise<string> {
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(customerId)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(JWT_SECRET))
}

/** An answer with its envelope; `data` is compared field by field in the tests, where a wrong shape shows. */
export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly body: {
    readonly success: boolean
    readonly data: Readonly<Record<string, string>>
    readonly error: {
      readonly code: string
      readonly message: string
      readonly requestId: string
      readonly details?: unknown
    }
  }
}

/** Calls the gateway's API as a customer (`as`, by default cus_ana), with a raw bearer, or with none. */
export async function call(
  platform: { readonly gateway: Gateway },
  method: string,
  path: string,
  options: {
    readonly body?: unknown
    readonly as?: string | null
    readonly bearer?: string
    readonly headers?: Record<string, string>
  } = {},
): Promise<Answer> {
  const bearer = options.bearer ?? (options.as === null ? null : await tokenOf(options.as ?? 'cus_ana'))
  const response = await fetch(`${platform.gateway.url}/api/v1/payment-gateway${path}`, {
    method,
    headers: {
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: JSON.parse(text) as Answer['body'] }
}

/** Pays an open session at the sandbox as the hosted page does; resolves when the sandbox would redirect. */
export async function payAtSandbox(
  platform: Platform,
  sessionId: string,
  card = '4242424242424242',
): Promise<{ outcome: string }> {
  const response = await fetch(`${platform.sandbox.url}/_sandbox/sessions/${sessionId}/pay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ card, email: 'ana@example.com' }),
  })
  return (await response.json()) as { outcome: string }
}

export type EventOver = {
  readonly id?: string
  readonly created?: number
  readonly apiVersion?: string | null
  readonly livemode?: boolean
  readonly account?: string
}

/** The JSON of an event as Stripe would render it. */
export function eventJson(type: string, object: Record<string, unknown>, over: EventOver = {}): string {
  return JSON.stringify(
    {
      id: over.id ?? `evt_${randomUUID().replaceAll('-', '')}`,
      object: 'event',
      api_version: over.apiVersion === undefined ? '2026-10-28.endive' : over.apiVersion,
      created: over.created ?? nowSeconds(),
      livemode: over.livemode ?? false,
      ...(over.account === undefined ? {} : { account: over.account }),
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      type,
      data: { object },
    },
    null,
    2,
  )
}

export function signatureOf(
  payload: string | Buffer,
  options: { secret?: string; at?: number } = {},
): string {
  const at = options.at ?? nowSeconds()
  const digest = createHmac('sha256', options.secret ?? WEBHOOK_SECRET)
    .update(`${at}.`)
    .update(payload)
    .digest('hex')
  return `t=${at},v1=${digest}`
}

/** Delivers a payload to the webhook route; signed unless `signature` says otherwise (null: no header). */
export async function deliver(
  platform: { readonly gateway: Gateway },
  payload: string | Buffer,
  signature: string | null = signatureOf(payload),
): Promise<Answer> {
  const response = await fetch(`${platform.gateway.url}/api/v1/payment-gateway/webhooks/stripe`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(signature === null ? {} : { 'stripe-signature': signature }),
    },
    body: typeof payload === 'string' ? payload : new Uint8Array(payload),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body'],
  }
}

/** Waits until `read` gives something that is neither null nor false, with a limit. */
export async function eventually<T>(
  what: string,
  read: () => Promise<T | null | false> | T | null | false,
  limitMs = WAIT_MS_MAX,
): Promise<T> {
  for (const end = Date.now() + limitMs; Date.now() < end; await setTimeout(20)) {
    const value = await read()
    if (value !== null && value !== false) return value
  }
  throw new Error(`waited ${limitMs} ms in vain: ${what}`)
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
