// Carries out the strikes of the plan, one after the other, until it is told to leave everything in peace.
import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from './client.ts'
import { countFault, note, recordRecovery } from './history.ts'
import type { History } from './history.ts'
import { planStrikes, STRIKE_KINDS } from './plan.ts'
import type { Strike } from './plan.ts'
import type { Platform } from './platform.ts'
import type { Service } from './service.ts'

export type Nemesis = {
  /** Resolves when it has struck in every way. */
  readonly firstRound: Promise<void>
  /** Ends the strikes, undoes every fault, and resolves when every part answers again. */
  readonly leaveInPeace: () => Promise<void>
}

/** What the sandbox does to calls of its API and to its webhooks, each with its probability. */
const STRIPE_FAULTS = [
  ...(
    [
      ['rate_limit', 0.015],
      ['lock_timeout', 0.015],
      ['conflict', 0.015],
      ['error_before', 0.02],
      ['error_after', 0.02],
      ['reset_before', 0.02],
      ['reset_after', 0.02],
      ['truncate', 0.01],
      ['delay', 0.05],
    ] as const
  ).map(([fault, probability]) => ({ on: 'api', route: '*', fault, probability, delayMs: 400 })),
  ...(
    [
      ['drop', 0.05, 0],
      ['duplicate', 0.15, 0],
      ['duplicate_new_id', 0.03, 0],
      ['delay', 0.08, 1500],
      ['shuffle', 0.3, 600],
      ['corrupt_signature', 0.02, 0],
      ['skew', 0.02, 0],
    ] as const
  ).map(([fault, probability, delayMs]) => ({ on: 'webhook', type: '*', fault, probability, delayMs })),
]

const ON_DATABASE: ReadonlySet<Strike['kind']> = new Set(['kill_database', 'restart_database', 'fill_disk'])

export type NemesisOptions = { readonly seed: number; readonly meanGapMs: number; readonly history: History }

export async function startNemesis(platform: Platform, options: NemesisOptions): Promise<Nemesis> {
  const { history } = options
  const peace = new AbortController()
  const under = new Set<Promise<void>>()
  const busy = new Set<Service>()
  await setStripeFaults(platform, STRIPE_FAULTS, options.seed)
  platform.bookingFront.setFaults(true)

  const firstRound = Promise.withResolvers<void>()
  let struckTimes = 0
  const striking = (async () => {
    for (const { afterMs, strike } of planStrikes(options.seed, options.meanGapMs)) {
      await sleep(afterMs, undefined, { signal: peace.signal }).catch(() => {})
      if (peace.signal.aborted) return
      // The database is struck while the others wait: two at once would only be one longer outage.
      const struck = carryOut(strike, { platform, history, busy, peace: peace.signal }).catch(
        (error: unknown) => note(history, `strike ${strike.kind} did not succeed: ${String(error)}`),
      )
      under.add(struck)
      struckTimes += 1
      if (struckTimes === STRIKE_KINDS) firstRound.resolve()
      void struck.finally(() => under.delete(struck))
      if (ON_DATABASE.has(strike.kind)) await struck
    }
  })()

  return {
    firstRound: firstRound.promise,
    leaveInPeace: async () => {
      peace.abort()
      await striking
      await Promise.all(under)
      platform.bookingFront.setOutage(null)
      platform.bookingFront.setFaults(false)
      await countStripeFaults(platform, history)
      await setStripeFaults(platform, [], options.seed)
      note(history, 'quiet begins')
    },
  }
}

async function setStripeFaults(platform: Platform, rules: readonly unknown[], seed: number): Promise<void> {
  const answer = await ask({
    method: 'POST',
    url: `${platform.sandbox.url}/_sandbox/faults`,
    body: { seed, rules },
  })
  if (answer?.status !== 200)
    throw new Error(`the sandbox did not take the faults: ${JSON.stringify(answer)}`)
}

async function countStripeFaults(platform: Platform, history: History): Promise<void> {
  const answer = await ask({ method: 'GET', url: `${platform.sandbox.url}/_sandbox/faults` })
  const { rules = [] } = (answer?.body ?? {}) as {
    rules?: readonly { on: string; fault: string; hits: number }[]
  }
  for (const { on, fault, hits } of rules) countFault(history, `stripe ${on}: ${fault}`, hits)
}

type Scene = {
  readonly platform: Platform
  readonly history: History
  readonly busy: Set<Service>
  readonly peace: AbortSignal
}

async function carryOut(strike: Strike, scene: Scene): Promise<void> {
  const { platform, history } = scene
  // One that is being started again cannot be struck: the next one is.
  const gatewayAt = (index: number): Service | undefined =>
    platform.gateways.find((it, at) => at >= index && !scene.busy.has(it)) ??
    platform.gateways.find((it) => !scene.busy.has(it))
  note(history, `strike ${JSON.stringify(strike)}`)
  switch (strike.kind) {
    case 'kill_gateway':
      return onService(scene, gatewayAt(strike.gateway), strike.kind, (it) => it.kill(strike.downMs))
    case 'stop_gateway':
      return onService(scene, gatewayAt(strike.gateway), strike.kind, (it) => it.restart(strike.downMs))
    case 'freeze_gateway':
      return onService(scene, gatewayAt(strike.gateway), strike.kind, (it) =>
        it.freeze(strike.forMs, scene.peace),
      )
    case 'jump_clock':
      return onService(scene, gatewayAt(strike.gateway), strike.kind, (it) =>
        it.jumpClock(strike.byMs, strike.forMs, scene.peace),
      )
    case 'fill_disk': {
      const filled = await platform.database.fillDisk(strike.forMs)
      return countFault(history, filled ? strike.kind : 'fill_disk: not possible here')
    }
    case 'kill_booking':
      return onService(scene, platform.booking, strike.kind, (it) => it.kill(strike.downMs))
    case 'kill_database':
    case 'restart_database': {
      countFault(history, strike.kind)
      const how = strike.kind === 'kill_database' ? 'kill' : 'fast'
      const databaseMs = await platform.database.restart(how, strike.downMs)
      recordRecovery(history, `${strike.kind}: PostgreSQL answers`, databaseMs)
      return
    }
    case 'cut_database_sessions':
      return countFault(history, 'database sessions cut', await platform.database.cutSessions(strike.share))
    case 'cut_connections':
      return countFault(history, 'connections to gateways cut', platform.balancer.cutAll())
    case 'booking_outage':
      countFault(history, `booking_outage: ${strike.how}`)
      platform.bookingFront.setOutage(strike.how)
      await sleep(strike.forMs)
      return platform.bookingFront.setOutage(null)
    default:
      return strike satisfies never
  }
}

/** One strike at a time per service: it cannot be killed while it is being started again. */
async function onService(
  scene: Scene,
  service: Service | undefined,
  kind: string,
  strike: (service: Service) => Promise<number | void>,
): Promise<void> {
  if (service === undefined || scene.busy.has(service)) return
  scene.busy.add(service)
  countFault(scene.history, kind)
  try {
    const ms = await strike(service)
    if (typeof ms === 'number') recordRecovery(scene.history, `${kind}: answers again`, ms)
  } finally {
    scene.busy.delete(service)
  }
}
