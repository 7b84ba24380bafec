import { inTransaction, roundTrip } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import { raiseIncidents } from '../payments/payment.repository.ts'
import type { Moment } from '../payments/known.ts'
import type { AdoptPayment } from '../checkout/adopt-payment.ts'
import { applyEvents, NOTHING_APPLIED, readStored } from './apply-events.ts'
import type { AppliedEvents } from './apply-events.ts'
import { parseEvent } from './event.ts'
import type { StripeEvent } from './event.ts'
import { namesItsPayment, readEvent, readObject } from './facts.ts'
import type { Reading, Refs } from './facts.ts'
import {
  claimOwedEvent,
  claimUntriedEvents,
  lockOwedEvent,
  lockOwedEvents,
  recordFailure,
  releaseOwedEvents,
} from './inbox.repository.ts'
import type { OwedEvent } from './inbox.repository.ts'
import type { StripeAnswer, StripeClient } from './stripe.client.ts'

export type OwedEventsDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly stripe: StripeClient
  readonly adopt: AdoptPayment
  readonly extended: boolean
  readonly forwarding?: boolean
  readonly onApplied: (applied: AppliedEvents) => void
}

// Longer than every call of one try together; a process that dies mid-try delays the event by this and no more.
const LEASE_MS = 30_000
//   failure   1    2    3    4    5     6     7     8 …
//   wait      1s   2s   4s   8s   16s   32s   64s   2 min (cap)      → about an hour, then a dead letter
const RETRY_FIRST_MS = 1000
const RETRY_MAX_MS = 120_000
const ATTEMPTS_MAX = 36

// What an outage left behind is applied many at a time; more would hold their payments' locks for longer.
const UNTRIED_MAX = 256

/** Works on owed events that are due, many that were never tried or one that was; false when none is due. */
export async function workOwedEvents(deps: OwedEventsDeps): Promise<boolean> {
  const untried = await claimUntriedEvents(deps.pool, LEASE_MS, UNTRIED_MAX)
  if (untried.length > 1) await workTogether(untried, deps)
  else {
    const owed = untried[0] ?? (await claimOwedEvent(deps.pool, LEASE_MS))
    if (owed === null) return false
    await workOnOne(owed, deps)
  }
  return true
}

/** Applies what can be applied without asking Stripe. The others are due again soon, and then tried one by one. */
async function workTogether(owed: readonly OwedEvent[], deps: OwedEventsDeps): Promise<void> {
  const ids = owed.map(({ id }) => id)
  const events = owed.map(({ payload }) => parseEvent(payload)).filter((event) => event !== null)
  const read = new Set(events.map(({ id }) => id))
  const unread = ids.filter((id) => !read.has(id))
  try {
    const applied = await inTransaction(deps.pool, async (tx) => {
      const locked = await lockOwedEvents(tx, ids)
      return applyEvents(tx, events.filter(({ id }) => locked.has(id)).map(readStored), deps)
    })
    deps.onApplied(applied)
    if (unread.length > 0) await releaseOwedEvents(deps.pool, unread)
  } catch (error) {
    // One of them cannot be applied, or the database is away: each alone tells which.
    deps.log.warn({ err: error, events: owed.length }, 'stripe_events.tried_together')
    await releaseOwedEvents(deps.pool, ids)
  }
}

/** Never throws for the event's own trouble. */
async function workOnOne(owed: OwedEvent, deps: OwedEventsDeps): Promise<void> {
  try {
    deps.onApplied(await settleOwed(owed, deps))
  } catch (error) {
    const spent = error instanceof HeldEvent || owed.attempts >= ATTEMPTS_MAX
    const waitMs = spent ? null : Math.min(RETRY_FIRST_MS * 2 ** (owed.attempts - 1), RETRY_MAX_MS)
    const message = error instanceof Error ? error.message : String(error)
    const line = { eventId: owed.id, attempts: owed.attempts, waitMs, because: message }
    if (spent) deps.log.error(line, 'stripe_event.held')
    else deps.log.info(line, 'stripe_event.retry_later')
    await inTransaction(deps.pool, async (tx) => {
      await recordFailure(tx, owed.id, message, waitMs)
      if (spent)
        await roundTrip(
          tx,
          raiseIncidents([
            { kind: 'event_held', subject: owed.id, paymentId: null, detail: { because: message } },
          ]),
        )
    })
  }
}

