import type { Pool } from '@passerelle/kit/database'
import { TRACING_OFF } from '@passerelle/kit/tracing'
import type { Tracing } from '@passerelle/kit/tracing'
import { findTracesOfPayments } from '../ops/trace.repository.ts'
import type { Followed } from '../ops/trace.repository.ts'
import type { BookingClient, Told } from './booking.client.ts'
import { claimedAsWritten, makeWaitingDue } from './delivery.repository.ts'
import type { AfterAttempt, ClaimedDelivery, NewDelivery } from './delivery.repository.ts'
import type { Recorder } from './record-attempts.ts'
import { DELIVERY_AGE_MAX_MS, PROBE_INTERVAL_MS, retryWaitMs } from './retry-schedule.ts'
import type { Breaker } from './retry-schedule.ts'
import type { WorkerSession } from './worker-session.ts'

export type SendDeps = {
  readonly pool: Pool
  readonly booking: BookingClient
  readonly session: WorkerSession
  readonly breaker: Breaker
  readonly recorder: Recorder
  readonly tracing?: Tracing
  /** Asks for a look at what is due: there is a place again, or what this delivery stood before may go. */
  readonly lookAgain: () => void
}

/**
 * Claims deliveries that are about to be written: of each booking only its first, which nothing comes before. Null when
 * none can be sent at once. What was claimed has to be sent or given up.
 */
export type ClaimNew = (deliveries: readonly NewDelivery[]) => NewClaim | null

export type NewClaim = {
  /** What the deliveries have to be written with. */
  readonly worker: number
  readonly ids: ReadonlySet<string>
  /** They are committed. */
  readonly send: () => void
  /** They are not, or, in doubt, nobody knows: then whoever finds them claims them anew. */
  readonly giveUp: (how: { readonly inDoubt: boolean }) => void
}

/** The deliveries this process sends. */
export type Sends = {
  /** How many more may be under way. */
  readonly room: () => number
  readonly isIdle: () => boolean
  readonly start: (claimed: readonly ClaimedDelivery[], worker: number) => Promise<void>
  readonly claimNew: ClaimNew
  /** Somebody was told that there may be more to send: the end of whatever is under way now asks for a look. */
  readonly moreMayWait: () => void
  /** Waits for everything under way. */
  readonly drain: () => Promise<void>
}

// More would only wait for each other at the destination; each holds a connection to it.
const IN_FLIGHT_MAX = 64

export function createSends(deps: SendDeps): Sends {
  const { session, breaker, lookAgain } = deps
  const inFlight = new Set<Promise<void>>()
  // Places of deliveries that are being written.
  let kept = 0
  // How often more may have waited than could be sent.
  let asked = 0

  const room = (): number => (breaker.isOpen() ? 1 : IN_FLIGHT_MAX) - inFlight.size - kept

  async function start(claimed: readonly ClaimedDelivery[], worker: number): Promise<void> {
    // Claims end with the session under which they were made: whoever claims them next sends them.
    if (session.number() !== worker) return
    const traces = await tracesOf(deps, claimed)
    for (const delivery of claimed) {
      const askedBefore = asked
      const trace = traces?.get(delivery.body.paymentId)
      const sending = send(deps, delivery, { worker, trace }).then(({ status }) => {
        inFlight.delete(sending)
        if (status !== 'delivered' || asked !== askedBefore) lookAgain()
      })
      inFlight.add(sending)
    }
  }

  function claimNew(deliveries: readonly NewDelivery[]): NewClaim | null {
    const worker = session.number()
    const first = deliveries.filter(({ version }) => version === 1)
    if (worker === null || first.length === 0 || first.length > room() || breaker.isOpen()) return null
    kept += first.length
    const leave = (): void => {
      kept -= first.length
      if (inFlight.size === 0) lookAgain()
    }
    return {
      worker,
      ids: new Set(first.map(({ id }) => id)),
      send: () => void start(first.map(claimedAsWritten), worker).then(leave),
      giveUp: ({ inDoubt }) => {
        leave()
        if (inDoubt && session.number() === worker) session.renew()
      },
    }
  }

  return {
    room,
    isIdle: () => inFlight.size === 0,
    start,
    claimNew,
    moreMayWait: () => {
      asked += 1
    },
    drain: async () => {
      await Promise.all(inFlight)
    },
  }
}

/** The traces these deliveries go on with; null where none are collected. What is claimed is sent, traced or not. */
async function tracesOf(
  { pool, tracing = TRACING_OFF }: SendDeps,
  claimed: readonly ClaimedDelivery[],
): Promise<ReadonlyMap<string, Followed> | null> {
  if (!tracing.isOn || claimed.length === 0) return null
  const paymentIds = claimed.map(({ body }) => body.paymentId)
  return findTracesOfPayments(pool, paymentIds).catch(() => null)
}

function announce(
  { booking, tracing = TRACING_OFF }: SendDeps,
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
  deps: SendDeps,
  delivery: ClaimedDelivery,
  { worker, trace }: { readonly worker: number; readonly trace: Followed | undefined },
): Promise<AfterAttempt> {
  const { breaker, recorder } = deps
  const startedAt = performance.now()
  const told = await announce(deps, delivery, trace)
  const durationMs = Math.round(performance.now() - startedAt)
  const recovered = breaker.record(told.outcome !== 'failed')
  const after = afterAttempt(delivery, told, breaker.isOpen())
  await recorder.record({ delivery, worker, told, after, durationMs })
  if (recovered) await makeWaitingDue(deps.pool).catch(() => {})
  return after
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
