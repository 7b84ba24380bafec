// The main table: everything that takes webhooks, side by side, round after round.
import type { Bench } from '../bench.ts'
import type { Figures } from '../goals.ts'
import { median } from '../measure.ts'
import type { BenchOptions } from '../options.ts'
import { figureOf, showRatio, webhookCells } from '../report.ts'
import type { Section } from '../report.ts'
import { installBaselines, startCeiling, startLesson, startSyncEngine } from '../systems/baselines.ts'
import { startGatewaySystem } from '../systems/gateway.ts'
import type { System } from '../systems/system.ts'
import { measureWebhooks, paymentsFor } from './measure-webhooks.ts'
import type { WebhookRun } from './measure-webhooks.ts'

const CEILING = 'node:http with HMAC'
const LESSON = "the lesson's design"
const GATEWAY = 'gateway, one process'
// What a quick look leaves out: no goal is held against them.
const NOT_QUICK: ReadonlySet<string> = new Set([
  'node:http, body read',
  'Fastify with HMAC',
  'gateway, two processes',
])

export async function webhookRows(bench: Bench, options: BenchOptions): Promise<Section> {
  const systems = await startSystems(bench, options)
  try {
    const runs = new Map<System, WebhookRun[]>(systems.map((system) => [system, []]))
    const payments = new Map<System, number>()
    for (const system of systems) payments.set(system, await warmUp(bench, system, options))
    for (let round = 0; round < options.rounds; round += 1)
      for (const system of systems)
        runs.get(system)?.push(
          await measureWebhooks(bench, system, {
            payments: payments.get(system) ?? options.warmUp,
            connections: options.connections,
            model: { kind: 'closed' },
          }),
        )
    const byName = new Map([...runs].map(([system, those]) => [system.name, those]))
    return {
      title: `Webhooks, closed model, ${options.connections} connections: whole payment lives, 10 % sent twice, shuffled`,
      note: '  Ratios are medians of the ratios of each round; the other figures are medians over the rounds.',
      rows: [...byName].map(([name, those]) => ({
        name,
        isBaseline: !name.startsWith('gateway,'),
        cells: {
          'of node:http+HMAC': showRatio(ratio(those, byName.get(CEILING))),
          "times the lesson's": showRatio(ratio(those, byName.get(LESSON))),
          ...webhookCells(those),
        },
      })),
      figures: figuresOf(byName),
      raw: Object.fromEntries(byName),
    }
  } finally {
    await Promise.all(systems.map((system) => system.stop()))
  }
}

function figuresOf(byName: ReadonlyMap<string, readonly WebhookRun[]>): Figures {
  const own = byName.get(GATEWAY)
  const eventsPerSecond = (runs: readonly WebhookRun[]): number =>
    median(runs.map((run) => run.eventsPerSecond))
  return {
    eventsPerSecond: figureOf(own, eventsPerSecond),
    timesLesson: figureOf(own, (runs) => ratio(runs, byName.get(LESSON))),
    shareOfCeiling: figureOf(own, (runs) => ratio(runs, byName.get(CEILING))),
  }
}

type Starter = { readonly name: string; readonly start: () => Promise<System> }

async function startSystems(bench: Bench, options: BenchOptions): Promise<readonly System[]> {
  const isWanted = (name: string): boolean =>
    options.systems.length === 0
      ? !(options.quick && NOT_QUICK.has(name))
      : options.systems.some((part) => name.includes(part))
  const wanted = startersOf(bench, options).filter(({ name }) => isWanted(name))
  const systems: System[] = []
  for (const { start } of wanted) systems.push(await start())
  return systems
}

function startersOf(bench: Bench, options: BenchOptions): readonly Starter[] {
  const { bookingPort } = bench.load
  const ceiling = (name: string, kind: string): Starter => ({
    name,
    start: async () => startCeiling(name, kind, await bench.nextPort()),
  })
  const gateway = (name: string, processes: number): Starter => ({
    name,
    start: async () => {
      const ports: number[] = []
      for (let index = 0; index < processes; index += 1) ports.push(await bench.nextPort())
      const databaseUrl = await bench.database(`gateway_${processes}`)
      const execArgv = options.profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`]
      return startGatewaySystem({ name, databaseUrl, ports, bookingPort, execArgv })
    },
  })
  const baseline = (name: string, database: string, start: typeof startLesson): Starter => ({
    name,
    start: async () => {
      const databaseUrl = await bench.database(database)
      return start({ name, databaseUrl, port: await bench.nextPort(), bookingPort })
    },
  })
  const own = [
    ceiling('node:http, body read', 'raw'),
    ceiling(CEILING, 'raw-hmac'),
    ceiling('Fastify with HMAC', 'fastify'),
    gateway(GATEWAY, 1),
    gateway('gateway, two processes', 2),
  ]
  if (installBaselines())
    return [
      ...own,
      baseline(LESSON, 'lesson', startLesson),
      baseline('Stripe sync engine (npm)', 'sync_engine', startSyncEngine),
    ]
  process.stderr.write('bench: the baselines could not be installed; their rows are missing\n')
  return own
}

/** Lets the code get hot, and tells how many payments keep this system busy for a round. */
async function warmUp(bench: Bench, system: System, options: BenchOptions): Promise<number> {
  let payments = options.warmUp
  for (let times = 0; times < 2; times += 1) {
    const run = await measureWebhooks(bench, system, {
      payments,
      connections: options.connections,
      model: { kind: 'closed' },
    })
    payments = paymentsFor(run.eventsPerSecond, options)
  }
  return payments
}

function ratio(runs: readonly WebhookRun[], others: readonly WebhookRun[] | undefined): number {
  if (!others) return Number.NaN
  return median(
    runs.map((run, round) => run.eventsPerSecond / (others[round]?.eventsPerSecond ?? Number.NaN)),
  )
}
