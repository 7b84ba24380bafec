import { DEFAULT_POLLING, nextPollMs } from './polling.ts'
import { IS_UNPAID_END, isSettled, newerOf } from './payment.ts'
import type { PollSettings, PollState } from './polling.ts'
import type { Known, Payment, Verification, VerificationState } from './payment.ts'

/** `unknown`: no such payment for this caller. `unavailable`: no answer this time, which says nothing of the payment. */
export type ReadOutcome<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number | null }

/** Where a watch learns about its payment. None of the functions rejects. */
export type PaymentSource = {
  readonly readStatus: (signal: AbortSignal) => Promise<ReadOutcome<Payment>>
  readonly verify?: (signal: AbortSignal) => Promise<ReadOutcome<Verification>>
  /** Reports every change after the version `seen` until the stream ends. */
  readonly stream?: (
    signal: AbortSignal,
    onPayment: (payment: Payment) => void,
    seen: number | null,
  ) => Promise<StreamEnd>
}

/**
 *  ended        it was open and told something, and is worth taking up again
 *  unreachable  nobody answered, or somebody who is about to come back
 *  held_back    it was open and nothing came through: a proxy keeps it back
 *  not_offered  there is no stream for this caller
 */
export type StreamEnd = 'ended' | 'unreachable' | 'held_back' | 'not_offered'

/** What a watch needs of the page it runs in. */
export type WatchEnvironment = {
  readonly random: () => number
  readonly isOnline: () => boolean
  /** Resolves after `ms`, whatever the page does, or when aborted. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>
  /** Resolves once `ms` are over and the page is visible, when the payer comes back to it, or when aborted; null waits for the payer alone. */
  readonly pause: (ms: number | null, signal: AbortSignal) => Promise<void>
  /** Calls back whenever the payer comes back to the page, until aborted. */
  readonly onWake: (wake: () => void, signal: AbortSignal) => void
}

export type WatchSnapshot = {
  /** The last good answer; a failed read never erases it. */
  readonly payment: Payment | null
  readonly verification: VerificationState
  /** Why the last read gave nothing, or null when it gave an answer. */
  readonly problem: 'unknown' | 'unavailable' | null
  readonly online: boolean
  readonly attempts: number
  /** `exhausted`: still open, but asked about only when the payer comes back or asks. */
  readonly phase: 'idle' | 'watching' | 'settled' | 'exhausted'
  /** Waiting for longer than a payment usually takes. */
  readonly slow: boolean
}

export type PaymentWatch = {
  readonly getSnapshot: () => WatchSnapshot
  /** Watching begins with the first listener and ends with the last. */
  readonly subscribe: (listener: () => void) => () => void
  /** Asks again now. */
  readonly recheck: () => void
}

export type WatchOptions = {
  readonly environment: WatchEnvironment
  readonly polling?: PollSettings
  /** What is known before anything is asked, from a server that asked while it made the page. */
  readonly initial?: Known | null
}

export const SLOW_AFTER_MS = 12_000
const VERIFY_TRIES_MAX = 5
// Thousands of streams end together when a gateway restarts: their pages come back spread over this time.
const RECONNECT_SPREAD_MS = 1000

/** Follows one payment until it is settled: by the stream where there is one, by polling where there is none. */
export function watchPayment(source: PaymentSource, options: WatchOptions): PaymentWatch {
  const { environment, polling = DEFAULT_POLLING } = options
  const listeners = new Set<() => void>()
  let snapshot = firstSnapshot(source, options)
  let run: Run | null = null
  let isLooking = false

  function update(change: Partial<WatchSnapshot>): void {
    const next = { ...snapshot, ...change, online: environment.isOnline() }
    const settled = next.problem === 'unknown' || isSettled(next)
    const phase = next.phase === 'settled' ? 'watching' : next.phase
    snapshot = { ...next, phase: settled ? 'settled' : phase }
    if (settled) run?.ending.abort()
    for (const listener of listeners) listener()
  }

  function start(): void {
    const leaving = new AbortController()
    const known = { getSnapshot: () => snapshot, update }
    run = { ...known, source, environment, polling, leaving, ...freshStretch() }
    environment.onWake(() => void wake(), leaving.signal)
    if (snapshot.phase !== 'settled') begin(run)
  }

  function begin(started: Run): void {
    snapshot = { ...snapshot, phase: 'watching' }
    void Promise.all([follow(started), verify(started), markSlow(started)])
  }

  /** A tab brought forward and a network that is back are told in one breath: they make one question. */
  async function wake(): Promise<void> {
    const woken = run
    if (woken === null || isLooking) return
    const wasSettled = snapshot.phase === 'settled'
    isLooking = true
    await lookAgain(woken)
    isLooking = false
    // What had ended without money is being paid again, in another tab: it has to be followed once more.
    if (!wasSettled || snapshot.phase === 'settled' || run !== woken) return
    run = { ...woken, ...freshStretch() }
    snapshot = { ...snapshot, attempts: 0, slow: false }
    begin(run)
  }

  return {
    getSnapshot: () => snapshot,
    recheck: () => {
      if (snapshot.phase === 'settled') void wake()
      else if (run?.isStreaming) void pollOnce(run)
      else run?.nudge.abort()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      if (run === null) start()
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        run?.leaving.abort()
        run?.ending.abort()
        run = null
      }
    },
  }
}

