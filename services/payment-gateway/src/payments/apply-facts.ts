import { isDeepStrictEqual } from 'node:util'
import type { Money } from '@passerelle/contracts/money'
import { roundTrip } from '@passerelle/kit/database'
import type { Statement, Tx } from '@passerelle/kit/database'
import { announcementBody, dueAnnouncements } from '../outbox/announcement.ts'
import { insertDeliveries } from '../outbox/delivery.repository.ts'
import type { NewDelivery } from '../outbox/delivery.repository.ts'
import { newId } from '@passerelle/kit/id'
import { closeEndedAttempts } from '../checkout/attempt.repository.ts'
import { postingsOf } from '../ledger/ledger.ts'
import type { Posting } from '../ledger/ledger.ts'
import { insertFeesDue, insertPostings } from '../ledger/ledger.repository.ts'
import type { FeeDue } from '../ledger/ledger.repository.ts'
import { storeRefundRequest, saveDisputes, saveRefunds } from '../refunds/refund.repository.ts'
import type { NewRefundRequest } from '../refunds/refund.repository.ts'
import { givenBackMinor } from '../refunds/refund.ts'
import { merge } from './known.ts'
import type { Fact, Known } from './known.ts'
import { standingOf } from './payment.ts'
import type { Standing, Trouble } from './payment.ts'
import {
  insertTransitions,
  lockPayments,
  notifyChanged,
  raiseIncidents,
  savePayments,
} from './payment.repository.ts'
import { PAYMENTS_CHANNEL } from './payment-stream.ts'
import type { Payment, Transition } from './payment.repository.ts'

/** Facts of one payment and where they came from: an event's id, `verify`, `checkout`, … */
export type Change = { readonly paymentId: string; readonly facts: readonly Fact[]; readonly because: string }

export type Applied = {
  /** The payments as they stand now, whether they changed or not, by id. */
  readonly payments: ReadonlyMap<string, Payment>
  readonly changed: readonly string[]
  /** Where payments moved from and to, for the log. */
  readonly transitions: readonly Transition[]
  readonly deliveries: readonly NewDelivery[]
}

/**
 * Merges facts into their payments and writes, in the caller's transaction, everything that follows: the payments,
 * their transitions, what the booking service is owed, and the incidents. Applying the same facts again changes nothing.
 * Changes of payments that do not exist are left out of the result.
 */
export async function applyFacts(
  tx: Tx,
  changes: readonly Change[],
  options: { extended: boolean },
): Promise<Applied> {
  const ids = [...new Set(changes.map((change) => change.paymentId))]
  const { applied, writes } = effectsOf(await lockPayments(tx, ids), changes, options)
  await roundTrip(tx, [...writes, ...insertDeliveries(applied.deliveries)])
  return applied
}

/**
 * What changes make of the payments as they are now, locked by the caller, and what has to be written for it, beside the
 * deliveries.
 */
export function effectsOf(
  before: readonly Payment[],
  changes: readonly Change[],
  options: { extended: boolean },
): { readonly applied: Applied; readonly writes: readonly Statement[] } {
  const changesOf = Map.groupBy(changes, (change) => change.paymentId)
  const steps = before.map((payment) => step(payment, changesOf.get(payment.id) ?? [], options))
  const changed = steps.filter((next) => next.changed)
  const ids = changed.map((next) => next.payment.id)
  const transitions = changed.flatMap((next) => next.transitions)
  const deliveries = changed.flatMap((next) => next.deliveries)
  const troubles = changed.flatMap((next) =>
    next.troubles.map((trouble) => ({ ...trouble, paymentId: next.payment.id })),
  )
  return {
    applied: {
      payments: new Map(steps.map((next) => [next.payment.id, next.payment])),
      changed: ids,
      transitions,
      deliveries,
    },
    writes: [
      ...savePayments(changed.map((next) => next.payment)),
      ...insertTransitions(transitions),
      ...raiseIncidents(troubles),
      ...saveMoney(changed),
      ...notifyChanged(PAYMENTS_CHANNEL, ids),
      ...closeEndedAttempts(changed.flatMap(newlyEnded)),
    ],
  }
}

/** The records that mirror what changed, the ledger, and the money that has to go back. */
function saveMoney(changed: readonly Step[]): Statement[] {
  const withPayment = <T>(step: Step, records: readonly T[]): (T & { paymentId: string })[] =>
    records.map((record) => ({ ...record, paymentId: step.payment.id }))
  return [
    ...saveRefunds(changed.flatMap((step) => withPayment(step, changedRecords(step, 'refunds')))),
    ...saveDisputes(changed.flatMap((step) => withPayment(step, changedRecords(step, 'disputes')))),
    ...insertPostings(changed.flatMap((step) => withPayment(step, newPostings(step)))),
    ...insertFeesDue(changed.flatMap(feesDue)),
    ...changed.flatMap(duplicateRefunds).map((request) => storeRefundRequest(request, 0)),
  ]
}

