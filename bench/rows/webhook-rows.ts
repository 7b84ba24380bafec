// The main table: everything that takes webhooks, side by side, round after round.
import type { Bench } from '../bench.ts'
import { median } from '../measure.ts'
import type { BenchOptions } from '../options.ts'
import { show, webhookCells } from '../report.ts'
import type { Section } from '../report.ts'
import { installBaselines, startCeiling, startLesson, startSyncEngine } from '../systems/baselines.ts'
import { startGatewaySystem } from '../systems/gateway.ts'
import type { System } from '../systems/system.ts'
import { measureWebhooks } from './measure-webhooks.ts'
import type { WebhookRun } from './measure-webhooks.ts'

const CEILING = 'node:http with HMAC'
const LESSON = "the lesson's design"
const WARM_UP_PAYMENTS = 1200
const EVENTS_PER_PAYMENT = 5.5

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
            payments: payments.get(system) ?? WARM_UP_PAYMENTS,
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
        cells: {
          'of node:http+HMAC': show(ratio(those, byName.get(CEILING))),
          "times the lesson's": show(ratio(those, byName.get(LESSON))),
          ...webhookCells(those),
        },
      })),
      raw: Object.fromEntries(byName),
    }
  } finally {
    for (const system of systems) await system.stop()
  }
}

async function startSystems(bench: Bench, options: BenchOptions): Promise<readonly System[]> {
  const { bookingPort } = bench.load
  const port = bench.nextPort
  const systems = [
    await startCeiling('node:http, body read', 'raw', await port()),
    await startCeiling(CEILING, 'raw-hmac', await port()),
    await startCeiling('Fastify with HMAC', 'fastify', await port()),
    await startGatewaySystem({
      name: 'gateway, one process',
      databaseUrl: await bench.database('gateway_one'),
      ports: [await port()],
      bookingPort,
      execArgv: options.profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`],
    }),
    await startGatewaySystem({
      name: 'gateway, two processes',
      databaseUrl: await bench.database('gateway_two'),
      ports: [await port(), await port()],
      bookingPort,
    }),
  ]
  if (!installBaselines()) {
    process.stderr.write('bench: the baselines could not be installed; their rows are missing\n')
    return systems
  }
  const lesson = { databaseUrl: await bench.database('lesson'), port: await port(), bookingPort }
  const sync = { databaseUrl: await bench.database('sync_engine'), port: await port(), bookingPort }
  return [...systems, await startLesson(lesson), await startSyncEngine(sync)]
}

/** Lets the code get hot, and tells how many payments keep this system busy for a round. */
async function warmUp(bench: Bench, system: System, options: BenchOptions): Promise<number> {
  let payments = WARM_UP_PAYMENTS
  for (let times = 0; times < 2; times += 1) {
    const run = await measureWebhooks(bench, system, {
      payments,
      connections: options.connections,
      model: { kind: 'closed' },
    })
    payments = Math.max(Math.round((run.eventsPerSecond * options.seconds) / EVENTS_PER_PAYMENT), 100)
  }
  return payments
}

function ratio(runs: readonly WebhookRun[], others: readonly WebhookRun[] | undefined): number {
  if (!others) return Number.NaN
  return median(
    runs.map((run, round) => run.eventsPerSecond / (others[round]?.eventsPerSecond ?? Number.NaN)),
  )
}
