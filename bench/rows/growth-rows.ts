// Two gateways, one with few payments in its tables and one with millions, under the same load round after round.
import type { Pool } from 'pg'
import type { Bench } from '../bench.ts'
import { median } from '../measure.ts'
import type { BenchOptions } from '../options.ts'
import { figureOf, show, showRatio, webhookCells } from '../report.ts'
import type { Section } from '../report.ts'
import type { GatewaySystem } from '../systems/gateway.ts'
import { growthRoom, grownDatabase, seedingSentence } from './growth-room.ts'
import { measureWebhooks, paymentsFor } from './measure-webhooks.ts'
import type { WebhookRun } from './measure-webhooks.ts'
import { seedGrowth } from './seed-growth.ts'
import { startGateway } from './start-gateway.ts'

const FEW_OF_GOAL = 100_000
const MANY_OF_GOAL = 5_000_000

type Sizes = {
  readonly payments: number
  readonly bytes: number
  readonly perTable: Readonly<Record<string, number>>
}
type Side = { readonly gateway: GatewaySystem; readonly sizes: Sizes; readonly runs: WebhookRun[] }

const TITLE = 'With few and with many payments in the tables, one process each, side by side'

export async function growthRows(bench: Bench, options: BenchOptions): Promise<Section> {
  const { isEnough, sentence } = seedingSentence(await growthRoom(bench, options.growth))
  if (!isEnough) return notMeasured(sentence)
  await seedGrowth(bench, options.growth)
  const sides: Side[] = []
  try {
    for (const payments of options.growth) sides.push(await startSide(bench, payments))
    const load = { connections: options.connections, model: { kind: 'closed' } } as const
    let payments = options.warmUp
    for (let times = 0; times < 2; times += 1) {
      let slowest = Infinity
      for (const { gateway } of sides) {
        const run = await measureWebhooks(bench, gateway, { payments, ...load })
        slowest = Math.min(slowest, run.eventsPerSecond)
      }
      payments = paymentsFor(slowest, options)
    }
    for (let round = 0; round < options.rounds; round += 1)
      // In turns, so that what the machine does meanwhile does not always hit the same side.
      for (const { gateway, runs } of round % 2 === 0 ? sides : sides.toReversed())
        runs.push(await measureWebhooks(bench, gateway, { payments, ...load }))
    return sectionOf(sides, options)
  } finally {
    await Promise.all(sides.map(({ gateway }) => gateway.stop()))
  }
}

function notMeasured(because: string): Section {
  const figure = { value: Number.NaN, tooSmall: 'no room on the disk' }
  return {
    title: TITLE,
    note: `  ${because}.`,
    rows: [{ name: 'not measured', cells: {} }],
    figures: { growthRate: figure, growthCpu: figure },
    raw: { notMeasured: because },
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
    title: TITLE,
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
  const gateway = await startGateway(bench, grownDatabase(payments))
  return { gateway, sizes: await sizesOf(gateway.pool), runs: [] }
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
