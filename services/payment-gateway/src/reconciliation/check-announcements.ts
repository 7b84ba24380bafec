import { inTransaction, roundTrip } from '@passerelle/kit/database'
import type { Pool, Tx } from '@passerelle/kit/database'
import { newId } from '@passerelle/kit/id'
import type { Log } from '@passerelle/kit/log'
import { announcementBody, dueAnnouncements } from '../outbox/announcement.ts'
import { insertDeliveries } from '../outbox/delivery.repository.ts'
import { PAYMENTS_CHANNEL } from '../payments/payment-stream.ts'
import { findPayments, lockPayments, notifyChanged, savePayments } from '../payments/payment.repository.ts'
import type { Payment } from '../payments/payment.repository.ts'
import { standingOf } from '../payments/payment.ts'
import { insertDrift } from './drift.repository.ts'
import { findToldPayments, newestDelivery } from './reconcile.repository.ts'
import { findCursor, saveCursor } from './schedule.repository.ts'

export type CheckAnnouncementsDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly extended: boolean
  readonly onChanged: (paymentIds: readonly string[]) => void
}

type Cursor = { readonly announcedUpTo?: string }

// Twenty milliseconds of work; a million payments are gone through in half a day.
const PAYMENTS_PER_RUN = 500

/**
 * Whether what the booking service should have been told was written for it: the next few hundred payments, run after
 * run, from the first to the last and again. What is missing is written, and is drift: it means a fault of ours.
 */
export async function checkAnnouncements(deps: CheckAnnouncementsDeps): Promise<{ found: number }> {
  const { announcedUpTo = '' } = (await findCursor(deps.pool, 'reconcile')) as Cursor
  const told = await findToldPayments(deps.pool, announcedUpTo, PAYMENTS_PER_RUN)
  const newest = new Map(told.filter(({ recent }) => recent).map(({ id, told: version }) => [id, version]))
  const payments = await findPayments(deps.pool, [...newest.keys()])
  const suspects = payments.filter(
    (payment) => missing(payment, newest.get(payment.id) ?? 0, deps.extended) !== null,
  )
  let found = 0
  for (const { id } of suspects) {
    // Looked at again under the lock: between the two reads above a webhook may have come.
    const mended = await inTransaction(deps.pool, (tx) => mend(tx, id, deps.extended))
    if (!mended) continue
    found += 1
    deps.log.error({ paymentId: id }, 'announcement.was_missing')
    deps.onChanged([id])
  }
  const last = told.length < PAYMENTS_PER_RUN ? '' : (told.at(-1)?.id ?? '')
  await saveCursor(deps.pool, 'reconcile', { announcedUpTo: last })
  return { found }
}

type Missing = { readonly kind: 'never_announced' } | { readonly kind: 'delivery_gone' }

function missing(payment: Payment, told: number, extended: boolean): Missing | null {
  const { known, announced, announcedVersion } = payment
  if (dueAnnouncements(known, standingOf(known), announced, extended).length > 0)
    return { kind: 'never_announced' }
  return announced !== null && told < announcedVersion ? { kind: 'delivery_gone' } : null
}

async function mend(tx: Tx, paymentId: string, extended: boolean): Promise<boolean> {
  const [payment] = await lockPayments(tx, [paymentId])
  if (!payment) return false
  const told = await newestDelivery(tx, payment.bookingId)
  const gap = missing(payment, told, extended)
  if (gap === null) return false
  const { known, announced, announcedVersion, bookingId } = payment
  const due =
    gap.kind === 'never_announced'
      ? dueAnnouncements(known, standingOf(known), announced, extended)
      : [announced].filter((announcement) => announcement !== null)
  const first = gap.kind === 'never_announced' ? announcedVersion + 1 : announcedVersion
  const deliveries = due.map((announcement, index) => {
    const version = first + index
    const body = announcementBody(announcement, payment, version)
    return { id: newId('dlv'), paymentId, bookingId, version, body }
  })
  const saved: Payment = {
    ...payment,
    announced: due.at(-1) ?? announced,
    announcedVersion: announcedVersion + due.length,
    version: payment.version + 1,
  }
  await roundTrip(tx, [
    ...insertDeliveries(deliveries),
    ...(gap.kind === 'never_announced'
      ? [...savePayments([saved]), ...notifyChanged(PAYMENTS_CHANNEL, [paymentId])]
      : []),
  ])
  await insertDrift(tx, [
    {
      foundBy: 'reconcile',
      kind: 'announcement_missing',
      subject: bookingId,
      paymentId,
      thought: `announced up to version ${announcedVersion}`,
      stripeSaid: `${payment.status}; written up to version ${told}`,
      done: `written: ${due.map(({ status }) => status).join(', ')}`,
      ageSeconds: (Date.now() - payment.updatedAt.getTime()) / 1000,
    },
  ])
  return true
}
