import { inTransaction, roundTrip } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import { DELIVERY_AGE_MAX_MS, retryWaitMs } from '../outbox/retry-schedule.ts'
import { raiseIncidents } from '../payments/payment.repository.ts'
import type { ExtensionClient } from './extension.client.ts'
import { claimForward, finishForward } from './forward.repository.ts'
import type { AfterForward, ClaimedForward } from './forward.repository.ts'

export type ForwardDeps = { readonly pool: Pool; readonly log: Log; readonly extension: ExtensionClient }

const LEASE_MS = 15_000

/**
 * Forwards one event that is owed to the extension; false when none is due. At least once: a process that dies between
 * the answer and its record repeats the call, which the receiver recognises by `webhook-id`.
 */
export async function forwardOneEvent({ pool, log, extension }: ForwardDeps): Promise<boolean> {
  const forward = await claimForward(pool, LEASE_MS)
  if (forward === null) return false
  const error =
    forward.payload.length === 0
      ? 'its payload was redacted'
      : await extension.send(forward.eventId, forward.payload)
  const after = afterAttempt(forward, error)
  await inTransaction(pool, async (tx) => {
    await finishForward(tx, forward, after)
    if (after.status === 'dead')
      await roundTrip(
        tx,
        raiseIncidents([
          {
            kind: 'forward_dead',
            subject: forward.eventId,
            paymentId: null,
            detail: { error: after.error },
          },
        ]),
      )
  })
  const { eventId, type, attempts: attempt } = forward
  const line = { eventId, type, attempt, outcome: after.status, error: error ?? undefined }
  if (after.status === 'dead') log.error(line, 'event.forward_dead')
  else log.info(line, 'event.forwarded')
  return true
}

function afterAttempt(forward: ClaimedForward, error: string | null): AfterForward {
  if (error === null) return { status: 'forwarded' }
  if (forward.ageMs > DELIVERY_AGE_MAX_MS) return { status: 'dead', error }
  return { status: 'pending', error, waitMs: retryWaitMs(forward.attempts, null, Math.random()) }
}
