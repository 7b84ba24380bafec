import { setTimeout } from 'node:timers/promises'
import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { startLoop } from '@passerelle/kit/loop'
import type { Loop } from '@passerelle/kit/loop'
import type { Log } from '@passerelle/kit/log'
import { raiseIncidents } from '../payments/payment.repository.ts'
import type { BookingClient, Told } from './booking.client.ts'
import { claimDeliveries, makeWaitingDue, nextDueInMs, recordAttempt } from './delivery.repository.ts'
import type { AfterAttempt, ClaimedDelivery } from './delivery.repository.ts'
import { createBreaker, DELIVERY_AGE_MAX_MS, retryWaitMs } from './retry-schedule.ts'
import type { WorkerSession } from './worker-session.ts'

export type DeliverDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly booking: BookingClient
  readonly session: WorkerSession
}

const IN_FLIGHT_MAX = 32
// While the destination does not answer, it is asked this often, by one delivery.
const PROBE_INTERVAL_MS = 1000
const RECORD_AGAIN_MS = 500

/**
 * Sends what the booking service is owed: per booking in order and one at a time, across bookings in parallel. No HTTP
 * happens inside a transaction; a process that dies while sending frees its claims with its session.
 */
export function startDelivering(deps: DeliverDeps): Loop {
  const breaker = createBreaker()
  const inFlight = new Set<Promise<void>>()
  const loop = startLoop('deliver', round, deps.log)

  async function round(): Promise<number | null> {
    const worker = deps.session.number()
    if (worker === null) return PROBE_INTERVAL_MS
    const room = (breaker.isOpen() ? 1 : IN_FLIGHT_MAX) - inFlight.size
    if (room <= 0) return null
    const claimed = await claimDeliveries(deps.pool, worker, room)
    for (const delivery of claimed) {
      const sending = send(delivery, worker).finally(() => {
        inFlight.delete(sending)
        loop.wake()
      })
      inFlight.add(sending)
    }
    if (breaker.isOpen()) return PROBE_INTERVAL_MS
    return claimed.length === room ? null : nextDueInMs(deps.pool)
  }

  async function send(delivery: ClaimedDelivery, worker: number): Promise<void> {
    const startedAt = performance.now()
    const told = await deps.booking.announce(delivery.bookingId, delivery.body, delivery.id)
    const durationMs = Math.round(performance.now() - startedAt)
    const recovered = breaker.record(told.outcome !== 'failed')
    await recordUntilKept(delivery, worker, () => record(delivery, told, durationMs, breaker.isOpen()))
    if (recovered) await makeWaitingDue(deps.pool).catch(() => {})
  }

  // A result that cannot be written would leave the claim standing while this process lives. It is written again until
  // it is kept, or until the session, and with it the claim, is gone; then another worker repeats the attempt, which the
  // receiver recognises by its version.
  async function recordUntilKept(
    delivery: ClaimedDelivery,
    worker: number,
    write: () => Promise<void>,
  ): Promise<void> {
    while (deps.session.number() === worker) {
      try {
        return await write()
      } catch (error) {
        deps.log.warn({ err: error, deliveryId: delivery.id }, 'delivery.not_recorded')
        await setTimeout(RECORD_AGAIN_MS)
      }
    }
  }

  async function record(
    delivery: ClaimedDelivery,
    told: Told,
    durationMs: number,
    open: boolean,
  ): Promise<void> {
    const after = afterAttempt(delivery, told, open)
    const error = told.outcome === 'delivered' ? null : told.error
    await inTransaction(deps.pool, async (tx) => {
      const mine = await recordAttempt(
        tx,
        delivery,
        { outcome: told.outcome, responseStatus: told.status, error, durationMs },
        after,
      )
      if (mine && after.status === 'dead')
        await raiseIncidents(tx, [
          {
            kind: 'delivery_dead',
            subject: delivery.id,
            paymentId: delivery.body.paymentId,
            detail: { error },
          },
        ])
    })
    const line = {
      deliveryId: delivery.id,
      bookingId: delivery.bookingId,
      paymentId: delivery.body.paymentId,
      announced: delivery.body.status,
      version: delivery.version,
      attempt: delivery.attempts,
      outcome: told.outcome,
      status: told.status,
      error,
      durationMs,
      nextInMs: after.status === 'pending' ? after.waitMs : undefined,
    }
    if (after.status === 'dead') deps.log.error(line, 'delivery.dead')
    else deps.log.info(line, 'delivery.attempted')
  }

  return {
    wake: loop.wake,
    stop: async () => {
      await loop.stop()
      await Promise.all(inFlight)
    },
  }
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
