import { setTimeout } from 'node:timers/promises'
import { inTransaction, roundTrip } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import { recordLostBooking } from '../payments/lost-booking.ts'
import { raiseIncidents } from '../payments/payment.repository.ts'
import type { Told } from './booking.client.ts'
import { recordAttempts } from './delivery.repository.ts'
import type { AfterAttempt, ClaimedDelivery, EndedAttempt } from './delivery.repository.ts'
import type { WorkerSession } from './worker-session.ts'

export type RecorderDeps = {
  readonly pool: Pool
  readonly log: Log
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

const RECORD_AGAIN_MS = 500

type Ended = {
  readonly delivery: ClaimedDelivery
  readonly worker: number
  readonly told: Told
  readonly after: AfterAttempt
  readonly durationMs: number
}

export type Recorder = {
  /** Resolves when the result is kept, or when it is no longer this process's to keep. */
  readonly record: (ended: Ended) => Promise<void>
}

/**
 * Writes down how calls ended, many at a time: what ends while a write is under way is the next one.
 *
 * A result that cannot be written would leave the claim standing while this process lives. It is written again until it
 * is kept, or until the session, and with it the claim, is gone; then another worker repeats the attempt, which the
 * receiver recognises by its version.
 */
export function createRecorder(deps: RecorderDeps): Recorder {
  let waiting: { readonly ended: Ended; readonly done: () => void }[] = []
  let writing = false

  async function write(): Promise<void> {
    writing = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        const mine = batch.filter(({ ended }) => ended.worker === deps.session.number())
        await recordAll(
          deps,
          mine.map(({ ended }) => ended),
        )
        for (const { done } of batch) done()
      } catch (error) {
        deps.log.warn({ err: error, deliveries: batch.length }, 'delivery.not_recorded')
        await setTimeout(RECORD_AGAIN_MS)
        waiting = [...batch, ...waiting]
      }
    }
    writing = false
  }

  return {
    record: (ended) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ ended, done: resolve })
      if (!writing) void write()
      return promise
    },
  }
}

async function recordAll(deps: RecorderDeps, batch: readonly Ended[]): Promise<void> {
  if (batch.length === 0) return
  const records = batch.map(({ delivery, told, after, durationMs }): EndedAttempt => {
    const error = told.outcome === 'delivered' ? null : told.error
    const attempt = { outcome: told.outcome, responseStatus: told.status, error, durationMs }
    return { delivery, attempt, after }
  })
  const lost = batch.flatMap(({ delivery, told }) =>
    told.outcome === 'delivered' && told.isOverbooked ? [delivery.body.paymentId] : [],
  )
  if (lost.length === 0 && records.every(({ after }) => after.status !== 'dead'))
    await recordAttempts(deps.pool, records)
  else
    await inTransaction(deps.pool, async (tx) => {
      const mine = await recordAttempts(tx, records)
      const dead = records.filter(({ delivery, after }) => after.status === 'dead' && mine.has(delivery.id))
      await roundTrip(tx, raiseIncidents(dead.map(deadIncident)))
      // In one order, as every lock of payments.
      for (const paymentId of lost.toSorted())
        await recordLostBooking(tx, paymentId, { refunds: deps.refundsLostBookings })
    })
  for (const ended of batch) {
    const { delivery, told, after } = ended
    const outcome = after.status === 'dead' ? 'dead' : told.outcome
    const ageMs = delivery.ageMs + ended.durationMs
    deps.onAttempt?.({ outcome, announced: delivery.body.status, ageMs })
    logAttempt(deps.log, ended)
  }
}

function deadIncident({ delivery, attempt }: EndedAttempt) {
  return {
    kind: 'delivery_dead',
    subject: delivery.id,
    paymentId: delivery.body.paymentId,
    detail: { error: attempt.error },
  }
}

function logAttempt(log: Log, { delivery, told, after, durationMs }: Ended): void {
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
