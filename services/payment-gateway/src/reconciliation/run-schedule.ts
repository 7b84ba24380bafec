import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { startLoop } from '@passerelle/kit/loop'
import type { Log } from '@passerelle/kit/log'
import { reconcilePayments } from './reconcile-payments.ts'
import type { ReconcileDeps } from './reconcile-payments.ts'
import { dueInMs, finishRun, holdSchedule, insertRun } from './schedule.repository.ts'
import type { Found } from './schedule.repository.ts'
import type { ScheduleName } from '@passerelle/contracts/reconciliation'
import { sweepEvents } from './sweep-events.ts'
import type { SweepDeps } from './sweep-events.ts'

export type HealingConfig = {
  /** 0: never by itself, only by hand. */
  readonly sweepIntervalSeconds: number
  readonly sweepLagSeconds: number
  readonly reconcileIntervalSeconds: number
  readonly reconcileAfterSeconds: number
}

export type HealingDeps = Omit<SweepDeps, 'lagSeconds'> & Omit<ReconcileDeps, 'afterSeconds'>

export type Healing = {
  /** Runs a schedule now; null while a run of it is under way, here or in another process. */
  readonly runNow: (name: ScheduleName, startedBy: string) => Promise<Found | null>
  readonly stop: () => Promise<void>
}

// A process that finds the schedule held by another looks again after this; should that one die, this is the delay.
const HELD_ELSEWHERE_MS = 1000

/** Runs the sweep and the reconciliation by their intervals, each once across all processes. */
export function startHealing(config: HealingConfig, deps: HealingDeps): Healing {
  const intervals: Record<ScheduleName, number> = {
    sweep: config.sweepIntervalSeconds * 1000,
    reconcile: config.reconcileIntervalSeconds * 1000,
  }
  const stopping = new AbortController()
  const work: Record<ScheduleName, Work> = {
    sweep: (isHeld) => sweepEvents({ ...deps, lagSeconds: config.sweepLagSeconds }, isHeld),
    reconcile: (isHeld, byHand) =>
      reconcilePayments({ ...deps, afterSeconds: config.reconcileAfterSeconds }, isHeld, byHand),
  }
  const run = (name: ScheduleName, startedBy: string | null): Promise<Found | null> =>
    runOnce(deps, { name, startedBy, intervalMs: intervals[name], stopping: stopping.signal }, work[name])
  const loops = (['sweep', 'reconcile'] as const)
    .filter((name) => intervals[name] > 0)
    .map((name) => startLoop(name, () => round(deps.pool, name, () => run(name, null)), deps.log))
  return {
    runNow: (name, startedBy) => run(name, startedBy),
    stop: async () => {
      stopping.abort()
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }
}

type Work = (isHeld: () => boolean, byHand: boolean) => Promise<Found>

async function round(
  pool: Pool,
  name: ScheduleName,
  run: () => Promise<Found | null>,
): Promise<number | null> {
  const waitMs = await dueInMs(pool, name)
  if (waitMs > 0) return waitMs
  return (await run()) === null ? HELD_ELSEWHERE_MS : Math.max(await dueInMs(pool, name), 0)
}

type Run = {
  readonly name: ScheduleName
  /** Null when the schedule itself starts it, which it does only when it is due. */
  readonly startedBy: string | null
  readonly intervalMs: number
  readonly stopping: AbortSignal
}

async function runOnce({ pool, log }: { pool: Pool; log: Log }, run: Run, work: Work): Promise<Found | null> {
  const held = await holdSchedule(pool, run.name)
  if (held === null) return null
  try {
    // Somebody may have run it between our look and our hold.
    if (run.startedBy === null && (await dueInMs(pool, run.name)) > 0)
      return { checked: 0, found: 0, more: false, error: null }
    const id = await insertRun(pool, run.name, run.startedBy ?? 'schedule')
    const startedMs = performance.now()
    const found = await outcomeOf(work, run, held.isHeld)
    await inTransaction(pool, (tx) =>
      finishRun(tx, { id, name: run.name }, found, found.more ? 0 : run.intervalMs),
    )
    const line = { schedule: run.name, ...found, durationMs: Math.round(performance.now() - startedMs) }
    if (found.error !== null) log.warn(line, 'reconciliation.failed')
    else if (found.checked > 0 || found.found > 0) log.info(line, 'reconciliation.completed')
    return found
  } finally {
    await held.release()
  }
}

/** A run that throws is a run that failed: it is recorded, and the next one tries again. */
async function outcomeOf(work: Work, run: Run, isHeld: () => boolean): Promise<Found> {
  try {
    return await work(() => isHeld() && !run.stopping.aborted, run.startedBy !== null)
  } catch (error) {
    return {
      checked: 0,
      found: 0,
      more: false,
      error: error instanceof Error ? error.message : String(error),
    }
  }
}
