import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { Act } from './act.ts'
import type { Json } from './audit.ts'
import { appendAudit } from './audit.repository.ts'
import { lockIncident, resolveIncident } from './incident.repository.ts'
import type { Incident } from './incident.repository.ts'

/** Marks an incident as taken care of. NOT_FOUND; INVALID_STATE when it is resolved already. */
export async function resolveOneIncident(pool: Pool, id: number, act: Act): Promise<Incident> {
  return inTransaction(pool, async (tx) => {
    const before = await lockIncident(tx, id)
    if (before === null) throw new ApiError('NOT_FOUND', 'There is no such incident.')
    if (before.status === 'resolved')
      throw new ApiError(
        'INVALID_STATE',
        `This incident was resolved by ${before.resolvedBy ?? 'somebody'} already.`,
      )
    await resolveIncident(tx, id, act)
    const { kind, subject, paymentId, detail } = before
    await appendAudit(tx, [
      {
        ...act,
        action: 'incident.resolved',
        subject: `incident ${id}`,
        paymentId,
        before: { status: 'open', kind, subject, detail: detail as Json },
        after: { status: 'resolved' },
      },
    ])
    return (await lockIncident(tx, id)) ?? before
  })
}
