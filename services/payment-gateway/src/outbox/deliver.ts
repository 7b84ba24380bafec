import type { Pool } from '@passerelle/kit/database'
import { startLoop } from '@passerelle/kit/loop'
import type { Loop } from '@passerelle/kit/loop'
import type { Log } from '@passerelle/kit/log'
import type { Tracing } from '@passerelle/kit/tracing'
import type { BookingClient } from './booking.client.ts'
import { claimDeliveries, nextDueInMs } from './delivery.repository.ts'
import { createRecorder } from './record-attempts.ts'
import type { RecorderDeps } from './record-attempts.ts'
import { createBreaker, PROBE_INTERVAL_MS } from './retry-schedule.ts'
import { createSends } from './sends.ts'
import type { ClaimNew } from './sends.ts'
import type { WorkerSession } from './worker-session.ts'

export type DeliverDeps = RecorderDeps & {
  readonly pool: Pool
  readonly log: Log
  readonly booking: BookingClient
  readonly session: WorkerSession
  readonly tracing?: Tracing
}

/** The loop, and whether it takes the booking service for down. */
export type Deliverer = Loop & { readonly isBreakerOpen: () => boolean; readonly claimNew: ClaimNew }

// While some are under way and nothing else is due, what becomes due meanwhile is found by looking this often.
const LOOK_AGAIN_MS = 100

/**
 * Sends what the booking service is owed: per booking in order and one at a time, across bookings in parallel. No HTTP
 * happens inside a transaction; a process that dies while sending frees its claims with its session.
 */
export function startDelivering(deps: DeliverDeps): Deliverer {
  const breaker = createBreaker()
  const recorder = createRecorder(deps)
  const sends = createSends({ ...deps, breaker, recorder, lookAgain: () => loop.wake() })
  let probedAt = -Infinity
  const loop = startLoop('deliver', round, deps.log)

  async function round(): Promise<number | null> {
    const worker = deps.session.number()
    if (worker === null) return PROBE_INTERVAL_MS
    const open = breaker.isOpen()
    const probeInMs = open ? probedAt + PROBE_INTERVAL_MS - performance.now() : 0
    if (probeInMs > 0) return probeInMs
    probedAt = performance.now()
    const room = sends.room()
    const claimed = room > 0 ? await claimDeliveries(deps.pool, worker, room) : []
    const isFull = claimed.length >= room
    await sends.start(claimed, worker)
    if (open) return PROBE_INTERVAL_MS
    if (isFull) {
      sends.moreMayWait()
      return null
    }
    return sends.isIdle() ? nextDueInMs(deps.pool) : LOOK_AGAIN_MS
  }

  return {
    wake: () => {
      sends.moreMayWait()
      loop.wake()
    },
    claimNew: sends.claimNew,
    isBreakerOpen: breaker.isOpen,
    stop: async () => {
      await loop.stop()
      await sends.drain()
    },
  }
}
