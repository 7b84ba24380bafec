import { inTransaction } from '@passerelle/kit/database'
import type { Pool, Tx } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import { requeueEvents } from '../stripe/inbox.repository.ts'
import type { Requeued } from '../stripe/inbox.repository.ts'
import type { Act } from './act.ts'
import { appendAudit } from './audit.repository.ts'
import { EVENTS, findEvent, findEvents } from './event-list.repository.ts'
import type { StoredEvent } from './event-list.repository.ts'
import { matchRows } from './match-rows.repository.ts'
import type { ManyFilter } from './match-rows.repository.ts'
import { resolveIncidents } from './incident.repository.ts'

/**
 * Applies one event again, by the worker and through the same function as the first time: what it has done already
 * changes nothing, what it failed to do is done. NOT_FOUND; INVALID_STATE when its payload is redacted.
 */
export async function replayEvent(pool: Pool, id: string, act: Act): Promise<StoredEvent> {
  return inTransaction(pool, async (tx) => {
    const [requeued] = await requeueEvents(tx, [id])
    const event = await findEvent(tx, id)
    if (event === null) throw new ApiError('NOT_FOUND', 'There is no such event.')
    if (requeued === undefined)
      throw new ApiError(
        'INVALID_STATE',
        'The payload of this event has been redacted because of its age, so it cannot be applied again. Reconcile the payment with Stripe instead.',
      )
    await recordReplays(tx, [requeued], act)
    return event
  })
}

export type ReplayWish = { readonly filter: ManyFilter; readonly limit: number; readonly dryRun: boolean }
export type Replayed = { readonly matched: number; readonly events: readonly StoredEvent[] }

/** Replays the oldest `limit` of what a filter matches, all of them or none; a dry run only tells which. */
export async function replayEvents(pool: Pool, wish: ReplayWish, act: Act): Promise<Replayed> {
  return inTransaction(pool, async (tx) => {
    const { matched, ids } = await matchRows(tx, EVENTS, wish.filter, wish.limit)
    if (wish.dryRun) return { matched, events: await findEvents(tx, ids) }
    const requeued = await requeueEvents(tx, ids)
    const events = await findEvents(
      tx,
      requeued.map(({ id }) => id),
    )
    await recordReplays(tx, requeued, act)
    return { matched, events }
  })
}

async function recordReplays(tx: Tx, events: readonly Requeued[], act: Act): Promise<void> {
  const ids = events.map(({ id }) => id)
  await resolveIncidents(tx, { kind: 'event_held', subjects: ids }, { ...act, reason: 'replayed' })
  await appendAudit(
    tx,
    events.map(({ id, paymentId, type, status, reason, error, attempts }) => ({
      ...act,
      action: 'event.replayed',
      subject: id,
      paymentId,
      before: { type, status, reason, error, attempts },
      after: { status: 'received' },
    })),
  )
}
