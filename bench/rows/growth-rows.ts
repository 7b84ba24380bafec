// Two gateways, one with few payments in its tables and one with millions, under the same load round after round.
import { Client, Pool } from 'pg'
import { setTimeout } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { cloneLives } from '../lives/clone-lives.ts'
import { median } from '../measure.ts'
import type { BenchOptions } from '../options.ts'
import { figureOf, show, showRatio, webhookCells } from '../report.ts'
import type { Section } from '../report.ts'
import { startGatewaySystem } from '../systems/gateway.ts'
import { measureWebhooks } from './measure-webhooks.ts'
import type { WebhookRun } from './measure-webhooks.ts'

const EVENTS_PER_PAYMENT = 5.5
const WARM_UP_PAYMENTS = 1200
const FEW_OF_GOAL = 100_000
const MANY_OF_GOAL = 5_000_000
const ORIGINALS = 20
const FEE_MS_MAX = 30_000

type Gateway = Awaited<ReturnType<typeof startGatewaySystem>>
type Sizes = {
  readonly payments: number
  readonly bytes: number
  readonly perTable: Readonly<Record<string, number>>
}
type Side = { readonly gateway: Gateway; readonly sizes: Sizes; readonly runs: WebhookRun[] }

export async function growthRows(bench: Bench, options: BenchOptions): Promise<Section> {
  const sides: Side[] = []
  try {
    for (const payments of options.growth) sides.push(await startSide(bench, payments))
    const load = { connections: options.connections, model: { kind: 'closed' } } as const
    let payments = WARM_UP_PAYMENTS
    for (let times = 0; times < 2; times += 1) {
      let slowest = Infinity
      for (const { gateway } of sides) {
        const run = await measureWebhooks(bench, gateway, { payments, ...load })
        slowest = Math.min(slowest, run.eventsPerSecond)
      }
      payments = Math.max(Math.round((slowest * options.seconds) / EVENTS_PER_PAYMENT), 100)
    }
    for (let round = 0; round < options.rounds; round += 1)
      // In turns, so that what the machine does meanwhile does not always hit the same side.
      for (const { gateway, runs } of round % 2 === 0 ? sides : sides.toReversed())
        runs.push(await measureWebhooks(bench, gateway, { payments, ...load }))
    return sectionOf(sides, options)
  } finally {
    for (const { gateway } of sides) await gateway.stop()
  }
}

function sectionOf(sides: readonly Side[], { growth: [few, many] }: BenchOptions): Section {
  const [small = [], large = []] = sides.map(({ runs }) => runs)
  const ratio = (runs: readonly WebhookRun[], read: (run: WebhookRun) => number): number =>
    median(runs.map((run, round) => read(run) / read(small[round] ?? run)))
  const rate = (run: WebhookRun): number => run.eventsPerSecond
  const cpu = ({ cpuPerEvent }: WebhookRun): number => cpuPerEvent.system + cpuPerEvent.postgres
  const isVoid = [...small, ...large].some(({ problems }) => problems.length > 0)
  const tooSmall =
    few === FEW_OF_GOAL && many === MANY_OF_GOAL ? {} : { tooSmall: `${show(many)} against ${show(few)}` }
  const figure = (read: (run: WebhookRun) => number): ReturnType<typeof figureOf> => ({
    ...figureOf(large, (runs) => ratio(runs, read)),
    ...tooSmall,
    isVoid,
  })
  return {
    title: 'With few and with many payments in the tables, one process each, side by side',
    note: '  Ratios are medians of the ratios of each round. Payments in the tables are whole finished lives, payloads redacted.',
    rows: sides.map(({ sizes, runs }) => ({
      name: `${show(sizes.payments)} payments, ${show(sizes.bytes / 1e6)} MB`,
      cells: {
        'events/s of few': showRatio(ratio(runs, rate)),
        'CPU of few': showRatio(ratio(runs, cpu)),
        'p99 of few': showRatio(ratio(runs, ({ latency }) => latency.p99)),
        ...webhookCells(runs),
      },
    })),
    figures: { growthRate: figure(rate), growthCpu: figure(cpu) },
    raw: sides.map(({ sizes, runs }) => ({ sizes, runs })),
  }
}

async function startSide(bench: Bench, payments: number): Promise<Side> {
  const gateway = await gatewayOn(bench, await seeded(bench, payments))
  return { gateway, sizes: await sizesOf(gateway.pool), runs: [] }
}

async function gatewayOn(bench: Bench, databaseUrl: string): Promise<Gateway> {
  const { bookingPort } = bench.load
  return startGatewaySystem({ name: 'gateway', databaseUrl, ports: [await bench.nextPort()], bookingPort })
}

