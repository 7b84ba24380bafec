// Our gateway under every load: few and many connections, arrivals at a fixed rate, and how soon the booking service hears.
import type { Bench } from '../bench.ts'
import type { BenchOptions } from '../options.ts'
import { show, webhookCells } from '../report.ts'
import type { Row, Section } from '../report.ts'
import { startGatewaySystem } from '../systems/gateway.ts'
import type { System } from '../systems/system.ts'
import { measureWebhooks } from './measure-webhooks.ts'
import type { WebhookLoad, WebhookRun } from './measure-webhooks.ts'

const CONNECTIONS = [64, 256, 512]
const RATES = [2000, 5000, 10_000]
const SHARES = [
  { name: 'a tenth', share: 0.1 },
  { name: 'half', share: 0.5 },
  { name: 'nine tenths', share: 0.9 },
]
const EVENTS_PER_PAYMENT = 5.5
const WARM_UP_PAYMENTS = 1200

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
      ...RATES.filter((rate) => rate < peak).map((rate) => ({
        name: `open, ${show(rate)} events/s`,
        load: open(rate, options),
      })),
      ...SHARES.map(({ name, share }) => ({
        name: `open, ${name} of the peak (${show(peak * share)}/s)`,
        load: open(peak * share, options),
      })),
    ]
    const runs = new Map<Wanted, WebhookRun[]>(wanted.map((it) => [it, []]))
    for (let round = 0; round < options.rounds; round += 1)
      for (const it of wanted) runs.get(it)?.push(await measureWebhooks(bench, gateway, it.load))
    return {
      title: 'Our gateway under every load, one process',
      note: `  Peak: ${show(peak)} events/s. Told: from when a proving event was due to the booking service having heard. Rates above the peak are left out.`,
      rows: [...runs].map(([{ name }, those]): Row => ({ name, cells: webhookCells(those) })),
      raw: { peak, rows: Object.fromEntries([...runs].map(([{ name }, those]) => [name, those])) },
    }
  } finally {
    await gateway.stop()
  }
}

/** Resident memory while events come and come: flat, or there is a leak. */
export async function memoryRows(bench: Bench, options: BenchOptions): Promise<Section> {
  const gateway = await startGateway(bench, 'gateway_memory')
  const steps = 10
  const events = options.quick ? 20_000 : options.memoryEvents
  const payments = Math.ceil(events / steps / EVENTS_PER_PAYMENT)
  try {
    const runs: WebhookRun[] = []
    for (let step = 0; step < steps; step += 1)
      runs.push(
        await measureWebhooks(bench, gateway, {
          payments,
          connections: options.connections,
          model: { kind: 'closed' },
        }),
      )
    const megabytes = runs.map((run) => run.memoryMb)
    return {
      title: `Memory of one gateway process over ${show(runs.reduce((sum, run) => sum + run.events, 0))} events`,
      note: `  MB after each tenth: ${megabytes.map((mb) => Math.round(mb)).join(' ')}`,
      rows: [{ name: 'all of it', cells: webhookCells(runs) }],
      raw: { megabytes, runs },
    }
  } finally {
    await gateway.stop()
  }
}

async function startGateway(bench: Bench, database: string): Promise<System> {
  return startGatewaySystem({
    name: 'gateway',
    databaseUrl: await bench.database(database),
    ports: [await bench.nextPort()],
    bookingPort: bench.load.bookingPort,
  })
}

async function peakOf(bench: Bench, gateway: System, options: BenchOptions): Promise<number> {
  const closed = { connections: options.connections, model: { kind: 'closed' } } as const
  await measureWebhooks(bench, gateway, { payments: WARM_UP_PAYMENTS, ...closed })
  const first = await measureWebhooks(bench, gateway, { payments: WARM_UP_PAYMENTS, ...closed })
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

function paymentsFor(perSecond: number, options: BenchOptions): number {
  return Math.max(Math.round((perSecond * options.seconds) / EVENTS_PER_PAYMENT), 100)
}
