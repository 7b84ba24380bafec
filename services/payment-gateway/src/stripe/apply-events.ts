import { inTwoRoundTrips, outageOf, roundTrip, sqlState } from '@passerelle/kit/database'
import type { Answer, Pool, Statement, Tx } from '@passerelle/kit/database'
import { invariant } from '@passerelle/kit/errors'
import type { ClaimNew, NewClaim } from '../outbox/sends.ts'
import { insertDeliveries } from '../outbox/delivery.repository.ts'
import type { NewDelivery } from '../outbox/delivery.repository.ts'
import { effectsOf } from '../payments/apply-facts.ts'
import type { Change } from '../payments/apply-facts.ts'
import { insertForwards } from '../forwards/forward.repository.ts'
import {
  findLinks,
  linkObjects,
  lockedPayments,
  lockPaymentsOf,
  raiseIncidents,
} from '../payments/payment.repository.ts'
import type { Payment, Transition } from '../payments/payment.repository.ts'
import { refundsSeenMinor } from '../refunds/refund.ts'
import { parseEvent } from './event.ts'
import type { StripeEvent } from './event.ts'
import { namesItsPayment, readEvent } from './facts.ts'
import type { Reading, Refs } from './facts.ts'
import { findStoredEvents, insertEvents, lockWaitingEvents, markEvents } from './inbox.repository.ts'
import type { Outcome, OwedEvent, Received } from './inbox.repository.ts'

/** An event that was just received, and what it says. */
export type ReadReceived = Received & { readonly reading: Reading }

/** An event and what it says; the reading may come from the event itself or from the object fetched since. */
export type ReadEvent = { readonly id: string; readonly reading: Reading }

export type AppliedEvents = {
  readonly changed: readonly string[]
  readonly transitions: readonly Transition[]
  /** How many of the events are left to the worker. */
  readonly owed: number
  /** How many of them say nothing for us. */
  readonly skipped: number
  readonly deliveries: number
  /** How many of the deliveries somebody has yet to claim. */
  readonly unclaimed: number
}

export const NOTHING_APPLIED: AppliedEvents = {
  changed: [],
  transitions: [],
  owed: 0,
  skipped: 0,
  deliveries: 0,
  unclaimed: 0,
}

// An event that waits for its payment to be known is looked at again after this long, should no other event bring it.
const OWED_IN_MS = 1000

export type ApplyOptions = {
  /** Whether the booking service hears of failures and disputes too. */
  readonly extended: boolean
  /** Whether another service wants the events that are no payment's. */
  readonly forwarding?: boolean
}

export function readStored(event: StripeEvent): ReadEvent {
  return { id: event.id, reading: readEvent(event) }
}

/**
 * The one function that turns events into effects; the inbox, the worker, the sweep and replay all end here. Everything
 * is written in the caller's transaction: the payments, what the booking service is owed, and what became of each event,
 * which is stored already. Applying an event again changes nothing.
 */
export async function applyEvents(
  tx: Tx,
  events: readonly ReadEvent[],
  options: ApplyOptions,
): Promise<AppliedEvents> {
  const state = stateOf(await roundTrip(tx, readsOf({ events, candidates: [] })))
  const { applied, deliveries, outcomes, writes } = planEvents(events, state, options)
  await roundTrip(tx, [...writes, ...insertDeliveries(deliveries), ...markEvents(outcomes, OWED_IN_MS)])
  return applied
}

/** What was new of the events that were stored, and what they did. */
export type StoredEvents = { readonly fresh: readonly StripeEvent[]; readonly applied: AppliedEvents }

/**
 * Stores events that were just received and applies them, in one transaction of two round trips. What this resolves with
 * is committed; otherwise nothing is. What `claimNew` claims of the deliveries is sent as soon as it is committed.
 */
