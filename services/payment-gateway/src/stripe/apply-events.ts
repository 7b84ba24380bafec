import type { Tx } from '@passerelle/kit/database'
import { invariant } from '@passerelle/kit/errors'
import { applyFacts } from '../payments/apply-facts.ts'
import type { Change } from '../payments/apply-facts.ts'
import { insertForwards } from '../forwards/forward.repository.ts'
import { findLinks, linkObjects, raiseIncidents } from '../payments/payment.repository.ts'
import type { Payment, Transition } from '../payments/payment.repository.ts'
import { refundsSeenMinor } from '../refunds/refund.ts'
import { parseEvent } from './event.ts'
import type { StripeEvent } from './event.ts'
import { namesItsPayment, readEvent } from './facts.ts'
import type { Reading, Refs } from './facts.ts'
import { lockWaitingEvents, markEvents } from './inbox.repository.ts'
import type { Outcome } from './inbox.repository.ts'

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
}

export const NOTHING_APPLIED: AppliedEvents = {
  changed: [],
  transitions: [],
  owed: 0,
  skipped: 0,
  deliveries: 0,
}

// An event that waits for its payment to be known is looked at again after this long, should no other event bring it.
const OWED_IN_MS = 1000
// A linked object can free waiting events, which link nothing further: refunds and disputes name their intent only.
const ROUNDS_MAX = 3

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
 * The one function that turns stored events into effects; the inbox, the worker, the sweep and replay all call it.
 * Everything is written in the caller's transaction: the payments, what the booking service is owed, and what became of
 * each event. Applying an event again changes nothing.
 */
export async function applyEvents(
  tx: Tx,
  events: readonly ReadEvent[],
  options: ApplyOptions,
): Promise<AppliedEvents> {
  let batch = events
  const changed = new Set<string>()
  const transitions: Transition[] = []
  let owed = 0
  let skipped = 0
  let deliveries = 0
  for (let round = 0; batch.length > 0 && round < ROUNDS_MAX; round += 1) {
    const { outcomes, changes, links } = await resolve(tx, batch)
    const applied = await applyFacts(tx, changes, options)
    for (const { id, reading } of batch)
      outcomes.set(id, afterApplying(outcomes.get(id), reading, applied.payments))
    await raiseIncidents(tx, incidentsOf(batch, outcomes))
    const fresh = await linkObjects(
      tx,
      links.filter((link) => applied.payments.has(link.paymentId)),
    )
    await markEvents(tx, outcomes, OWED_IN_MS)
    if (options.forwarding) await insertForwards(tx, keptOnly(outcomes))
    for (const id of applied.changed) changed.add(id)
    transitions.push(...applied.transitions)
    owed += [...outcomes.values()].filter((outcome) => outcome.status === 'received').length
    skipped += [...outcomes.values()].filter((outcome) => outcome.status === 'skipped').length
    deliveries += applied.deliveries
    batch = await waitingEvents(tx, fresh)
    owed -= batch.length
  }
  return { changed: [...changed], transitions, owed: Math.max(owed, 0), skipped, deliveries }
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
  readonly links: readonly { id: string; paymentId: string }[]
}

async function resolve(tx: Tx, events: readonly ReadEvent[]): Promise<Resolved> {
  const known = await findLinks(tx, [...new Set(events.flatMap(({ reading }) => objectIds(reading)))])
  const outcomes = new Map<string, Outcome>()
  const changes: Change[] = []
  const links: { id: string; paymentId: string }[] = []
  for (const { id, reading } of events) {
    const outcome = outcomeOf(reading, known)
    outcomes.set(id, outcome)
    if (outcome.status !== 'processed' || reading.kind !== 'facts') continue
    changes.push({ paymentId: outcome.paymentId, facts: reading.facts, because: id })
    for (const objectId of objectIds(reading)) links.push({ id: objectId, paymentId: outcome.paymentId })
  }
  return { outcomes, changes, links: links.filter((link) => !known.has(link.id)) }
}

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

async function waitingEvents(tx: Tx, freshLinks: readonly string[]): Promise<ReadEvent[]> {
  const rows = await lockWaitingEvents(tx, freshLinks)
  return rows.flatMap((row) => {
    const event = parseEvent(row.payload)
    return event === null ? [] : [readStored(event)]
  })
}
