// Our gateway under every load: few and many connections, arrivals at a fixed rate, and how soon the booking service hears.
import type { Bench } from '../bench.ts'
import type { Figures } from '../goals.ts'
import { median } from '../measure.ts'
import type { BenchOptions } from '../options.ts'
import { figureOf, show, webhookCells } from '../report.ts'
import type { Row, Section } from '../report.ts'
import type { System } from '../systems/system.ts'
import { measureWebhooks, paymentsFor } from './measure-webhooks.ts'
import type { WebhookLoad, WebhookRun } from './measure-webhooks.ts'
import { startGateway } from './start-gateway.ts'

const CONNECTIONS = [64, 128, 256, 512]
/** The rate the goals are named for is offered whatever the peak. */
const GOAL_RATE = 2000
const RATES = [5000, 10_000]
const SHARES = [
  { name: 'a tenth', share: 0.1 },
  { name: 'half', share: 0.5 },
  { name: 'nine tenths', share: 0.9 },
]

type Wanted = { readonly name: string; readonly load: WebhookLoad }

/** Closed model with 64 to 512 connections, open model at fixed rates and at shares of the peak found just before. */
export async function loadRows(bench: Bench, options: BenchOptions): Promise<Section> {
  const gateway = await startGateway(bench, 'gateway_load')
  try {
    const peak = await peakOf(bench, gateway, options)
    const wanted: Wanted[] = [
      ...CONNECTIONS.map((connections) => ({
        name: `closed, ${connections} connections`,
        load: { payments: paymentsFor(peak, options), connections, model: { kind: 'closed' } as const },
      })),
      ...[GOAL_RATE, ...RATES.filter((rate) => rate < peak)].map((rate) => ({
        name: nameOf(rate),
        load: open(rate, options),
      })),
      ...SHARES.map(({ name, share }) => ({
        name: `open, ${name} of the peak (${show(peak * share)}/s)`,
        load: open(peak * share, options),
      })),
    ]
    const runs = new Map<Wanted, WebhookRun[]>(wanted.map((it) => [it, []]))
    for (let round = 0; round < options.loadRounds; round += 1)
      for (const it of wanted) runs.get(it)?.push(await measureWebhooks(bench, gateway, it.load))
    return {
      title: 'Our gateway under every load, one process',
      note: `  Peak: ${show(peak)} events/s. Told: from when a proving event was due to the booking service having heard. Further rates above the peak are left out.`,
      rows: [...runs].map(([{ name }, those]): Row => ({ name, cells: webhookCells(those) })),
      figures: figuresOf([...runs].find(([{ name }]) => name === nameOf(GOAL_RATE))?.[1]),
      raw: { peak, rows: Object.fromEntries([...runs].map(([{ name }, those]) => [name, those])) },
    }
  } finally {
    await gateway.stop()
  }
}

const nameOf = (rate: number): string => `open, ${show(rate)} events/s`

function figuresOf(runs: readonly WebhookRun[] | undefined): Figures {
  return {
    answerP99: figureOf(runs, (those) => median(those.map(({ latency }) => latency.p99))),
    toldP99: figureOf(runs, (those) => median(those.map(({ told }) => told?.p99 ?? Number.NaN))),
  }
}

async function peakOf(bench: Bench, gateway: System, options: BenchOptions): Promise<number> {
  const closed = { connections: options.connections, model: { kind: 'closed' } } as const
  await measureWebhooks(bench, gateway, { payments: options.warmUp, ...closed })
  const first = await measureWebhooks(bench, gateway, { payments: options.warmUp, ...closed })
  const run = await measureWebhooks(bench, gateway, {
    payments: paymentsFor(first.eventsPerSecond, options),
    ...closed,
  })
  return run.eventsPerSecond
}

function open(perSecond: number, options: BenchOptions): WebhookLoad {
  return {
    payments: paymentsFor(perSecond, options),
    connections: options.connections * 2,
    model: { kind: 'open', perSecond },
  }
}