export async function storeAndApplyEvents(
  pool: Pool,
  received: readonly ReadReceived[],
  options: ApplyOptions & { readonly claimNew?: ClaimNew },
): Promise<StoredEvents> {
  // Each once: Stripe may send one twice within a batch.
  const once = new Map(received.map((one) => [one.event.id, one]))
  const events = [...once.values()].map(({ event, reading }) => ({ id: event.id, reading }))
  const reads = readsOf({ events, candidates: [...once.keys()] })
  const claims: NewClaim[] = []
  try {
    const stored = await inTwoRoundTrips(pool, reads, (answers) => {
      const plan = planEvents(events, stateOf(answers), options)
      const fresh = [...once.values()].filter(
        ({ event }) => plan.outcomes.has(event.id) && !plan.waiting.has(event.id),
      )
      if (fresh.length === 0) return { result: { fresh: [], applied: NOTHING_APPLIED }, writes: [] }
      const own = options.claimNew?.(plan.deliveries) ?? null
      if (own !== null) claims.push(own)
      const unclaimed = plan.deliveries.length - (own?.ids.size ?? 0)
      const marks = new Map([...plan.outcomes].filter(([id]) => plan.waiting.has(id)))
      return {
        result: { fresh: fresh.map(({ event }) => event), applied: { ...plan.applied, unclaimed } },
        writes: [
          ...plan.writes,
          ...insertDeliveries(plan.deliveries, own),
          insertEvents(fresh, (id) => plan.outcomes.get(id), OWED_IN_MS),
          ...markEvents(marks, OWED_IN_MS),
        ],
      }
    })
    for (const own of claims) own.send()
    return stored
  } catch (error) {
    // A commit that was never answered may have happened.
    const inDoubt = sqlState(error) === undefined || outageOf(error) !== null
    for (const own of claims) own.giveUp({ inDoubt })
    throw error
  }
}

type Batch = {
  readonly events: readonly ReadEvent[]
  /** Ids of events that may be stored already: those that are, are left out. */
  readonly candidates: readonly string[]
}

type Plan = {
  readonly applied: AppliedEvents
  readonly deliveries: readonly NewDelivery[]
  /** What becomes of every event that was not left out, and of the waiting ones. */
  readonly outcomes: ReadonlyMap<string, Outcome>
  /** Stored events that waited for what this batch tells, and are applied with it. */
  readonly waiting: ReadonlySet<string>
  readonly writes: readonly Statement[]
}

function planEvents(events: readonly ReadEvent[], state: State, options: ApplyOptions): Plan {
  const fresh = events.filter(({ id }) => !state.stored.has(id))
  const ids = new Set(fresh.map(({ id }) => id))
  const waiting = state.waiting.filter(({ id }) => !ids.has(id))
  const { outcomes, changes, links } = resolve([...fresh, ...waiting], state.links)
  const { applied, writes } = effectsOf(state.payments, changes, options)
  for (const { id, reading } of [...fresh, ...waiting])
    outcomes.set(id, afterApplying(outcomes.get(id), reading, applied.payments))
  // A waiting event that still waits is left as it is.
  for (const { id } of waiting) if (outcomes.get(id)?.status === 'received') outcomes.delete(id)
  const counts = fresh.map(({ id }) => outcomes.get(id)?.status)
  return {
    applied: {
      changed: applied.changed,
      transitions: applied.transitions,
      deliveries: applied.deliveries.length,
      unclaimed: applied.deliveries.length,
      owed: counts.filter((status) => status === 'received').length,
      skipped: counts.filter((status) => status === 'skipped').length,
    },
    deliveries: applied.deliveries,
    outcomes,
    waiting: new Set(waiting.map(({ id }) => id)),
    writes: [
      ...writes,
      ...raiseIncidents(incidentsOf([...fresh, ...waiting], outcomes)),
      ...linkObjects(links.filter((link) => applied.payments.has(link.paymentId))),
      ...(options.forwarding === true ? insertForwards(keptOnly(outcomes)) : []),
    ],
  }
}

type State = {
  readonly stored: ReadonlySet<string>
  readonly links: ReadonlyMap<string, string>
  readonly payments: readonly Payment[]
  readonly waiting: readonly ReadEvent[]
}

/** Everything a batch needs to know; the payments are locked, in one order. */
function readsOf({ events, candidates }: Batch): Statement[] {
  const objects = [...new Set(events.flatMap(({ reading }) => objectIds(reading)))]
  const named = new Set(
    events.flatMap(({ reading }) => ('refs' in reading ? (reading.refs.paymentId ?? []) : [])),
  )
  return [
    findLinks(objects),
    lockPaymentsOf([...named], objects),
    lockWaitingEvents(objects),
    ...(candidates.length === 0 ? [] : [findStoredEvents(candidates)]),
  ]
}

/** The answers to `readsOf`, in its order. */
function stateOf([links, payments, waiting, stored]: readonly Answer[]): State {
  const linkRows = (links?.rows ?? []) as readonly { id: string; payment_id: string }[]
  const storedRows = (stored?.rows ?? []) as readonly { id: string }[]
  return {
    stored: new Set(storedRows.map(({ id }) => id)),
    links: new Map(linkRows.map((row) => [row.id, row.payment_id])),
    payments: lockedPayments(payments?.rows ?? []),
    waiting: waitingEvents((waiting?.rows ?? []) as readonly OwedEvent[]),
  }
}

