import { inTransaction, outageOf, sqlState } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import type { ClaimNew } from '../outbox/sends.ts'
import { readStored, storeAndApplyEvents } from './apply-events.ts'
import type { AppliedEvents, ReadReceived } from './apply-events.ts'
import { paymentKey } from './facts.ts'
import type { StripeEvent } from './event.ts'
import { EVENTS_CHANNEL, insertOwedEvents } from './inbox.repository.ts'
import type { Received } from './inbox.repository.ts'

export type Inbox = {
  /**
   * Resolves when the event is durable: applied in the commit that stored it, or stored with its effect owed to the
   * worker. Rejects when it could not be stored: nothing was acknowledged, Stripe sends it again.
   */
  readonly receive: (received: Received) => Promise<void>
  /** Waits for everything received so far. */
  readonly drain: () => Promise<void>
}

type Waiting = ReadReceived & {
  /** What tells two events of one payment apart from those of others; null: no payment's. */
  readonly key: string | null
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

// Group commit: what arrives while a flush is in flight is the next batch. A larger batch holds its payments' locks
// longer; a smaller one pays the commit more often. The bytes bound what one statement carries.
const BATCH_MAX = 512
const BATCH_BYTES_MAX = 8 * 1024 * 1024
// A second flush keeps this process busy while the database works on the first, and the other way round. It takes only
// payments that the first does not hold: events of one payment come within a second of each other, so that it would
// nearly always wait for the first otherwise (docs/performance.md). Below this many a flush is not worth its commit.
const FLUSHES_MAX = 2
const SECOND_FLUSH_AT = 32
// Beyond this the process is drowning: refusing at once lets Stripe try later, queueing only adds to the wait.
const WAITING_MAX = 10_000
const WAITING_BYTES_MAX = 32 * 1024 * 1024

export class InboxFull extends Error {
  override name = 'InboxFull'
}

/** The database cannot store anything at the moment; the inbox has said so in the log. */
export class DatabaseAway extends Error {
  override name = 'DatabaseAway'
}

export type InboxDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly extended: boolean
  readonly forwarding?: boolean
  /** Claims deliveries before they are written, to send them without asking the database for them. */
  readonly claimNew?: ClaimNew
  /** Told after the commit: which payments changed, and whether events are owed to the worker. */
  readonly onApplied: (applied: AppliedEvents) => void
  /** Told after the commit: how many were received, which of them were new, and what became of these; null when none could be applied yet. */
  readonly onBatch?: (batch: {
    readonly received: number
    readonly fresh: readonly StripeEvent[]
    readonly applied: AppliedEvents | null
  }) => void
}

export function createInbox(deps: InboxDeps): Inbox {
  let waiting: Waiting[] = []
  const flushing = new Set<Promise<void>>()
  // The payments in the batches under way, by whatever their events call them.
  const busy = new Set<string>()
  let waitingBytes = 0
  const outage = createOutageTeller(deps.log)

  function flushIfDue(): void {
    const least = flushing.size === 0 ? 1 : SECOND_FLUSH_AT
    if (waiting.length < least || flushing.size >= FLUSHES_MAX) return
    const batch = takeBatch()
    if (batch.length === 0) return
    for (const { key } of batch) if (key !== null) busy.add(key)
    const flush = settle(batch, deps, outage).finally(() => {
      flushing.delete(flush)
      for (const { key } of batch) if (key !== null) busy.delete(key)
      flushIfDue()
    })
    flushing.add(flush)
  }

  /** The oldest that wait, as many as a batch takes; those of payments that are under way wait on. */
  function takeBatch(): readonly Waiting[] {
    const batch: Waiting[] = []
    const left: Waiting[] = []
    let bytes = 0
    for (const one of waiting) {
      const fits = batch.length === 0 || bytes + one.payload.length <= BATCH_BYTES_MAX
      if (batch.length < BATCH_MAX && fits && (one.key === null || !busy.has(one.key))) {
        batch.push(one)
        bytes += one.payload.length
      } else left.push(one)
    }
    waiting = left
    waitingBytes -= bytes
    return batch
  }

  return {
    receive: (received) => {
      if (waiting.length >= WAITING_MAX || waitingBytes + received.payload.length > WAITING_BYTES_MAX)
        return Promise.reject(new InboxFull('too many events wait to be stored'))
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const { reading } = readStored(received.event)
      waiting.push({ ...received, reading, key: paymentKey(reading), resolve, reject })
      waitingBytes += received.payload.length
      flushIfDue()
      return promise
    },
    drain: async () => {
      while (flushing.size > 0) await Promise.all(flushing)
    },
  }
}

async function settle(batch: readonly Waiting[], deps: InboxDeps, outage: OutageTeller): Promise<void> {
  try {
    await storeAndApply(batch, deps, outage)
    outage.isOver()
    for (const received of batch) received.resolve()
  } catch (error) {
    const because = outageOf(error)
    if (because !== null) outage.goesOn(because, batch.length)
    const reason = because === null ? error : new DatabaseAway(because, { cause: error })
    for (const received of batch) received.reject(reason)
  }
}

type OutageTeller = {
  /** A batch failed because of the database, `refused` events of which nobody was acknowledged. */
  readonly goesOn: (because: string, refused: number) => void
  readonly isOver: () => void
}

/** One line when the database goes and one when it is back: thousands of events may be refused in between. */
function createOutageTeller(log: Log): OutageTeller {
  let refusedTotal: number | null = null
  return {
    goesOn: (because, refused) => {
      if (refusedTotal === null) log.warn({ because }, 'inbox.database_away')
      refusedTotal = (refusedTotal ?? 0) + refused
    },
    isOver: () => {
      if (refusedTotal !== null) log.info({ refused: refusedTotal }, 'inbox.database_back')
      refusedTotal = null
    },
  }
}

async function storeAndApply(
  batch: readonly ReadReceived[],
  deps: InboxDeps,
  outage: OutageTeller,
): Promise<void> {
  try {
    const { fresh, applied } = await storeAndApplyEvents(deps.pool, batch, deps)
    deps.onBatch?.({ received: batch.length, fresh, applied })
    deps.onApplied(applied)
  } catch (error) {
    // Without an answer from the server nothing can be stored either. With one, some event of the batch cannot be
    // applied, or the session was ended: all are stored as owed, and the worker finds out which cannot be, alone.
    if (sqlState(error) === undefined && !(error instanceof RangeError) && !(error instanceof TypeError))
      throw error
    const because = outageOf(error)
    if (because === null) deps.log.error({ err: error, events: batch.length }, 'inbox.batch_not_applied')
    else outage.goesOn(because, 0)
    const fresh = await inTransaction(deps.pool, async (tx) => {
      const stored = await insertOwedEvents(tx, batch)
      await tx.query(`select pg_notify('${EVENTS_CHANNEL}', '')`)
      return newOf(batch, stored)
    })
    deps.onBatch?.({ received: batch.length, fresh, applied: null })
  }
}

/** The events that were not stored before, each once: Stripe may send one twice within a batch. */
function newOf(batch: readonly Received[], stored: ReadonlySet<string>): StripeEvent[] {
  const events = new Map(batch.map(({ event }) => [event.id, event]))
  return [...events.values()].filter(({ id }) => stored.has(id))
}
