// The real service on a database of its own, and a client that speaks to it as anybody would: over HTTP.
import { Writable } from 'node:stream'
import { SignJWT } from 'jose'
import { createPool } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { createLog } from '@passerelle/kit/log'
import type { Log } from '@passerelle/kit/log'
import { createTestDatabase } from '@passerelle/kit/test-database'
import { MIGRATIONS, SCHEMA, startBooking } from '../src/app.ts'
import { bookingConfig } from '../src/config.ts'

export const SERVICE_TOKEN = 'service-token-in-use'
export const NEXT_SERVICE_TOKEN = 'service-token-of-tomorrow'
const JWT_SECRET = 'secret-of-the-tests'

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at what came over the wire
  readonly body: any
}
export type Call = {
  readonly token?: string | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}
export type Client = (method: string, path: string, call?: Call) => Promise<Answer>

export type RunningService = {
  readonly call: Client
  readonly url: string
  readonly databaseUrl: string
  readonly pool: Pool
  readonly log: Log
  readonly logLines: readonly Readonly<Record<string, unknown>>[]
  /** What the service takes for the present; tests may move it. */
  readonly clock: { now: Date }
  readonly stop: () => Promise<void>
}

/** The environment of a service with HS256 tokens on a port of the system's choice. */
export function environment(databaseUrl: string): Readonly<Record<string, string>> {
  return {
    DATABASE_URL: databaseUrl,
    INTERNAL_SERVICE_TOKEN: `${SERVICE_TOKEN}, ${NEXT_SERVICE_TOKEN}`,
    AUTH_JWT_SECRET: JWT_SECRET,
    PORT: '0',
    SHUTDOWN_DRAIN_SECONDS: '0',
  }
}

/** Starts the service; `env` overrides its environment, an undefined value unsets. */
export async function startService(
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<RunningService> {
  const database = await createTestDatabase({ migrations: MIGRATIONS, schema: SCHEMA })
  const { log, lines } = collectingLog()
  const clock = { now: new Date() }
  const config = bookingConfig({ ...environment(database.url), ...env })
  const service = await startBooking(config, log, () => clock.now)
  const pool = createPool({
    url: database.url,
    schema: SCHEMA,
    applicationName: 'test',
    connectionsMax: 4,
    log,
  })
  return {
    call: clientOf(service.url),
    url: service.url,
    databaseUrl: database.url,
    pool,
    log,
    logLines: lines,
    clock,
    stop: async () => {
      await service.stop()
      await pool.end()
      await database.drop()
    },
  }
}

export function clientOf(url: string): Client {
  return async (method, path, { token, body, headers } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === '' ? null : JSON.parse(text),
    }
  }
}

function collectingLog() {
  const lines: Record<string, unknown>[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n').filter(Boolean)) lines.push(JSON.parse(line))
      done()
    },
  })
  return { log: createLog({ name: 'booking-management', level: 'info', destination }), lines }
}

/** A token as a sign-in service would issue it to the customer. */
export async function tokenOf(
  customerId: string,
  claims: Readonly<Record<string, unknown>> = {},
  options: { readonly secret?: string; readonly expiresAt?: string } = {},
): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(customerId)
    .setIssuedAt()
    .setExpirationTime(options.expiresAt ?? '1h')
    .sign(new TextEncoder().encode(options.secret ?? JWT_SECRET))
}

/** A day, counted from the clock of the tests: far enough from midnight everywhere for the tests' dates. */
export function dayFrom(now: Date, days: number): string {
  return new Date(now.getTime() + days * 24 * 60 * 60 * 1000).toISOString().slice(0, 10)
}
