// The platform as a team would run it: every service a process of its own with nothing but an environment, one
// PostgreSQL that can be stopped, and the sandbox in Stripe's place.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startSandbox } from '@passerelle/stripe-sandbox/sandbox'
import type { Sandbox } from '@passerelle/stripe-sandbox/sandbox'
import { SignJWT } from 'jose'
import { freePort } from '../tools/ports.ts'
import { ensureDatabase, startPostgres } from '../tools/postgres.ts'
import type { Postgres } from '../tools/postgres.ts'
import { checkSent } from '../tools/stripe-schema/sent.ts'
import { ROOT, until } from './stack.ts'

const checked = checkSent()
const secret = (name: string): string => `${name}-kM3vX9dQpL2sT7wY1bN5cR8fG4hJ6zA0`
export const SECRETS = {
  jwt: secret('jwt'),
  token: secret('service-token'),
  webhook: `whsec_${secret('webhook')}`,
  stripe: `sk_test_${secret('stripe').replaceAll('-', '')}`,
} as const

export type Service = {
  readonly url: string
  readonly port: number
  readonly child: ChildProcess
  /** What it has logged so far, line by line. */
  readonly lines: readonly string[]
  /** Sends SIGTERM and resolves with the exit code. */
  readonly stop: () => Promise<number | null>
}

export type Platform = {
  readonly sandbox: Sandbox
  readonly databaseUrl: string
  readonly gateway: (env?: Record<string, string>) => Promise<Service>
  readonly booking: (env?: Record<string, string>) => Promise<Service>
  readonly stopPostgres: () => Promise<void>
  readonly startPostgres: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Both ports are chosen ahead, so that services can name each other before they run. */
export async function startPlatform(options: { webhookUrl?: string } = {}): Promise<Platform> {
  const directory = mkdtempSync(join(tmpdir(), 'passerelle-platform-'))
  let postgres: Postgres = await startPostgres({ directory, throwaway: true })
  const { port } = postgres
  const databaseUrl = await ensureDatabase(postgres, 'platform')
  const { webhookUrl } = options
  const sandbox = await startSandbox({
    ...checked,
    ...(webhookUrl === undefined ? {} : { webhookUrl, webhookSecret: SECRETS.webhook }),
  })
  const services = new Set<Service>()
  const bookingPort = await freePort('127.0.0.1')
  const shared = {
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    INTERNAL_SERVICE_TOKEN: SECRETS.token,
    AUTH_JWT_SECRET: SECRETS.jwt,
    SHUTDOWN_DRAIN_SECONDS: '0',
    RATE_LIMIT_PER_MINUTE: '0',
    RATE_LIMIT_FAILURES_PER_MINUTE: '0',
    CHECKOUTS_PER_CUSTOMER_PER_HOUR: '0',
  }
  const start = async (script: string, env: Record<string, string>): Promise<Service> => {
    const service = await startService(script, { ...shared, ...env })
    services.add(service)
    return service
  }
  return {
    sandbox,
    databaseUrl,
    gateway: async (env = {}) =>
      start('services/payment-gateway/src/main.ts', {
        STRIPE_SECRET_KEY: SECRETS.stripe,
        STRIPE_WEBHOOK_SECRET: SECRETS.webhook,
        STRIPE_API_BASE: sandbox.url,
        BOOKING_SERVICE_URL: `http://127.0.0.1:${bookingPort}`,
        SWEEP_INTERVAL_SECONDS: '0',
        RECONCILE_INTERVAL_SECONDS: '0',
        PORT: String(await freePort('127.0.0.1')),
        ...env,
      }),
    booking: (env = {}) =>
      start('services/booking-management/src/main.ts', { PORT: String(bookingPort), ...env }),
    stopPostgres: () => postgres.stop(),
    startPostgres: async () => {
      postgres = await startPostgres({ directory, port, throwaway: true })
    },
    stop: async () => {
      for (const service of services) await service.stop()
      await sandbox.stop()
      await postgres.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function startService(script: string, env: Record<string, string>): Promise<Service> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [script], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME, ...env, PASSERELLE_PARENT_PID: String(process.pid) },
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const port = Number(env['PORT'])
  const url = `http://127.0.0.1:${port}`
  await until(`${script} to be ready`, async () => {
    if (child.exitCode !== null) throw new Error(`${script} ended:\n${lines.join('\n')}`)
    return (await fetch(`${url}/readyz`).catch(() => null))?.ok
  })
  return {
    url,
    port,
    child,
    lines,
    stop: async () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

export async function tokenOf(
  customerId: string,
  claims: Record<string, unknown> = {},
  options: { secret?: string; expires?: string } = {},
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(customerId)
    .setExpirationTime(options.expires ?? '1h')
    .sign(new TextEncoder().encode(options.secret ?? SECRETS.jwt))
}

export type Answer = { readonly status: number; readonly text: string; readonly data: Record<string, string> }

/** Calls any service; the answer's `data` is empty when it has none. */
export async function call(
  url: string,
  method: string,
  options: { bearer?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { bearer, body, headers } = options
  const response = await fetch(url, {
    method,
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = (text.startsWith('{') ? JSON.parse(text) : {}) as { data?: Record<string, string> }
  return { status: response.status, text, data: json.data ?? {} }
}

/** Delivers an event as Stripe would; resolves with the status. */
export async function deliverEvent(
  gatewayUrl: string,
  event: { id: string; type?: string; object?: Record<string, unknown> },
  secret: string = SECRETS.webhook,
): Promise<number> {
  const at = Math.floor(Date.now() / 1000)
  const payload = JSON.stringify({
    id: event.id,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: at,
    livemode: false,
    type: event.type ?? 'customer.created',
    data: { object: event.object ?? { id: 'cus_1', object: 'customer' } },
  })
  const signature = createHmac('sha256', secret).update(`${at}.${payload}`).digest('hex')
  const response = await fetch(`${gatewayUrl}/api/v1/payment-gateway/webhooks/stripe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'stripe-signature': `t=${at},v1=${signature}` },
    body: payload,
  })
  await response.body?.cancel()
  return response.status
}

/** A booking of a customer, as the shop would make it. */
export async function bookTour(bookingUrl: string, bearer: string): Promise<string> {
  const date = new Date(Date.now() + 20 * 24 * 60 * 60_000).toISOString().slice(0, 10)
  const { status, text, data } = await call(`${bookingUrl}/api/v1/bookings`, 'POST', {
    bearer,
    body: { tourId: 'paris-after-dark', date, seats: 1 },
    headers: { 'idempotency-key': randomUUID() },
  })
  if (status !== 201) throw new Error(`no booking: ${status} ${text}`)
  return data['id'] ?? ''
}

/** Pays an open session at the sandbox as the payer would. */
export async function pay(sandboxUrl: string, sessionId: string, email = 'ana@example.com'): Promise<void> {
  await call(`${sandboxUrl}/_sandbox/sessions/${sessionId}/pay`, 'POST', {
    body: { card: '4242424242424242', email },
  })
}