/** An event that no further try can apply: a person reads it, mends the cause and replays it. */
class HeldEvent extends Error {
  override name = 'HeldEvent'
}

async function settleOwed(owed: OwedEvent, deps: OwedEventsDeps): Promise<AppliedEvents> {
  const event = parseEvent(owed.payload)
  if (event === null) throw new HeldEvent('the stored payload is no event')
  const direct = await applyOwed(owed.id, readEvent(event), deps)
  if (direct.owed === 0) return direct
  const applied = await applyOwed(owed.id, await readFromStripe(event, deps), deps)
  if (applied.owed > 0) throw new Error('the payment it belongs to is not known yet')
  return applied
}

async function applyOwed(id: string, reading: Reading, deps: OwedEventsDeps): Promise<AppliedEvents> {
  return inTransaction(deps.pool, async (tx) => {
    if (!(await lockOwedEvent(tx, id))) return NOTHING_APPLIED
    return applyEvents(tx, [{ id, reading }], deps)
  })
}

/** What the event is about, read from Stripe with our own API version, tied to the payment it belongs to. */
async function readFromStripe(event: StripeEvent, deps: OwedEventsDeps): Promise<Reading> {
  const claimed = readEvent(event)
  if (claimed.kind === 'nothing') return claimed
  const object = await fetchObject(event, claimed.refs, deps.stripe)
  if (object === null) throw new HeldEvent('Stripe does not know the object of this event')
  const at = { second: event.created, id: event.id }
  const reading = readObject(object, at)
  if (reading.kind === 'nothing') return reading
  if (reading.kind === 'doubt') throw new HeldEvent(`Stripe's own answer cannot be read: ${reading.because}`)
  const holder = await holderOf(reading, at, deps.stripe)
  if (holder === null) return { kind: 'nothing', because: 'not_ours' }
  const adopted = await deps.adopt(holder)
  if (adopted.kind === 'unknown') return { kind: 'nothing', because: adopted.because }
  return {
    ...reading,
    refs: { ...reading.refs, paymentId: adopted.paymentId },
    facts: [...reading.facts, ...adopted.facts],
  }
}

/** The facts of the object that carries the metadata: this one, or the intent that a refund or dispute names. */
async function holderOf(reading: Facts, at: Moment, stripe: StripeClient): Promise<Facts | null> {
  if (namesItsPayment(reading)) return reading
  if (reading.refs.intentId === null) return null
  const intent = objectOf(await stripe.retrieveIntent(reading.refs.intentId))
  const read = readObject(intent, at)
  return read.kind === 'facts' && namesItsPayment(read) ? read : null
}

type Facts = Extract<Reading, { kind: 'facts' }>

async function fetchObject(event: StripeEvent, refs: Refs, stripe: StripeClient): Promise<unknown> {
  const id = refs.objectId
  if (id === null) return null
  switch (event.object['object']) {
    case 'checkout.session':
      return objectOf(await stripe.retrieveSession(id))
    case 'payment_intent':
      return objectOf(await stripe.retrieveIntent(id))
    case 'charge':
      return refs.intentId === null ? null : objectOf(await stripe.retrieveIntentWithRefunds(refs.intentId))
    case 'refund':
      return objectOf(await stripe.retrieveRefund(id))
    case 'dispute':
      return objectOf(await stripe.retrieveDispute(id))
    case 'radar.early_fraud_warning':
      return objectOf(await stripe.retrieveFraudWarning(id))
    default:
      return null
  }
}

/** The object Stripe answered with, null when it has none; throws while Stripe cannot be asked. */
function objectOf(answer: StripeAnswer): unknown {
  if (answer.kind === 'answered') return answer.object
  if (answer.kind === 'not_found') return null
  throw new Error(`Stripe could not be asked: ${answer.kind}`)
}
