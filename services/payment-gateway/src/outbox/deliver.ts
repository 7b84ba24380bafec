import { setTimeout } from 'node:timers/promises'
import { inTransaction, sendTogether } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { startLoop } from '@passerelle/kit/loop'
import type { Loop } from '@passerelle/kit/loop'
import type { Log } from '@passerelle/kit/log'
import { recordLostBooking } from '../payments/lost-booking.ts'
import { raiseIncidents } from '../payments/payment.repository.ts'
import type { BookingClient, Told } from './booking.client.ts'
import { claimDeliveries, makeWaitingDue, nextDueInMs, recordAttempt } from './delivery.repository.ts'
import type { AfterAttempt, ClaimedDelivery } from './delivery.repository.ts'
import { createBreaker, DELIVERY_AGE_MAX_MS, retryWaitMs } from './retry-schedule.ts'
import type { Breaker } from './retry-schedule.ts'
import type { WorkerSession } from './worker-session.ts'

export type DeliverDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly booking: BookingClient
  readonly session: WorkerSession
  /** Gives the money back by itself when a paid booking has no seats any more. */
  readonly refundsLostBookings: boolean
  /** Told of every attempt that was recorded; `ageMs` is how long the delivery had been owed. */
  readonly onAttempt?: (attempt: {
    readonly outcome: Told['outcome'] | 'dead'
    readonly announced: string
    readonly ageMs: number
  }) => void
}

/** The loop, and whether it takes the booking service for down. */
export type Deliverer = Loop & { readonly isBreakerOpen: () => boolean }

const IN_FLIGHT_MAX = 32
// While the destination does not answer, it is asked this often, by one delivery.
const PROBE_INTERVAL_MS = 1000
const RECORD_AGAIN_MS = 500

/**
 * Sends what the booking service is owed: per booking in order and one at a time, across bookings in parallel. No HTTP
 * happens inside a transaction; a process that dies while sending frees its claims with its session.
 */
export function startDelivering(deps: DeliverDeps): Deliverer {
  const breaker = createBreaker()
  const inFlight = new Set<Promise<void>>()
  let probedAt = -Infinity
  const loop = startLoop('deliver', round, deps.log)

  async function round(): Promise<number | null> {
    const worker = deps.session.number()
    if (worker === null) return PROBE_INTERVAL_MS
    const open = breaker.isOpen()
    const probeInMs = open ? probedAt + PROBE_INTERVAL_MS - performance.now() : 0
    if (probeInMs > 0) return probeInMs
    probedAt = performance.now()
    const room = (open ? 1 : IN_FLIGHT_MAX) - inFlight.size
    if (room <= 0) return null
    const claimed = await claimDeliveries(deps.pool, worker, room)
    for (const delivery of claimed) {
      const sending = send(deps, breaker, { delivery, worker }).finally(() => {
        inFlight.delete(sending)
        loop.wake()
      })
      inFlight.add(sending)
    }
    if (open) return PROBE_INTERVAL_MS
    return claimed.length === room ? null : nextDueInMs(deps.pool)
  }

  return {
    wake: loop.wake,
    isBreakerOpen: breaker.isOpen,
    stop: async () => {
      await loop.stop()
      await Promise.all(inFlight)
    },
  }
}

type Sending = { readonly delivery: ClaimedDelivery; readonly worker: number }

async function send(deps: DeliverDeps, breaker: Breaker, sending: Sending): Promise<void> {
  const { delivery } = sending
  const startedAt = performance.now()
  const told = await deps.booking.announce(delivery.bookingId, delivery.body, delivery.id)
  const durationMs = Math.round(performance.now() - startedAt)
  const recovered = breaker.record(told.outcome !== 'failed')
  const after = afterAttempt(delivery, told, breaker.isOpen())
  await recordUntilKept(deps, sending, { told, after, durationMs })
  if (recovered) await makeWaitingDue(deps.pool).catch(() => {})
}

type Ended = { readonly told: Told; readonly after: AfterAttempt; readonly durationMs: number }

// A result that cannot be written would leave the claim standing while this process lives. It is written again until it
// is kept, or until the session, and with it the claim, is gone; then another worker repeats the attempt, which the
// receiver recognises by its version.
async function recordUntilKept(
  deps: DeliverDeps,
  { delivery, worker }: Sending,
  ended: Ended,
): Promise<void> {
  while (deps.session.number() === worker) {
    try {
      await record(deps, delivery, ended)
    } catch (error) {
      deps.log.warn({ err: error, deliveryId: delivery.id }, 'delivery.not_recorded')
      await setTimeout(RECORD_AGAIN_MS)
      continue
    }
    const outcome = ended.after.status === 'dead' ? 'dead' : ended.told.outcome
    const ageMs = Date.now() - delivery.createdAt.getTime()
    deps.onAttempt?.({ outcome, announced: delivery.body.status, ageMs })
    return logAttempt(deps.log, delivery, ended)
  }
}

async function record(
  { pool, refundsLostBookings }: DeliverDeps,
  delivery: ClaimedDelivery,
  { told, after, durationMs }: Ended,
): Promise<void> {
  const error = told.outcome === 'delivered' ? null : told.error
  const attempt = { outcome: told.outcome, responseStatus: told.status, error, durationMs }
  await inTransaction(pool, async (tx) => {
    const mine = await recordAttempt(tx, delivery, attempt, after)
    if (told.outcome === 'delivered' && told.isOverbooked)
      await recordLostBooking(tx, delivery.body.paymentId, { refunds: refundsLostBookings })
    if (mine && after.status === 'dead')
      await sendTogether(
        tx,
        raiseIncidents([
          {
            kind: 'delivery_dead',
            subject: delivery.id,
            paymentId: delivery.body.paymentId,
            detail: { error },
          },
        ]),
      )
  })
}

function logAttempt(log: Log, delivery: ClaimedDelivery, { told, after, durationMs }: Ended): void {
  const line = {
    deliveryId: delivery.id,
    bookingId: delivery.bookingId,
    paymentId: delivery.body.paymentId,
    announced: delivery.body.status,
    version: delivery.version,
    attempt: delivery.attempts,
    outcome: told.outcome,
    status: told.status,
    error: told.outcome === 'delivered' ? undefined : told.error,
    durationMs,
    nextInMs: after.status === 'pending' ? after.waitMs : undefined,
  }
  if (after.status === 'dead') log.error(line, 'delivery.dead')
  else log.info(line, 'delivery.attempted')
}

function afterAttempt(delivery: ClaimedDelivery, told: Told, breakerOpen: boolean): AfterAttempt {
  switch (told.outcome) {
    case 'delivered':
      return { status: 'delivered' }
    case 'refused':
      return { status: 'dead' }
    case 'failed': {
      if (Date.now() - delivery.createdAt.getTime() > DELIVERY_AGE_MAX_MS) return { status: 'dead' }
      // A probe waits no longer than the next probe: the destination's return is what all the others wait for.
      if (breakerOpen) return { status: 'pending', waitMs: told.retryAfterMs ?? PROBE_INTERVAL_MS }
      return { status: 'pending', waitMs: retryWaitMs(delivery.attempts, told.retryAfterMs, Math.random()) }
    }
    default:
      return told satisfies never
  }
}
