// A campaign: payments live their lives while everything around them is struck; then quiet, then the checker.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { check } from './checker.ts'
import type { Violation } from './checker.ts'
import { checkOutEarlier } from './earlier.ts'
import { collectEvidence } from './evidence.ts'
import type { Evidence } from './evidence.ts'
import { createHistory, note, recordRecovery, timed } from './history.ts'
import type { History } from './history.ts'
import { LIVES } from './lives.ts'
import { startNemesis } from './nemesis.ts'
import type { CampaignOptions } from './options.ts'
import { planPayments } from './plan.ts'
import type { PlannedPayment } from './plan.ts'
import { plantBug } from './plants.ts'
import { GATEWAY_MAIN, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'
import { sendPoison } from './poison.ts'
import { book } from './world.ts'
import type { World } from './world.ts'

export type Outcome = {
  readonly violations: readonly Violation[]
  readonly evidence: Evidence
  readonly history: History
  readonly plan: readonly PlannedPayment[]
  /** Where the data and the logs of the processes are, until `forget`. */
  readonly folder: string
  /** Everything the sandbox sent, for checking it; null in campaigns too long to keep it. */
  readonly wireLog: string | null
  readonly lastWrong: readonly Violation[]
  readonly tookMs: { readonly storm: number; readonly healing: number }
  readonly forget: () => void
}

// Long enough after a restart that no test waits for them, short enough to fit into a campaign.
export const FAST_HEALING = {
  SWEEP_INTERVAL_SECONDS: '3',
  SWEEP_LAG_SECONDS: '2',
  RECONCILE_INTERVAL_SECONDS: '3',
  RECONCILE_AFTER_SECONDS: '5',
}
const LOOK_AGAIN_MS = 1000
// A payment's life is some hundred kilobytes on the wire.
const WIRE_LOGGED_PAYMENTS_MAX = 200

/** Runs one campaign; `say` is told how far it has come. */
export async function runCampaign(options: CampaignOptions, say: (line: string) => void): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'passerelle-chaos-'))
  // PostgreSQL may run as another user, who has to get in.
  mkdirSync(join(folder, 'postgres'), { mode: 0o755 })
  const history = createHistory()
  const plan = planPayments(options.seed, options.payments)
  const planted = options.plant === null ? null : plantBug(options.plant, folder)
  const wireLog = plan.length > WIRE_LOGGED_PAYMENTS_MAX ? null : join(folder, 'wire.jsonl')
  const platform = await startPlatform({
    folder,
    wireLog,
    seed: options.seed,
    history,
    gatewayMain: planted ?? GATEWAY_MAIN,
    earlier: options.upgradeFrom === null ? null : checkOutEarlier(options.upgradeFrom, folder),
    gatewayEnv: {
      LOG_LEVEL: 'info',
      ...(options.slowHealing ? {} : FAST_HEALING),
      ...(options.extended ? { BOOKING_STATUS_EXTENDED: 'on' } : {}),
    },
  })
  try {
    say(`${plan.length} payments, ${options.payers} at a time, strikes every ${options.gapMs} ms on average`)
    const stormMs = await storm(platform, { options, history, plan, say })
    say(`quiet after ${seconds(stormMs)}: waiting for everything to come right`)
    const healed = await untilRight(platform, history, options)
    recordRecovery(history, 'after the last fault: everything is right', healed.tookMs)
    const tookMs = { storm: stormMs, healing: healed.tookMs }
    const forget = (): void => rmSync(folder, { recursive: true, force: true })
    return { ...healed, history, plan, folder, wireLog, tookMs, forget }
  } finally {
    await platform.stop()
  }
}

type Storm = {
  readonly options: CampaignOptions
  readonly history: History
  readonly plan: readonly PlannedPayment[]
  readonly say: (line: string) => void
}

async function storm(platform: Platform, { options, history, plan, say }: Storm): Promise<number> {
  const startedMs = performance.now()
  const nemesis = await startNemesis(platform, { seed: options.seed, meanGapMs: options.gapMs, history })
  const world: World = {
    gatewayUrl: platform.balancer.url,
    bookingUrl: platform.bookingFront.url,
    sandboxUrl: platform.sandbox.url,
    history,
    isOver: () => false,
  }
  const left = plan.toReversed()
  let done = 0
  const payer = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { life } = next
      await timed(history, `through the life ${life}`, () => live(world, next))
      done += 1
      if (done % 500 === 0) say(`${done} payments after ${seconds(performance.now() - startedMs)}`)
    }
  }
  await Promise.all(Array.from({ length: options.payers }, payer))
  await nemesis.firstRound
  await nemesis.leaveInPeace()
  return performance.now() - startedMs
}

async function live(world: World, plan: PlannedPayment): Promise<void> {
  const journey = await book(world, plan)
  if (journey === null) return note(world.history, `payment ${plan.number} could not book`)
  try {
    if (plan.poison !== null) await sendPoison(journey, plan.poison)
    await LIVES[plan.life](journey)
  } catch (error) {
    // A mistake in the script of a life, not in what is examined: the checker judges what came of it all the same.
    note(world.history, `payment ${plan.number} (${plan.life}) broke off: ${String(error)}`)
  }
}

type Healed = {
  readonly violations: readonly Violation[]
  readonly evidence: Evidence
  readonly tookMs: number
  /** What was still wrong when it was looked at the last time before everything was right. */
  readonly lastWrong: readonly Violation[]
}

/** Looks again and again until nothing is wrong any more, or the limit is reached: what is wrong then, is wrong. */
export async function untilRight(
  platform: Platform,
  history: History,
  { healMsMax, extended }: Pick<CampaignOptions, 'healMsMax' | 'extended'>,
): Promise<Healed> {
  const startedMs = performance.now()
  let lastWrong: readonly Violation[] = []
  for (;;) {
    await sleep(LOOK_AGAIN_MS)
    const lookedMs = performance.now()
    const evidence = await collectEvidence(platform, {
      told: history.told,
      clients: { bookings: history.bookings, actions: history.actions },
      unexpectedEnds: history.unexpectedEnds,
      extended,
    })
    const violations = check(evidence)
    const tookMs = performance.now() - startedMs
    if (violations.length === 0 || tookMs > healMsMax) return { violations, evidence, tookMs, lastWrong }
    lastWrong = violations
    note(history, `${violations.length} not right yet, ${violations[0]?.check}: ${violations[0]?.what}`)
    // A large snapshot takes the sandbox away from everybody else for a while.
    await sleep((performance.now() - lookedMs) * 2)
  }
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