function keptOnly(outcomes: ReadonlyMap<string, Outcome>): string[] {
  return [...outcomes].flatMap(([id, outcome]) =>
    outcome.status === 'skipped' && outcome.reason === 'kept_only' ? [id] : [],
  )
}

function incidentsOf(batch: readonly ReadEvent[], outcomes: ReadonlyMap<string, Outcome>) {
  return batch.flatMap(({ id, reading }) => {
    const outcome = outcomes.get(id)
    if (outcome?.status !== 'processed' || reading.kind !== 'facts' || reading.incident === undefined)
      return []
    return [{ ...reading.incident, paymentId: outcome.paymentId }]
  })
}

/** An event is done once its payment exists and everything it speaks of is known. */
function afterApplying(
  outcome: Outcome | undefined,
  reading: Reading,
  payments: ReadonlyMap<string, Payment>,
): Outcome {
  invariant(outcome !== undefined, 'every event of the batch has an outcome')
  if (outcome.status !== 'processed' || reading.kind !== 'facts') return outcome
  const payment = payments.get(outcome.paymentId)
  if (payment === undefined) return { status: 'received', reason: 'unknown_payment', waitsFor: null }
  const { refundedMinor, refs } = reading
  if (refundedMinor === undefined || refs.intentId === null) return outcome
  const known = refundsSeenMinor(payment.known, refs.intentId)
  return known >= refundedMinor ? outcome : { status: 'received', reason: 'refund_missing', waitsFor: null }
}

type Resolved = {
  readonly outcomes: Map<string, Outcome>
  readonly changes: readonly Change[]
  /** What is linked by this batch. */
  readonly links: readonly { id: string; paymentId: string }[]
}

/** Which payment each event belongs to: by what was linked before, by its own word, or by another event of the batch. */
function resolve(events: readonly ReadEvent[], known: ReadonlyMap<string, string>): Resolved {
  const links = new Map(known)
  const outcomes = new Map<string, Outcome>()
  const changes: Change[] = []
  const settle = ({ id, reading }: ReadEvent): void => {
    const outcome = outcomeOf(reading, links)
    outcomes.set(id, outcome)
    if (outcome.status !== 'processed' || reading.kind !== 'facts') return
    changes.push({ paymentId: outcome.paymentId, facts: reading.facts, because: id })
    for (const objectId of objectIds(reading))
      if (!links.has(objectId)) links.set(objectId, outcome.paymentId)
  }
  for (const event of events) settle(event)
  // Refunds, disputes and charges may stand before the event that tells whose they are.
  for (const event of events) if (isWaiting(outcomes.get(event.id))) settle(event)
  const fresh = [...links].filter(([id]) => !known.has(id))
  return { outcomes, changes, links: fresh.map(([id, paymentId]) => ({ id, paymentId })) }
}

const isWaiting = (outcome: Outcome | undefined): boolean =>
  outcome?.status === 'received' && outcome.waitsFor !== null

function outcomeOf(reading: Reading, links: ReadonlyMap<string, string>): Outcome {
  if (reading.kind === 'nothing') return { status: 'skipped', reason: reading.because }
  if (reading.kind === 'doubt') return { status: 'received', reason: reading.because, waitsFor: null }
  const linked = objectIds(reading)
    .map((id) => links.get(id))
    .find((paymentId) => paymentId !== undefined)
  const paymentId = linked ?? reading.refs.paymentId
  if (paymentId !== null) return { status: 'processed', paymentId }
  if (namesItsPayment(reading))
    return { status: 'received', reason: 'payment_made_elsewhere', waitsFor: reading.refs.intentId }
  if (reading.facts.some((fact) => fact.type === 'session' || fact.type === 'intent'))
    return { status: 'skipped', reason: 'not_ours' }
  return { status: 'received', reason: 'waits_for_payment', waitsFor: reading.refs.intentId }
}

function objectIds(reading: Reading): string[] {
  if (reading.kind === 'nothing') return []
  const { sessionId, intentId, chargeId }: Refs = reading.refs
  return [sessionId, intentId, chargeId].filter((id) => id !== null)
}

function waitingEvents(rows: readonly OwedEvent[]): ReadEvent[] {
  return rows.flatMap((row) => {
    const event = parseEvent(row.payload)
    return event === null ? [] : [readStored(event)]
  })
}
