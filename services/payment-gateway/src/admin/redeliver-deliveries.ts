import { inTransaction } from '@passerelle/kit/database'
import type { Pool, Tx } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import { redeliverDeliveries } from '../outbox/delivery.repository.ts'
import type { Redelivered } from '../outbox/delivery.repository.ts'
import type { Act } from './act.ts'
import { appendAudit } from './audit.repository.ts'
import { DELIVERIES, findDeliveries, findDelivery } from './delivery-list.repository.ts'
import type { StoredDelivery } from './delivery-list.repository.ts'
import { resolveIncidents } from './incident.repository.ts'
import { matchRows } from './match-rows.repository.ts'
import type { ReplayWish } from './replay-events.ts'

/** Sends one delivery again, with the same version and key: a receiver that has it changes nothing. NOT_FOUND. */
export async function redeliver(pool: Pool, id: string, act: Act): Promise<StoredDelivery> {
  return inTransaction(pool, async (tx) => {
    const redelivered = await redeliverDeliveries(tx, [id])
    const delivery = await findDelivery(tx, id)
    if (delivery === null) throw new ApiError('NOT_FOUND', 'There is no such delivery.')
    await recordRedeliveries(tx, redelivered, act)
    return delivery
  })
}

export type RedeliveredMany = { readonly matched: number; readonly deliveries: readonly StoredDelivery[] }

/** Sends the oldest `limit` of what a filter matches again, all of them or none; a dry run only tells which. */
export async function redeliverMany(pool: Pool, wish: ReplayWish, act: Act): Promise<RedeliveredMany> {
  return inTransaction(pool, async (tx) => {
    const { matched, ids } = await matchRows(tx, DELIVERIES, wish.filter, wish.limit)
    if (!wish.dryRun) await recordRedeliveries(tx, await redeliverDeliveries(tx, ids), act)
    return { matched, deliveries: await findDeliveries(tx, ids) }
  })
}

async function recordRedeliveries(tx: Tx, deliveries: readonly Redelivered[], act: Act): Promise<void> {
  const ids = deliveries.map(({ id }) => id)
  await resolveIncidents(tx, { kind: 'delivery_dead', subjects: ids }, { ...act, reason: 'redelivered' })
  await appendAudit(
    tx,
    deliveries.map(({ id, paymentId, version, status, attempts }) => ({
      ...act,
      action: 'delivery.redelivered',
      subject: id,
      paymentId,
      before: { version, status, attempts },
      after: { status: 'pending' },
    })),
  )
}
