import type { Bench } from '../bench.ts'
import type { Model } from '../load/send.ts'
import type { Percentiles } from '../measure.ts'
import { cpuSeconds, memoryMb } from '../measure.ts'
import type { BenchOptions } from '../options.ts'
import { WEBHOOK_PATH, WEBHOOK_SECRET } from '../systems/system.ts'
import type { System } from '../systems/system.ts'

export type WebhookRun = {
  readonly tag: string
  readonly events: number
  readonly eventsPerSecond: number
  readonly latency: Percentiles
  /** From the proving event being due to the booking service having heard; null where nobody is told. */
  readonly told: Percentiles | null
  /** Seconds from the last answer until everybody was told. */
  readonly toldAfterSeconds: number
  readonly cpuPerEvent: { readonly system: number; readonly postgres: number; readonly load: number }
  readonly memoryMb: number
  readonly refused: Readonly<Record<string, number>>
  readonly again: { readonly eventsPerSecond: number; readonly latency: Percentiles } | null
  /** Nothing: every payment is right. Else the row is void. */
  readonly problems: readonly string[]
}

export type WebhookLoad = {
  readonly payments: number
  readonly connections: number
  readonly model: Model
  /** How often everything is sent; the second time is told apart in `again`. */
  readonly sends?: 1 | 2
}

const DUPLICATES_PERCENT = 10
export const EVENTS_PER_PAYMENT = 5 * (1 + DUPLICATES_PERCENT / 100)

/** How many payments keep a system that takes so many events a second busy for a round. */
export function paymentsFor(perSecond: number, { seconds, paymentsMin }: BenchOptions): number {
  return Math.max(Math.round((perSecond * seconds) / EVENTS_PER_PAYMENT), paymentsMin)
}

/** Sends whole lives of new payments, waits until everybody was told, and checks every one of them. */
export async function measureWebhooks(bench: Bench, system: System, of: WebhookLoad): Promise<WebhookRun> {
  const { load, postgres } = bench
  const tag = bench.nextTag()
  await system.seed(tag, of.payments)
  await load.prepare({
    life: bench.life,
    tag,
    payments: of.payments,
    duplicates: DUPLICATES_PERCENT,
    secret: WEBHOOK_SECRET,
    path: WEBHOOK_PATH,
  })
  const systemBefore = cpuSeconds(system.pids)
  const postgresBefore = cpuSeconds([], [postgres.pid])
  const run = await load.run({ ports: system.ports, connections: of.connections, model: of.model })
  const perEvent = (seconds: number): number => (seconds * 1e6) / run.answered
  const cpuPerEvent = {
    system: perEvent(cpuSeconds(system.pids) - systemBefore),
    postgres: perEvent(cpuSeconds([], [postgres.pid]) - postgresBefore),
    load: perEvent(run.cpuSeconds),
  }
  const memory = memoryMb(system.pids)
  const plan = { ports: system.ports, connections: of.connections, model: of.model }
  const again = of.sends === 2 ? await load.run(plan) : null
  const told = system.tells ? await load.told(system.afterAnswerMs) : null
  await load.forget()
  const problems = [
    ...(run.lost > 0 ? [`${run.lost} events were never taken`] : []),
    ...(told && told.confirmed !== told.bookings
      ? [`${told.bookings - told.confirmed} of ${told.bookings} bookings were never told`]
      : []),
    ...(told && told.wrong > 0 ? [`${told.wrong} times something wrong was told`] : []),
    ...(told && told.repeated > 0 ? [`${told.repeated} bookings were confirmed again`] : []),
    ...(await settled(() => system.check(tag, of.payments), system.afterAnswerMs)),
  ]
  return {
    tag,
    events: run.answered,
    eventsPerSecond: run.answered / run.seconds,
    latency: run.latency,
    told: told?.delay ?? null,
    toldAfterSeconds: told?.waitedSeconds ?? 0,
    cpuPerEvent,
    memoryMb: memory,
    refused: run.refused,
    again: again && { eventsPerSecond: again.answered / again.seconds, latency: again.latency },
    problems,
  }
}

const SETTLE_MS_MAX = 10_000

/** The problems that are left once what is still being written (the last delivery's record) has been. */
export async function settled(
  check: () => Promise<readonly string[]>,
  waitMs = SETTLE_MS_MAX,
): Promise<readonly string[]> {
  for (const end = Date.now() + Math.min(waitMs, SETTLE_MS_MAX); ;) {
    const problems = await check()
    if (problems.length === 0 || Date.now() > end) return problems
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