/** What one stretch of following needs for itself. */
function freshStretch(): Pick<Run, 'ending' | 'nudge' | 'isStreaming'> {
  return { ending: new AbortController(), nudge: new AbortController(), isStreaming: false }
}

/** One stretch of watching, from the first listener to the last. */
type Run = {
  readonly source: PaymentSource
  readonly environment: WatchEnvironment
  readonly polling: PollSettings
  /** Ends the following: the payment is settled, or nobody listens any more. */
  readonly ending: AbortController
  /** Nobody listens any more. */
  readonly leaving: AbortController
  readonly getSnapshot: () => WatchSnapshot
  readonly update: (change: Partial<WatchSnapshot>) => void
  /** Aborting it ends the current pause, or the next one if none is under way. */
  nudge: AbortController
  isStreaming: boolean
}

async function follow(run: Run): Promise<void> {
  const { signal } = run.ending
  let { stream } = run.source
  while (!signal.aborted) {
    const end = stream && (await streamOnce(run, stream))
    if (signal.aborted) return
    if (end === 'held_back' || end === 'not_offered') stream = undefined
    if (end === 'ended') await run.environment.delay(RECONNECT_SPREAD_MS * run.environment.random(), signal)
    if (signal.aborted) return
    const askedToWaitMs = await pollOnce(run)
    if (signal.aborted) return
    const { payment, attempts } = run.getSnapshot()
    const waitMs = pollDelay(run, { status: payment?.status ?? null, attempts, retryAfterMs: askedToWaitMs })
    run.update({ phase: waitMs === null ? 'exhausted' : 'watching' })
    await run.environment.pause(waitMs, AbortSignal.any([signal, run.nudge.signal]))
    run.nudge = new AbortController()
  }
}

async function streamOnce(run: Run, stream: NonNullable<PaymentSource['stream']>): Promise<StreamEnd> {
  run.isStreaming = true
  const seen = run.getSnapshot().payment?.version ?? null
  const end = await stream(run.ending.signal, (payment) => accept(run, payment), seen)
  run.isStreaming = false
  return end
}

/** Resolves to the milliseconds that the gateway asked to wait, or null. */
async function pollOnce(run: Run): Promise<number | null> {
  run.update({ attempts: run.getSnapshot().attempts + 1 })
  const outcome = await run.source.readStatus(run.ending.signal)
  if (run.ending.signal.aborted) return null
  if (outcome.kind === 'answer') accept(run, outcome.value)
  // A payment that was seen does exist: being refused later is no news about it.
  else run.update({ problem: run.getSnapshot().payment ? 'unavailable' : outcome.kind })
  return outcome.kind === 'unavailable' ? outcome.retryAfterMs : null
}

/**
 * The payer is back. A stream that died while the computer slept looks open for a while yet; and what ended without
 * money may have been paid meanwhile, in another tab.
 */
async function lookAgain(run: Run): Promise<void> {
  const { payment } = run.getSnapshot()
  const mayBePaid = payment !== null && IS_UNPAID_END[payment.status]
  if (!run.isStreaming && !mayBePaid) return
  const outcome = await run.source.readStatus(run.leaving.signal)
  if (outcome.kind !== 'answer' || run.leaving.signal.aborted) return
  run.update({ payment: newerOf(run.getSnapshot().payment, outcome.value), problem: null })
}

function accept(run: Run, payment: Payment): void {
  if (run.ending.signal.aborted) return
  run.update({ payment: newerOf(run.getSnapshot().payment, payment), problem: null })
}

async function verify(run: Run): Promise<void> {
  const { signal } = run.ending
  if (!run.source.verify || run.getSnapshot().verification.state === 'answered') return
  for (let tries = 1; tries <= VERIFY_TRIES_MAX; tries++) {
    const outcome = await run.source.verify(signal)
    if (signal.aborted) return
    run.update({ verification: verificationOf(outcome) })
    if (outcome.kind !== 'unavailable') {
      // What Stripe said is in the gateway's rows now: worth asking for at once.
      run.nudge.abort()
      return
    }
    const waitMs = pollDelay(run, { status: null, attempts: tries, retryAfterMs: outcome.retryAfterMs })
    await run.environment.pause(waitMs, signal)
    if (signal.aborted) return
  }
}

async function markSlow(run: Run): Promise<void> {
  await run.environment.delay(SLOW_AFTER_MS, run.ending.signal)
  if (!run.ending.signal.aborted) run.update({ slow: true })
}

function pollDelay(run: Run, state: Pick<PollState, 'status' | 'attempts' | 'retryAfterMs'>): number | null {
  return nextPollMs({ ...state, settled: false, random: run.environment.random() }, run.polling)
}

function firstSnapshot(source: PaymentSource, { environment, initial }: WatchOptions): WatchSnapshot {
  const isAnswered = initial?.verification.state === 'answered'
  const known: Known = {
    payment: initial?.payment ?? null,
    verification: isAnswered ? initial.verification : { state: source.verify ? 'waiting' : 'none' },
  }
  return {
    ...known,
    problem: null,
    online: environment.isOnline(),
    attempts: 0,
    phase: isSettled(known) ? 'settled' : 'idle',
    slow: false,
  }
}

function verificationOf(outcome: ReadOutcome<Verification>): VerificationState {
  return outcome.kind === 'answer' ? { state: 'answered', answer: outcome.value } : { state: outcome.kind }
}
