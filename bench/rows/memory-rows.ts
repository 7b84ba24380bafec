// Resident memory while events come and come: flat, or there is a leak.
import type { Bench } from '../bench.ts'
import { memoryMb, median, riseOver } from '../measure.ts'
import type { BenchOptions } from '../options.ts'
import { show, voidOf } from '../report.ts'
import type { Section } from '../report.ts'
import { EVENTS_PER_PAYMENT, measureWebhooks } from './measure-webhooks.ts'
import type { WebhookRun } from './measure-webhooks.ts'
import { startGateway } from './start-gateway.ts'

const EVENTS_OF_GOAL = 1_000_000
const SAMPLE_MS = 200

export async function memoryRows(bench: Bench, options: BenchOptions): Promise<Section> {
  const gateway = await startGateway(bench, 'gateway_memory')
  const payments = Math.ceil(options.memoryEvents / options.memorySteps / EVENTS_PER_PAYMENT)
  const load = { connections: options.connections, model: { kind: 'closed' } } as const
  try {
    await measureWebhooks(bench, gateway, { payments: options.warmUp, ...load })
    const startMb = memoryMb(gateway.pids)
    // One list for each step, so that a slow step weighs no more than a fast one.
    const samples: number[][] = []
    const timer = setInterval(() => samples.at(-1)?.push(memoryMb(gateway.pids)), SAMPLE_MS)
    const runs: WebhookRun[] = []
    try {
      for (let step = 0; step < options.memorySteps; step += 1) {
        samples.push([])
        const run = await measureWebhooks(bench, gateway, { payments, ...load })
        samples.at(-1)?.push(run.memoryMb)
        runs.push(run)
      }
    } finally {
      clearInterval(timer)
    }
    return sectionOf({ startMb, samples, runs })
  } finally {
    await gateway.stop()
  }
}

type Watched = {
  readonly startMb: number
  readonly samples: readonly (readonly number[])[]
  readonly runs: readonly WebhookRun[]
}

function sectionOf({ startMb, samples, runs }: Watched): Section {
  const events = runs.reduce((sum, run) => sum + run.events, 0)
  const steps = samples.map((those) => median(those))
  const second = steps.slice(steps.length / 2)
  const peakMb = Math.max(...samples.flat())
  const endMb = steps.at(-1) ?? Number.NaN
  const risePercent = (riseOver(second) / median(second)) * 100
  const problems = runs.flatMap((run) => run.problems)
  const isVoid = problems.length > 0
  const small = events < EVENTS_OF_GOAL ? { tooSmall: `${show(events)} events` } : {}
  return {
    title: `Memory of one gateway process over ${show(events)} events`,
    note: `  MB, median of each step: ${steps.map((mb) => Math.round(mb)).join(' ')}`,
    rows: [
      {
        name: 'resident',
        cells: {
          'start MB': show(startMb),
          peak: show(peakMb),
          end: show(endMb),
          'rise over the second half %': show(risePercent),
          'events/s': show(median(runs.map((run) => run.eventsPerSecond))),
          payments: voidOf(problems),
        },
      },
    ],
    figures: {
      memoryPeak: { value: peakMb, isVoid, ...small },
      memoryRise: { value: risePercent, isVoid, ...small },
    },
    raw: { startMb, peakMb, endMb, risePercent, steps, runs },
  }
}