function changedRecords<K extends 'refunds' | 'disputes'>(
  { before, payment }: Step,
  kind: K,
): (Known[K][string] & { readonly id: string })[] {
  const known: Known = payment.known
  return Object.entries(known[kind])
    .filter(([id, record]) => !isDeepStrictEqual(record, before.known[kind][id]))
    .map(([id, record]) => ({ ...(record as Known[K][string]), id }))
}

/** Charges whose balance transaction became known without its fee: somebody has to read it. */
function feesDue({ before, payment }: Step): FeeDue[] {
  return Object.entries(payment.known.charges).flatMap(([chargeId, { balanceTransactionId, fee }]) => {
    const isNew = before.known.charges[chargeId]?.balanceTransactionId !== balanceTransactionId
    if (!isNew || balanceTransactionId === null || fee !== null) return []
    return [{ chargeId, paymentId: payment.id, balanceTransactionId }]
  })
}

function newPostings({ before, payment }: Step): Posting[] {
  const posted = new Set(postingsOf(before.known).map(({ id }) => id))
  return postingsOf(payment.known).filter(({ id }) => !posted.has(id))
}

/**
 * A second payment of the same booking goes back whole, once: its intent is the key. A part may have gone back before,
 * when the first was not heard of yet.
 */
function duplicateRefunds({ payment, troubles }: Step): NewRefundRequest[] {
  return troubles
    .filter((trouble) => trouble.kind === 'duplicate_payment')
    .map(({ subject }) => ({
      id: newId('rfq'),
      paymentId: payment.id,
      intentId: subject,
      idempotencyKey: `duplicate ${subject}`,
      amountMinor:
        (payment.known.intents[subject]?.receivedMinor ?? 0) - givenBackMinor(payment.known, subject),
      reason: 'duplicate' as const,
      note: null,
      requestedBy: 'duplicate payment policy',
    }))
    .filter(({ amountMinor }) => amountMinor > 0)
}

type Step = {
  readonly before: Payment
  readonly payment: Payment
  readonly changed: boolean
  readonly transitions: readonly Transition[]
  readonly deliveries: readonly NewDelivery[]
  readonly troubles: readonly Trouble[]
}

/** What one payment becomes. */
function step(before: Payment, changes: readonly Change[], options: { extended: boolean }): Step {
  const known = changes.flatMap((change) => change.facts).reduce(merge, before.known)
  if (known === before.known)
    return { before, payment: before, changed: false, transitions: [], deliveries: [], troubles: [] }
  const standing = standingOf(known)
  const version = before.version + 1
  const due = dueAnnouncements(known, standing, before.announced, options.extended)
  const payment: Payment = {
    ...before,
    known,
    status: standing.status,
    capturedMinor: standing.capturedMinor,
    refundedMinor: standing.refundedMinor,
    ...(priceOf(known, standing) ?? { amountMinor: before.amountMinor, currency: before.currency }),
    paymentIntentId: standing.paymentIntentId,
    paidAt: standing.paidAt === null ? null : new Date(standing.paidAt * 1000),
    errorCode: standing.decline?.code ?? null,
    errorMessage: standing.decline?.message ?? null,
    announced: due.at(-1) ?? before.announced,
    announcedVersion: before.announcedVersion + due.length,
    version,
  }
  const because = changes
    .map((change) => change.because)
    .join(' ')
    .slice(0, 1000)
  return {
    before,
    payment,
    changed: true,
    transitions:
      before.status === payment.status
        ? []
        : [{ paymentId: payment.id, version, from: before.status, to: payment.status, because }],
    deliveries: due.map((announcement, index) => {
      const deliveryVersion = before.announcedVersion + index + 1
      return {
        id: newId('dlv'),
        paymentId: payment.id,
        bookingId: payment.bookingId,
        version: deliveryVersion,
        body: announcementBody(announcement, payment, deliveryVersion),
      }
    }),
    troubles: standing.troubles,
  }
}

/** What was paid; before that, what the newest attempt asks for. */
function priceOf(known: Known, standing: Standing): Money | null {
  const paid = standing.paymentIntentId === null ? undefined : known.intents[standing.paymentIntentId]
  if (standing.paidAt !== null && paid)
    return { amountMinor: standing.capturedMinor, currency: paid.currency }
  const newest = Object.values(known.attempts).sort((a, b) => b.number - a.number)[0]
  return newest ? { amountMinor: newest.amountMinor, currency: newest.currency } : null
}

/** The sessions and intents that can bring no other result, since just now: most events come after that. */
function newlyEnded({ before, payment }: Step): { paymentId: string; objectId: string }[] {
  const ended = new Set(endedObjects(before.known))
  return endedObjects(payment.known)
    .filter((objectId) => !ended.has(objectId))
    .map((objectId) => ({ paymentId: payment.id, objectId }))
}

/** The sessions and intents that can bring no other result. */
export function endedObjects(known: Known): string[] {
  const sessions = Object.entries(known.sessions).filter(([, session]) => session.state !== 'open')
  const intents = Object.entries(known.intents).filter(
    ([, { state }]) => state === 'succeeded' || state === 'canceled',
  )
  return [...sessions, ...intents].map(([objectId]) => objectId)
}
