import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'pg'
import { bookingId } from '../lives/ids.ts'
import { AMOUNT_MINOR } from '../lives/record-life.ts'
import { startServer, WEBHOOK_SECRET } from './system.ts'
import type { System } from './system.ts'

const BASELINES = fileURLToPath(new URL('../baselines', import.meta.url))
const CEILINGS = fileURLToPath(new URL('ceilings.ts', import.meta.url))

/** Installs what the gateway is compared with, on the first run; false when that cannot be done (no network). */
export function installBaselines(): boolean {
  if (existsSync(join(BASELINES, 'node_modules', 'express'))) return true
  process.stderr.write('bench: installing what the gateway is compared with …\n')
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    execFileSync(npm, ['ci', '--prefix', BASELINES], {
      cwd: BASELINES,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return true
  } catch {
    return false
  }
}

/** A server that stores nothing: `raw`, `raw-hmac` or `fastify`. */
export async function startCeiling(name: string, kind: string, port: number): Promise<System> {
  const server = await startServer({
    script: CEILINGS,
    port,
    ready: '/',
    env: { CEILING: kind, STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET },
  })
  return {
    name,
    ports: [port],
    pids: [server.pid],
    tells: false,
    afterAnswerMs: 0,
    seed: async () => {},
    check: async () => [],
    stop: server.stop,
  }
}

type BaselineOptions = {
  readonly name: string
  readonly databaseUrl: string
  readonly port: number
  readonly bookingPort: number
}

/** The lesson's design as written. */
export async function startLesson(options: BaselineOptions): Promise<System> {
  const server = await startBaseline('lesson.mjs', options)
  const pool = new Pool({ connectionString: options.databaseUrl, max: 1 })
  return {
    name: options.name,
    ports: [options.port],
    pids: [server.pid],
    tells: true,
    afterAnswerMs: 0,
    seed: async () => {},
    check: async (tag, payments) => {
      const { rows } = await pool.query<{ paid: number; rows: number }>(
        `select count(distinct "bookingId") filter (where status = 'succeeded' and amount * 100 = $3)::int as paid, count(*)::int as rows
         from transactions where "bookingId" >= $1 and "bookingId" < $2`,
        [bookingId(tag, 0), bookingId(tag, payments), AMOUNT_MINOR],
      )
      const { paid = 0, rows: made = 0 } = rows[0] ?? {}
      return [
        ...(paid === payments ? [] : [`paid: ${paid} instead of ${payments}`]),
        ...(made === payments ? [] : [`payment rows: ${made} instead of ${payments}`]),
      ]
    },
    stop: async () => {
      await server.stop()
      await pool.end()
    },
  }
}

/** The sync engine from npm: it mirrors objects, so its rows must be as Stripe's last word. */
export async function startSyncEngine(options: BaselineOptions): Promise<System> {
  const pool = new Pool({ connectionString: options.databaseUrl, max: 1 })
  // Its migrations give a function to a role of that name.
  await pool.query('create role postgres').catch(() => undefined)
  const server = await startBaseline('sync-engine.mjs', options)
  return {
    name: options.name,
    ports: [options.port],
    pids: [server.pid],
    tells: false,
    afterAnswerMs: 0,
    seed: async () => {},
    check: async (tag, payments) => {
      const { rows } = await pool.query<{ paid: number; complete: number }>(
        `select (select count(*)::int from stripe.payment_intents where metadata->>'booking_id' >= $1
                   and metadata->>'booking_id' < $2 and status = 'succeeded') as paid,
                (select count(*)::int from stripe.checkout_sessions where metadata->>'booking_id' >= $1
                   and metadata->>'booking_id' < $2 and status = 'complete') as complete`,
        [bookingId(tag, 0), bookingId(tag, payments)],
      )
      return Object.entries(rows[0] ?? {})
        .filter(([, count]) => count !== payments)
        .map(([name, count]) => `${name}: ${count} instead of ${payments}`)
    },
    stop: async () => {
      await server.stop()
      await pool.end()
    },
  }
}

function startBaseline(script: string, options: BaselineOptions) {
  return startServer({
    script: join(BASELINES, script),
    port: options.port,
    ready: '/',
    env: {
      DATABASE_URL: options.databaseUrl,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      BOOKING_SERVICE_URL: `http://127.0.0.1:${options.bookingPort}`,
    },
  })
}
