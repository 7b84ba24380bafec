import { fileURLToPath } from 'node:url'
import { Pool } from 'pg'
import { startBalanceStub } from './balance-stub.ts'
import { AMOUNT_MINOR } from '../lives/record-life.ts'
import { seedPayments } from '../lives/seed-payments.ts'
import { startServer, WEBHOOK_PATH, WEBHOOK_SECRET } from './system.ts'
import type { Server, System } from './system.ts'

export type GatewayOptions = {
  readonly name: string
  readonly databaseUrl: string
  readonly ports: readonly number[]
  readonly bookingPort: number
  readonly stripeBase?: string
  readonly execArgv?: readonly string[]
}

export type GatewaySystem = System & { readonly pool: Pool }

export const JWT_SECRET = 'a secret of the benchmark, long enough for HS256'
export const SERVICE_TOKEN = 'service token of the benchmark'
const MAIN = fileURLToPath(new URL('../../services/payment-gateway/src/main.ts', import.meta.url))

// A delivery that failed is tried again within seconds; what is not told after so long never is.
const TOLD_MS_MAX = 60_000
// As the Dockerfile and the systemd unit start it.
const AS_INSTALLED = ['--max-semi-space-size=16']

/** Our gateway, as it is started where it is installed, once for each port. */
export async function startGatewaySystem(options: GatewayOptions): Promise<GatewaySystem> {
  const stub = options.stripeBase === undefined ? await startBalanceStub() : null
  const servers: Server[] = []
  for (const port of options.ports)
    servers.push(
      await startServer({
        script: MAIN,
        port,
        ready: '/readyz',
        execArgv: [...AS_INSTALLED, ...(options.execArgv ?? [])],
        env: {
          DATABASE_URL: options.databaseUrl,
          STRIPE_SECRET_KEY: 'sk_test_bench',
          STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
          STRIPE_API_BASE: options.stripeBase ?? stub?.url ?? '',
          INTERNAL_SERVICE_TOKEN: SERVICE_TOKEN,
          AUTH_JWT_SECRET: JWT_SECRET,
          BOOKING_SERVICE_URL: `http://127.0.0.1:${options.bookingPort}`,
          // Sweeps and reconciliation ask Stripe; here it knows none of these payments.
          SWEEP_INTERVAL_SECONDS: '0',
          RECONCILE_INTERVAL_SECONDS: '0',
          // Nobody balances load between them: there is no one to wait for when they stop.
          SHUTDOWN_DRAIN_SECONDS: '0',
        },
      }),
    )
  const pool = new Pool({
    connectionString: options.databaseUrl,
    max: 2,
    options: '-c search_path=payment_gateway',
  })
  // PostgreSQL is stopped at the end; a connection that hears of it while it is being closed has nobody left to tell.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return {
    name: options.name,
    ports: options.ports,
    pids: servers.map(({ pid }) => pid),
    tells: true,
    afterAnswerMs: TOLD_MS_MAX,
    pool,
    seed: (tag, payments) => seedPayments(pool, tag, payments),
    check: (tag, payments) => checkGateway(pool, tag, payments),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()))
      await stub?.stop()
      await pool.end()
    },
  }
}

export { WEBHOOK_PATH }

const EVENTS_PER_PAYMENT = 5

/** Every payment paid, told once, booked in the ledger, and each of its events stored once with its effect. */
export async function checkGateway(pool: Pool, tag: string, payments: number): Promise<readonly string[]> {
  const { rows } = await pool.query<Record<string, number>>(
    `with mine as (select * from payments where id >= $1 and id < $2)
     select (select count(*)::int from mine) as payments,
       (select count(*)::int from mine where status = 'succeeded' and captured_minor = $3 and refunded_minor = 0
          and announced->>'status' = 'confirmed' and announced_version = 1) as paid,
       (select count(*)::int from deliveries d join mine on mine.id = d.payment_id where d.status = 'delivered') as delivered,
       (select count(*)::int from deliveries d join mine on mine.id = d.payment_id) as deliveries,
       (select count(*)::int from payment_transitions t join mine on mine.id = t.payment_id where t.to_status = 'succeeded') as successes,
       (select count(*)::int from payment_attempts a join mine on mine.id = a.payment_id where a.state <> 'closed') as open_attempts,
       (select coalesce(sum(l.amount_minor), 0)::int from ledger_entries l join mine on mine.id = l.payment_id
          where account = 'stripe_balance' and posting like 'capture %') as captured,
       (select count(*)::int from stripe_events e join mine on mine.id = e.payment_id where e.status = 'processed') as processed,
       -- Each along its own index: together they would be looked for in every event there ever was.
       (select count(*)::int from stripe_events where status = 'received')
         + (select count(*)::int from stripe_events where status = 'failed') as owed,
       (select count(*)::int from incidents i join mine on mine.id = i.payment_id) as incidents`,
    [`pay_${tag}`, `pay_${tag}~`, AMOUNT_MINOR],
  )
  const is = rows[0] ?? {}
  const processed = Number(is['processed'])
  const should: Record<string, number> = {
    payments,
    paid: payments,
    delivered: payments,
    deliveries: payments,
    successes: payments,
    open_attempts: 0,
    captured: payments * AMOUNT_MINOR,
    owed: 0,
    incidents: 0,
  }
  const problems = Object.entries(should)
    .filter(([name, value]) => is[name] !== value)
    .map(([name, value]) => `${name}: ${is[name]} instead of ${value}`)
  // An event that says nothing (a charge that is not settled) is stored as skipped, without a payment.
  if (processed > payments * EVENTS_PER_PAYMENT || processed < payments * (EVENTS_PER_PAYMENT - 1))
    problems.push(`processed events: ${processed} of ${payments * EVENTS_PER_PAYMENT}`)
  return problems
}