/** The database with that many finished payments; made once in a folder that is kept, and gone on with when cut off. */
async function seeded(bench: Bench, payments: number): Promise<string> {
  const name = `gateway_grown_${payments}`
  const draft = `${name}_draft`
  const client = new Client({ connectionString: bench.postgres.urlOf('postgres') })
  await client.connect()
  try {
    const isThere = async (database: string): Promise<boolean> =>
      (await client.query('select from pg_database where datname = $1', [database])).rowCount !== 0
    if (await isThere(name)) return bench.postgres.urlOf(name)
    process.stderr.write(`bench: seeding ${show(payments)} payments …\n`)
    const startedMs = performance.now()
    if (!(await isThere(draft))) {
      await client.query('drop database if exists gateway_originals')
      await finishOriginals(bench, await bench.database('gateway_originals'))
      await client.query(`alter database gateway_originals rename to ${draft}`)
    }
    await copyOriginal(bench.postgres.urlOf(draft), payments)
    await client.query(`alter database ${draft} rename to ${name}`)
    process.stderr.write(`bench: seeded in ${show((performance.now() - startedMs) / 1000)} s\n`)
    return bench.postgres.urlOf(name)
  } finally {
    await client.end()
  }
}

/** Payments that go through the gateway, to their last row: the fee, which is asked for afterwards. */
async function finishOriginals(bench: Bench, databaseUrl: string): Promise<void> {
  const gateway = await gatewayOn(bench, databaseUrl)
  try {
    const load = { payments: ORIGINALS, connections: 8, model: { kind: 'closed' } } as const
    const { problems } = await measureWebhooks(bench, gateway, load)
    if (problems.length > 0) throw new Error(`the payment to copy is not right: ${problems[0]}`)
    for (const end = Date.now() + FEE_MS_MAX; ; await setTimeout(100)) {
      const { rowCount } = await gateway.pool.query('select from fees_due limit 1')
      if (rowCount === 0) return
      if (Date.now() > end) throw new Error('the fees of the payments to copy were never read')
    }
  } finally {
    await gateway.stop()
  }
}

async function copyOriginal(databaseUrl: string, payments: number): Promise<void> {
  const pool = new Pool({ connectionString: databaseUrl, options: '-c search_path=payment_gateway' })
  try {
    const { rows } = await pool.query<{ id: string }>(
      "select min(id) as id from payments where id >= 'pay_b'",
    )
    const original = rows[0]?.id ?? ''
    await cloneLives(pool, original, payments)
    await checkClones(pool, original, payments + ORIGINALS)
  } finally {
    await pool.end()
  }
}

/** Copies have as many rows as the original in every table, and nothing the gateway would still have to do. */
async function checkClones(pool: Pool, original: string, all: number): Promise<void> {
  const { rows } = await pool.query<Record<string, string>>(
    `select (select count(*) from payments where status = 'succeeded') as payments,
       (select count(*) from stripe_events) as events,
       (select count(*) from ledger_entries) as entries,
       (select count(*) from delivery_attempts) as attempts,
       (select coalesce(sum(amount_minor), 0) from ledger_entries) as balance,
       (select count(*) from stripe_events where status = 'received')
         + (select count(*) from deliveries where status <> 'delivered') as owed,
       (select count(*) from ledger_entries where payment_id = $1) as "entriesOfOne"`,
    [original],
  )
  const is = (name: string): number => Number(rows[0]?.[name])
  const isRight =
    is('payments') === all &&
    is('events') === all * 5 &&
    is('entries') === all * is('entriesOfOne') &&
    is('attempts') === all &&
    is('balance') === 0 &&
    is('owed') === 0
  if (!isRight) throw new Error(`the copies are not what the gateway makes: ${JSON.stringify(rows[0])}`)
}

async function sizesOf(pool: Pool): Promise<Sizes> {
  const { rows } = await pool.query<{ name: string; bytes: string; live: string }>(
    `select c.relname as name, pg_total_relation_size(c.oid) as bytes, c.reltuples::bigint as live from pg_class c
     where c.relnamespace = 'payment_gateway'::regnamespace and c.relkind = 'r' order by 2 desc`,
  )
  return {
    payments: Number(rows.find(({ name }) => name === 'payments')?.live),
    bytes: rows.reduce((sum, { bytes }) => sum + Number(bytes), 0),
    perTable: Object.fromEntries(rows.map(({ name, bytes }) => [name, Number(bytes)])),
  }
}
