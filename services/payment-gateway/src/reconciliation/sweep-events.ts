import { inTransaction, sqlState } from '@passerelle/kit/database'
import type { Pool, Tx } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import { applyEvents, NOTHING_APPLIED, readStored } from '../stripe/apply-events.ts'
import type { AppliedEvents } from '../stripe/apply-events.ts'
import { parseEvent } from '../stripe/event.ts'
import { HANDLED_TYPES } from '../stripe/facts.ts'
import { EVENTS_CHANNEL, insertOwedEvents } from '../stripe/inbox.repository.ts'
import type { Received } from '../stripe/inbox.repository.ts'
import type { StripeClient } from '../stripe/stripe.client.ts'
import { insertDrift } from './drift.repository.ts'
import { findCursor, saveCursor } from './schedule.repository.ts'
import type { Found } from './schedule.repository.ts'
import { eventDrift, markSwept, sweepSince } from './sweep.repository.ts'

export type SweepDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly stripe: StripeClient
  readonly extended: boolean
  readonly forwarding?: boolean
  readonly livemode: boolean
  /** Events younger than this are left to their webhook. */
  readonly lagSeconds: number
  readonly onApplied: (applied: AppliedEvents) => void
}

/** What is listed in one go, so that a run that stops anywhere goes on there: a window of time, and how far it is read. */
type Window = {
  /** Unix seconds, both included. */
  readonly from: number
  readonly to: number
  /** Which of PASSES is being read, and the last event of it that was. */
  readonly pass: number
  readonly after: string | null
}
type Cursor = { readonly sweptTo?: number; readonly window?: Window }

// Stripe takes 20 names in one call.
const TYPES_PER_CALL = 20
// The Events API is eventually consistent, and Stripe's clock is not ours: what was swept is listed once more for so long.
const OVERLAP_SECONDS = 300
// Stripe lists no older events.
const LISTED_SECONDS = 30 * 24 * 60 * 60 - 60 * 60
// A run is a few seconds long; what is left waits for the next one, which begins at once.
const PAGES_MAX = 50

/** What Stripe failed to deliver comes first: after an outage that is what somebody waits for. */
const PASSES = [true, false].flatMap((undelivered) =>
  Array.from({ length: Math.ceil(HANDLED_TYPES.length / TYPES_PER_CALL) }, (_, index) => ({
    undelivered,
    types: HANDLED_TYPES.slice(index * TYPES_PER_CALL, (index + 1) * TYPES_PER_CALL),
  })),
)

/**
 * Lists the events of Stripe since the last sweep and puts those that never came into the inbox, by the same way as a
 * webhook. Each page, its effects, what it found and how far it came are one commit: a sweep that dies goes on there.
 */
export async function sweepEvents(deps: SweepDeps, isHeld: () => boolean): Promise<Found> {
  const nowSeconds = await deps.stripe.askNowSeconds()
  if (nowSeconds === null) return { checked: 0, found: 0, more: false, error: 'Stripe could not be asked' }
  const cursor = (await findCursor(deps.pool, 'sweep')) as Cursor
  let window: Window | null = cursor.window ?? (await nextWindow(deps, cursor, nowSeconds))
  let checked = 0
  let found = 0
  for (let page = 0; window !== null; page += 1) {
    if (page === PAGES_MAX || !isHeld()) return { checked, found, more: true, error: null }
    const answer = await listPage(deps, window)
    if (answer.kind === 'answered') {
      const read = await takePage(deps, answer, window)
      checked += answer.events.length
      found += read.found
      window = read.window
    } else if ((answer.kind === 'refused' || answer.kind === 'not_found') && window.after !== null) {
      // The event the page was to follow is no longer listed: the window is read again from its beginning.
      window = { ...window, after: null }
    } else return { checked, found, more: false, error: `Stripe could not be asked: ${answer.kind}` }
  }
  return { checked, found, more: false, error: null }
}

async function nextWindow(deps: SweepDeps, cursor: Cursor, nowSeconds: number): Promise<Window> {
  // Nothing of what is still to come was swept, whatever a clock once said.
  const since = Math.min(cursor.sweptTo ?? (await sweepSince(deps.pool)), nowSeconds)
  return {
    from: Math.max(since - OVERLAP_SECONDS, nowSeconds - LISTED_SECONDS),
    to: Math.max(nowSeconds - deps.lagSeconds, 0),
    pass: 0,
    after: null,
  }
}

function listPage({ stripe }: SweepDeps, { from, to, pass, after }: Window) {
  const { types, undelivered } = PASSES[pass] ?? { types: [], undelivered: false }
  return stripe.listEvents({ from, to, types, undelivered, after })
}

type Page = { readonly events: readonly unknown[]; readonly hasMore: boolean; readonly lastId: string | null }

async function takePage(
  deps: SweepDeps,
  page: Page,
  window: Window,
): Promise<{ found: number; window: Window | null }> {
  const next = windowAfter(window, page)
  const cursor: Cursor = next === null ? { sweptTo: window.to } : { window: next }
  const received = page.events.flatMap((json) => receivedOf(json, deps.livemode))
  const { applied, found } = await storeAndApply(deps, received, cursor)
  deps.onApplied(applied)
  return { found, window: next }
}

function windowAfter(window: Window, page: Page): Window | null {
  if (page.hasMore && page.lastId !== null) return { ...window, after: page.lastId }
  return window.pass + 1 < PASSES.length ? { ...window, pass: window.pass + 1, after: null } : null
}

/** The event as if it had been delivered: the bytes are the JSON written again, for nothing was signed. */
function receivedOf(json: unknown, livemode: boolean): Received[] {
  const payload = Buffer.from(JSON.stringify(json))
  const event = parseEvent(payload)
  return event === null || event.livemode !== livemode ? [] : [{ event, payload }]
}

type Swept = { readonly applied: AppliedEvents; readonly found: number }

async function storeAndApply(deps: SweepDeps, received: readonly Received[], cursor: Cursor): Promise<Swept> {
  try {
    return await inTransaction(deps.pool, (tx) => takeMissing(tx, deps, { received, cursor }))
  } catch (error) {
    // As in the inbox: with an answer of the server, some event of the page cannot be applied, and the worker finds out
    // which alone.
    if (sqlState(error) === undefined && !(error instanceof RangeError) && !(error instanceof TypeError))
      throw error
    deps.log.error({ err: error, events: received.length }, 'sweep.page_not_applied')
    return inTransaction(deps.pool, async (tx) => {
      const swept = await takeMissing(tx, deps, { received, cursor, apply: false })
      await tx.query(`select pg_notify('${EVENTS_CHANNEL}', '')`)
      return swept
    })
  }
}

async function takeMissing(
  tx: Tx,
  deps: SweepDeps,
  page: { readonly received: readonly Received[]; readonly cursor: Cursor; readonly apply?: false },
): Promise<Swept> {
  const fresh = await insertOwedEvents(tx, page.received)
  await saveCursor(tx, 'sweep', page.cursor)
  if (fresh.size === 0) return { applied: NOTHING_APPLIED, found: 0 }
  await markSwept(tx, [...fresh])
  const events = page.received.filter(({ event }) => fresh.has(event.id))
  const applied =
    page.apply === false
      ? { ...NOTHING_APPLIED, owed: fresh.size }
      : await applyEvents(
          tx,
          events.map(({ event }) => readStored(event)),
          deps,
        )
  const drift = await eventDrift(tx, [...fresh], applied.transitions)
  await insertDrift(tx, drift)
  return { applied, found: drift.length }
}
