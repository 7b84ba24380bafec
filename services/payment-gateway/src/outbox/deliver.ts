import { setTimeout } from 'node:timers/promises'
import { inTransaction, roundTrip } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { startLoop } from '@passerelle/kit/loop'
import type { Loop } from '@passerelle/kit/loop'
import type { Log } from '@passerelle/kit/log'
import { TRACING_OFF } from '@passerelle/kit/tracing'
import type { Tracing } from '@passerelle/kit/tracing'
import { findTracesOfPayments } from '../ops/trace.repository.ts'
import type { Followed } from '../ops/trace.repository.ts'
import { recordLostBooking } from '../payments/lost-booking.ts'
import { raiseIncidents } from '../payments/payment.repository.ts'
import type { BookingClient, Told } from './booking.client.ts'
import { claimDeliveries, makeWaitingDue, nextDueInMs, recordAttempts } from './delivery.repository.ts'
import type { AfterAttempt, ClaimedDelivery, EndedAttempt } from './delivery.repository.ts'
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
  readonly tracing?: Tracing
  /** Told of every attempt that was recorded; `ageMs` is how long the delivery had been owed. */
  readonly onAttempt?: (attempt: {
    readonly outcome: Told['outcome'] | 'dead'
    readonly announced: string
    readonly ageMs: number
  }) => void
}

/** The loop, and whether it takes the booking service for down. */
export type Deliverer = Loop & { readonly isBreakerOpen: () => boolean }

// More would only wait for each other at the destination; each holds a connection to it.
const IN_FLIGHT_MAX = 64
// While some are under way and nothing else is due, what becomes due meanwhile is found by looking this often.
const LOOK_AGAIN_MS = 100
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
  const recorder = createRecorder(deps)
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
    const traces = await tracesOf(deps, claimed)
    for (const delivery of claimed) {
      const trace = traces?.get(delivery.body.paymentId)
      const sending = send(deps, { breaker, recorder, worker, trace }, delivery).finally(() => {
        inFlight.delete(sending)
        loop.wake()
      })
      inFlight.add(sending)
    }
    if (open) return PROBE_INTERVAL_MS
    if (claimed.length === room) return null
    return inFlight.size > 0 ? LOOK_AGAIN_MS : nextDueInMs(deps.pool)
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

type Sending = {
  readonly breaker: Breaker
  readonly recorder: Recorder
  readonly worker: number
  readonly trace: Followed | undefined
}

/** The traces these deliveries go on with; null where none are collected. What is claimed is sent, traced or not. */
async function tracesOf(
  { pool, tracing = TRACING_OFF }: DeliverDeps,
  claimed: readonly ClaimedDelivery[],
): Promise<ReadonlyMap<string, Followed> | null> {
  if (!tracing.isOn || claimed.length === 0) return null
  const paymentIds = claimed.map(({ body }) => body.paymentId)
  return findTracesOfPayments(pool, paymentIds).catch(() => null)
}

function announce(
  { booking, tracing = TRACING_OFF }: DeliverDeps,
  { id, bookingId, body, version, attempts }: ClaimedDelivery,
  trace: Followed | undefined,
): Promise<Told> {
  if (!tracing.isOn) return booking.announce(bookingId, body, id)
  const attributes = {
    'passerelle.delivery_id': id,
    'passerelle.version': version,
    'passerelle.attempt': attempts,
  }
  const span = tracing.open('booking announce', { ...trace, kind: 'client', attributes })
  return span.within(async () => {
    const told = await booking.announce(bookingId, body, id)
    const isFailed = told.outcome !== 'delivered'
    span.end({ isFailed, attributes: { 'passerelle.outcome': told.outcome } })
    return told
  })
}

async function send(
  deps: DeliverDeps,
  { breaker, recorder, worker, trace }: Sending,
  delivery: ClaimedDelivery,
): Promise<void> {
  const startedAt = performance.now()
  const told = await announce(deps, delivery, trace)
  const durationMs = Math.round(performance.now() - startedAt)
  const recovered = breaker.record(told.outcome !== 'failed')
  const after = afterAttempt(delivery, told, breaker.isOpen())
  await recorder.record({ delivery, worker, told, after, durationMs })
  if (recovered) await makeWaitingDue(deps.pool).catch(() => {})
}

type Ended = {
  readonly delivery: ClaimedDelivery
  readonly worker: number
  readonly told: Told
  readonly after: AfterAttempt
  readonly durationMs: number
}

type Recorder = {
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
function createRecorder(deps: DeliverDeps): Recorder {
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

async function recordAll(deps: DeliverDeps, batch: readonly Ended[]): Promise<void> {
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

function afterAttempt(delivery: ClaimedDelivery, told: Told, breakerOpen: boolean): AfterAttempt {
  switch (told.outcome) {
    case 'delivered':
      return { status: 'delivered' }
    case 'refused':
      return { status: 'dead' }
    case 'failed': {
      if (delivery.ageMs > DELIVERY_AGE_MAX_MS) return { status: 'dead' }
      // A probe waits no longer than the next probe: the destination's return is what all the others wait for.
      if (breakerOpen) return { status: 'pending', waitMs: told.retryAfterMs ?? PROBE_INTERVAL_MS }
      return { status: 'pending', waitMs: retryWaitMs(delivery.attempts, told.retryAfterMs, Math.random()) }
    }
    default:
      return told satisfies never
  }
}
