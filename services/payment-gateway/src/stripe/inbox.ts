import { inTransaction, inTransactionEndingWith, sqlState } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import { planReceived } from './apply-events.ts'
import type { AppliedEvents } from './apply-events.ts'
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

type Waiting = Received & { readonly resolve: () => void; readonly reject: (error: unknown) => void }

// Group commit: what arrives while a flush is in flight is the next batch. One flush at a time: the events of a payment
// arrive within a second of each other, so that a second flush beside the first nearly always waits for payments which
// the first holds (docs/performance.md). A larger batch holds its payments' locks longer; a smaller one pays the commit
// more often. The bytes bound what one statement carries.
const BATCH_MAX = 512
const BATCH_BYTES_MAX = 8 * 1024 * 1024
// A flush that takes this long waits for a lock or a disk; the others need not wait with it.
const SECOND_FLUSH_AFTER_MS = 250
const FLUSHES_MAX = 2
// Beyond this the process is drowning: refusing at once lets Stripe try later, queueing only adds to the wait.
const WAITING_MAX = 10_000
const WAITING_BYTES_MAX = 32 * 1024 * 1024

export class InboxFull extends Error {
  override name = 'InboxFull'
}

export type InboxDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly extended: boolean
  readonly forwarding?: boolean
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
  const waiting: Waiting[] = []
  const flushing = new Set<Promise<void>>()
  let waitingBytes = 0
  let flushedAtMs = 0

  function flushIfDue(): void {
    if (waiting.length === 0 || flushing.size >= FLUSHES_MAX) return
    if (flushing.size > 0 && performance.now() - flushedAtMs < SECOND_FLUSH_AFTER_MS) return
    flushedAtMs = performance.now()
    const flush = settle(takeBatch(), deps).finally(() => {
      flushing.delete(flush)
      flushIfDue()
    })
    flushing.add(flush)
  }

  function takeBatch(): readonly Waiting[] {
    let bytes = 0
    let count = 0
    for (const { payload } of waiting) {
      if (count === BATCH_MAX || (count > 0 && bytes + payload.length > BATCH_BYTES_MAX)) break
      bytes += payload.length
      count += 1
    }
    waitingBytes -= bytes
    return waiting.splice(0, count)
  }

  return {
    receive: (received) => {
      if (waiting.length >= WAITING_MAX || waitingBytes + received.payload.length > WAITING_BYTES_MAX)
        return Promise.reject(new InboxFull('too many events wait to be stored'))
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      waiting.push({ ...received, resolve, reject })
      waitingBytes += received.payload.length
      flushIfDue()
      return promise
    },
    drain: async () => {
      while (flushing.size > 0) await Promise.all(flushing)
    },
  }
}

async function settle(batch: readonly Waiting[], deps: InboxDeps): Promise<void> {
  try {
    await storeAndApply(batch, deps)
    for (const received of batch) received.resolve()
  } catch (error) {
    for (const received of batch) received.reject(error)
  }
}

async function storeAndApply(batch: readonly Received[], deps: InboxDeps): Promise<void> {
  try {
    const { fresh, applied } = await inTransactionEndingWith(deps.pool, async (tx) => {
      const { writes, ...result } = await planReceived(tx, batch, deps)
      return { result, last: writes }
    })
    deps.onBatch?.({ received: batch.length, fresh, applied })
    deps.onApplied(applied)
  } catch (error) {
    // Without an answer from the server nothing can be stored either. With one, some event of the batch cannot be
    // applied: all are stored as owed, and the worker finds out which alone.
    if (sqlState(error) === undefined && !(error instanceof RangeError) && !(error instanceof TypeError))
      throw error
    deps.log.error({ err: error, events: batch.length }, 'inbox.batch_not_applied')
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
