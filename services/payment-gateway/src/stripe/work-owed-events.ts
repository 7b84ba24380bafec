import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import { raiseIncidents } from '../payments/payment.repository.ts'
import type { AdoptPayment } from '../checkout/adopt-payment.ts'
import { applyEvents, readStored } from './apply-events.ts'
import type { AppliedEvents } from './apply-events.ts'
import { parseEvent } from './event.ts'
import type { StripeEvent } from './event.ts'
import { readEvent, readObject } from './facts.ts'
import type { Reading, Refs } from './facts.ts'
import { claimOwedEvent, lockOwedEvent, markEvents, nextOwedInMs, recordFailure } from './inbox.repository.ts'
import type { Outcome, OwedEvent } from './inbox.repository.ts'
import type { StripeAnswer, StripeClient } from './stripe.client.ts'

export type OwedEventsDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly stripe: StripeClient
  readonly adopt: AdoptPayment
  readonly extended: boolean
  readonly onApplied: (applied: AppliedEvents) => void
}

// Longer than every call of one try together; a process that dies mid-try delays the event by this and no more.
const LEASE_MS = 30_000
//   failure   1    2    3    4    5     6     7     8 …
//   wait      1s   2s   4s   8s   16s   32s   64s   2 min (cap)      → about an hour, then a dead letter
const RETRY_FIRST_MS = 1000
const RETRY_MAX_MS = 120_000
const ATTEMPTS_MAX = 36

/** Works on one owed event; false when none is due. Never throws for the event's own trouble. */
export async function workOneOwedEvent(deps: OwedEventsDeps): Promise<boolean> {
  const owed = await claimOwedEvent(deps.pool, LEASE_MS)
  if (owed === null) return false
  try {
    deps.onApplied(await settleOwed(owed, deps))
  } catch (error) {
    const waitMs = owed.attempts >= ATTEMPTS_MAX ? null : Math.min(RETRY_FIRST_MS * 2 ** (owed.attempts - 1), RETRY_MAX_MS)
    const message = error instanceof Error ? error.message : String(error)
    deps.log[waitMs === null ? 'error' : 'info'](
      { err: error, eventId: owed.id, attempts: owed.attempts, waitMs },
      waitMs === null ? 'stripe_event.dead' : 'stripe_event.retry_later',
    )
    await inTransaction(deps.pool, (tx) => recordFailure(tx, owed.id, message, waitMs))
  }
  return true
}

export const nextOwedEventInMs = nextOwedInMs

async function settleOwed(owed: OwedEvent, deps: OwedEventsDeps): Promise<AppliedEvents> {
  const event = parseEvent(owed.payload)
  if (event === null) throw new Error('the stored payload is no event')
  const direct = await applyOwed(owed.id, readEvent(event), deps)
  if (direct.owed === 0) return direct
  const { reading, outcome } = await askStripe(event, deps)
  if (outcome !== null) return markOwed(owed.id, outcome, deps)
  const asked = await applyOwed(owed.id, reading, deps)
  if (asked.owed > 0) throw new Error('the payment it belongs to is not known yet')
  return asked
}

async function applyOwed(id: string, reading: Reading, deps: OwedEventsDeps): Promise<AppliedEvents> {
  return inTransaction(deps.pool, async (tx) => {
    if (!(await lockOwedEvent(tx, id))) return { changed: [], owed: 0, deliveries: 0 }
    return applyEvents(tx, [{ id, reading }], deps)
  })
}

async function markOwed(id: string, outcome: Outcome & { readonly incident?: Refs }, deps: OwedEventsDeps): Promise<AppliedEvents> {
  await inTransaction(deps.pool, async (tx) => {
    if (!(await lockOwedEvent(tx, id))) return
    await markEvents(tx, new Map([[id, outcome]]), 0)
    if (outcome.incident !== undefined && outcome.status === 'skipped')
      await raiseIncidents(tx, [{ kind: outcome.reason, subject: id, paymentId: null, detail: { ...outcome.incident } }])
  })
  return { changed: [], owed: 0, deliveries: 0 }
}

type Asked = { readonly reading: Reading; readonly outcome: (Outcome & { readonly incident?: Refs }) | null }

/** Fetches what the event is about with our own API version, and with it the payment it belongs to. */
async function askStripe(event: StripeEvent, deps: OwedEventsDeps): Promise<Asked> {
  const reading = readEvent(event)
  if (reading.kind === 'nothing') return { reading, outcome: { status: 'skipped', reason: reading.because } }
  const fetched = await fetchObject(event, reading.refs, deps.stripe)
  if (fetched === null) {
    const incident = { kind: 'held', refs: reading.refs }
    return { reading, outcome: { status: 'skipped', reason: 'unknown_to_stripe', incident: incident.refs } }
  }
  const own = readObject(fetched.object, { second: event.created, id: event.id })
  if (own.kind === 'doubt') throw new Error(`Stripe's own answer cannot be read: ${own.because}`)
  if (own.kind === 'nothing') return { reading: own, outcome: { status: 'skipped', reason: own.because } }
  const holder = await holderOf(own, deps.stripe)
  if (holder === null) return { reading: own, outcome: { status: 'skipped', reason: 'not_ours' } }
  const adopted = await deps.adopt(holder)
  if (adopted === 'not_ours') return { reading: own, outcome: { status: 'skipped', reason: 'not_ours' } }
  if (adopted === 'unknown') {
    return { reading: own, outcome: { status: 'skipped', reason: 'unknown_payment', incident: own.refs } }
  }
  return { reading: { ...own, refs: { ...own.refs, paymentId: adopted } }, outcome: null }
}

/** The session or intent that carries the metadata: the object itself, or the intent a refund or dispute names. */
async function holderOf(
  reading: Extract<Reading, { kind: 'facts' }>,
  stripe: StripeClient,
): Promise<Extract<Reading, { kind: 'facts' }> | null> {
  if (reading.refs.paymentId !== null || reading.refs.bookingId !== null) return reading
  if (reading.refs.intentId === null) return null
  const intent = found(await stripe.retrieveIntent(reading.refs.intentId))
  if (intent === null) return null
  const read = readObject(intent.object, { second: intent.second, id: `read:${intent.object.id}` })
  return read.kind === 'facts' ? read : null
}

type Found = { readonly object: unknown; readonly second: number }

async function fetchObject(event: StripeEvent, refs: Refs, stripe: StripeClient): Promise<Found | null> {
  const id = refs.objectId
  if (id === null) return null
  switch (event.object['object']) {
    case 'checkout.session':
      return found(await stripe.retrieveSession(id))
    case 'payment_intent':
      return found(await stripe.retrieveIntent(id))
    case 'refund':
      return found(await stripe.retrieveRefund(id))
    case 'dispute':
      return found(await stripe.retrieveDispute(id))
    default:
      return null
  }
}

function found(answer: StripeAnswer): (Found & { readonly object: { readonly id: string } }) | null {
  switch (answer.kind) {
    case 'answered':
      return answer
    case 'not_found':
      return null
    default:
      throw new Error(`Stripe could not be asked: ${answer.kind}`)
  }
}

export { readStored }
