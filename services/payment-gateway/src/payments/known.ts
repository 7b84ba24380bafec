import { isDeepStrictEqual } from 'node:util'
import type { AdviceCode } from '@passerelle/contracts/payment'

/**
 * What is known about one payment: one record per Stripe object, each a lattice of its own. Merging a fact is
 * commutative, associative and idempotent, so any order, any repetition and any source (webhook, verify, sweep) of the
 * same facts ends in the same `Known`. Nothing here looks at a clock or at the order of arrival.
 */
export type Known = {
  /** What we asked for, by attempt; written before Stripe is called. */
  readonly attempts: Readonly<Record<string, Asked>>
  readonly sessions: Readonly<Record<string, SessionKnown>>
  readonly intents: Readonly<Record<string, IntentKnown>>
  readonly charges: Readonly<Record<string, ChargeKnown>>
  readonly refunds: Readonly<Record<string, RefundKnown>>
  readonly disputes: Readonly<Record<string, DisputeKnown>>
}

export const NOTHING_KNOWN: Known = {
  attempts: {},
  sessions: {},
  intents: {},
  charges: {},
  refunds: {},
  disputes: {},
}

export type Asked = {
  readonly number: number
  readonly amountMinor: number
  readonly currency: string
  readonly livemode: boolean
  /** The payer gave this attempt up; an attempt that is paid all the same is paid. */
  readonly withdrawn: boolean
}

/**
 * When something was observed: Stripe's whole second, then the id of the event. Two events of one second cannot be
 * ordered by Stripe's own word, so the rank of what they say comes before the id; the id only makes the order total.
 */
export type Moment = { readonly second: number; readonly id: string }

export type SessionState = 'open' | 'expired' | 'complete'
export type SessionKnown = {
  readonly attemptId: string | null
  readonly intentId: string | null
  readonly state: SessionState
  readonly money: 'unpaid' | 'paid'
  readonly amountMinor: number
  readonly currency: string
  readonly livemode: boolean
  readonly expiresAt: number
}

/** In the order that breaks a tie within one second; the last two are final and absorb everything. */
export const INTENT_STATES = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'processing',
  'requires_capture',
  'canceled',
  'succeeded',
] as const
export type IntentState = (typeof INTENT_STATES)[number]

export type IntentKnown = {
  readonly attemptId: string | null
  readonly state: IntentState
  readonly stateAt: Moment
  readonly amountMinor: number
  /** Money received, as Stripe's amount_received: it only grows. */
  readonly receivedMinor: number
  readonly currency: string
  readonly livemode: boolean
  /** Unix second of the first report of success. */
  readonly succeededAt: number | null
  readonly decline: Decline | null
}

/** The last failed try on an intent, for display: it never decides about money. */
export type Decline = {
  readonly at: Moment
  readonly code: string
  readonly message: string | null
  /** Absent where the bank gave none. */
  readonly advice?: AdviceCode
}

/** What collecting cost: known once Stripe has settled the charge's balance transaction. */
export type ChargeKnown = {
  readonly intentId: string | null
  readonly balanceTransactionId: string | null
  readonly fee: Fee | null
}

/** In the currency Stripe settles in, which may differ from the charge's. */
export type Fee = { readonly amountMinor: number; readonly currency: string }

/** `failed` outranks `succeeded`: a refund may fail after it had succeeded, never the other way round. */
export const REFUND_STATES = ['pending', 'requires_action', 'succeeded', 'canceled', 'failed'] as const
export type RefundState = (typeof REFUND_STATES)[number]
export type RefundKnown = {
  readonly intentId: string | null
  readonly state: RefundState
  readonly amountMinor: number
  readonly currency: string
  readonly createdAt: number
  readonly reason: string | null
  readonly failureReason: string | null
  /** Our refund request that asked for it; null when somebody else did. */
  readonly requestId: string | null
}

/** In the order that breaks a tie within one second. */
export const DISPUTE_STATES = [
  'warning_needs_response',
  'warning_under_review',
  'warning_closed',
  'needs_response',
  'under_review',
  'appeal_needs_response',
  'appeal_under_review',
  'prevented',
  'lost',
  'won',
] as const
export type DisputeState = (typeof DISPUTE_STATES)[number]
export type DisputeKnown = {
  readonly intentId: string | null
  readonly state: DisputeState
  readonly stateAt: Moment
  readonly amountMinor: number
  readonly currency: string
  readonly reason: string
  readonly createdAt: number
  /** The money the dispute moved so far, by balance transaction: Stripe adds to the list and never takes away. */
  readonly movements: Readonly<Record<string, Movement>>
}

/** One movement of a dispute's money, as the account's balance sees it: negative is taken, positive given back. */
export type Movement = {
  readonly amountMinor: number
  readonly currency: string
  /** What the movement cost, in the currency Stripe settles in; negative when an earlier fee is given back. */
  readonly fee: Fee
}

export type Fact =
  | { readonly type: 'attempt'; readonly id: string; readonly says: Asked }
  | { readonly type: 'session'; readonly id: string; readonly says: SessionKnown }
  | { readonly type: 'intent'; readonly id: string; readonly says: IntentKnown }
  | { readonly type: 'charge'; readonly id: string; readonly says: ChargeKnown }
  | { readonly type: 'refund'; readonly id: string; readonly says: RefundKnown }
  | { readonly type: 'dispute'; readonly id: string; readonly says: DisputeKnown }

/** `known` with the fact merged in; the very same object when the fact says nothing new. */
export function merge(known: Known, fact: Fact): Known {
  switch (fact.type) {
    case 'attempt':
      return withRecords(known, 'attempts', mergeInto(known.attempts, fact.id, fact.says, mergeAsked))
    case 'session':
      return withRecords(known, 'sessions', mergeInto(known.sessions, fact.id, fact.says, mergeSession))
    case 'intent':
      return withRecords(known, 'intents', mergeInto(known.intents, fact.id, fact.says, mergeIntent))
    case 'charge':
      return withRecords(known, 'charges', mergeInto(known.charges, fact.id, fact.says, mergeCharge))
    case 'refund':
      return withRecords(known, 'refunds', mergeInto(known.refunds, fact.id, fact.says, mergeRefund))
    case 'dispute':
      return withRecords(known, 'disputes', mergeInto(known.disputes, fact.id, fact.says, mergeDispute))
    default:
      return fact satisfies never
  }
}

function withRecords<K extends keyof Known>(known: Known, kind: K, records: Known[K]): Known {
  return records === known[kind] ? known : { ...known, [kind]: records }
}

/** The very same records when what is said of one is known already. */
function mergeInto<T>(
  records: Readonly<Record<string, T>>,
  id: string,
  says: T,
  mergeTwo: (a: T, b: T) => T,
): Readonly<Record<string, T>> {
  const before = Object.hasOwn(records, id) ? records[id] : undefined
  if (before === undefined) return { ...records, [id]: says }
  const merged = mergeTwo(before, says)
  return isDeepStrictEqual(before, merged) ? records : { ...records, [id]: merged }
}

// What was asked is written once; only the withdrawal comes later.
function mergeAsked(a: Asked, b: Asked): Asked {
  return {
    number: Math.max(a.number, b.number),
    amountMinor: Math.max(a.amountMinor, b.amountMinor),
    currency: larger(a.currency, b.currency),
    livemode: a.livemode || b.livemode,
    withdrawn: a.withdrawn || b.withdrawn,
  }
}

const SESSION_RANK: Record<SessionState, number> = { open: 0, expired: 1, complete: 2 }

function mergeSession(a: SessionKnown, b: SessionKnown): SessionKnown {
  return {
    attemptId: firstKnown(a.attemptId, b.attemptId),
    intentId: firstKnown(a.intentId, b.intentId),
    state: SESSION_RANK[a.state] >= SESSION_RANK[b.state] ? a.state : b.state,
    money: a.money === 'paid' || b.money === 'paid' ? 'paid' : 'unpaid',
    amountMinor: Math.max(a.amountMinor, b.amountMinor),
    currency: larger(a.currency, b.currency),
    livemode: a.livemode || b.livemode,
    expiresAt: Math.max(a.expiresAt, b.expiresAt),
  }
}

function mergeIntent(a: IntentKnown, b: IntentKnown): IntentKnown {
  const current = laterState(a, b)
  return {
    attemptId: firstKnown(a.attemptId, b.attemptId),
    state: current.state,
    stateAt: current.stateAt,
    amountMinor: Math.max(a.amountMinor, b.amountMinor),
    receivedMinor: Math.max(a.receivedMinor, b.receivedMinor),
    currency: larger(a.currency, b.currency),
    livemode: a.livemode || b.livemode,
    succeededAt: earliest(a.succeededAt, b.succeededAt),
    decline: laterDecline(a.decline, b.decline),
  }
}

function mergeCharge(a: ChargeKnown, b: ChargeKnown): ChargeKnown {
  return {
    intentId: firstKnown(a.intentId, b.intentId),
    balanceTransactionId: firstKnown(a.balanceTransactionId, b.balanceTransactionId),
    fee: largerFee(a.fee, b.fee),
  }
}

// A balance transaction never changes, so two reports of a fee agree; the order only makes the choice total.
function largerFee(a: Fee | null, b: Fee | null): Fee | null {
  if (a === null || b === null) return a ?? b
  return (a.amountMinor - b.amountMinor || compareIds(a.currency, b.currency)) >= 0 ? a : b
}

function mergeRefund(a: RefundKnown, b: RefundKnown): RefundKnown {
  return {
    intentId: firstKnown(a.intentId, b.intentId),
    state: REFUND_STATES.indexOf(a.state) >= REFUND_STATES.indexOf(b.state) ? a.state : b.state,
    amountMinor: Math.max(a.amountMinor, b.amountMinor),
    currency: larger(a.currency, b.currency),
    createdAt: Math.min(a.createdAt, b.createdAt),
    reason: firstKnown(a.reason, b.reason),
    failureReason: firstKnown(a.failureReason, b.failureReason),
    requestId: firstKnown(a.requestId, b.requestId),
  }
}

function mergeDispute(a: DisputeKnown, b: DisputeKnown): DisputeKnown {
  const rank = (dispute: DisputeKnown): number => DISPUTE_STATES.indexOf(dispute.state)
  const order =
    a.stateAt.second - b.stateAt.second || rank(a) - rank(b) || compareIds(a.stateAt.id, b.stateAt.id)
  const current = order >= 0 ? a : b
  return {
    intentId: firstKnown(a.intentId, b.intentId),
    state: current.state,
    stateAt: current.stateAt,
    amountMinor: Math.max(a.amountMinor, b.amountMinor),
    currency: larger(a.currency, b.currency),
    reason: larger(a.reason, b.reason),
    createdAt: Math.min(a.createdAt, b.createdAt),
    movements: Object.entries(b.movements).reduce(
      (all, [id, movement]) => mergeInto(all, id, movement, largerMovement),
      a.movements,
    ),
  }
}

// As with fees: two reports of one balance transaction agree.
function largerMovement(a: Movement, b: Movement): Movement {
  const order =
    a.amountMinor - b.amountMinor ||
    compareIds(a.currency, b.currency) ||
    a.fee.amountMinor - b.fee.amountMinor ||
    compareIds(a.fee.currency, b.fee.currency)
  return order >= 0 ? a : b
}

const isFinal = (state: IntentState): boolean => state === 'succeeded' || state === 'canceled'

/** Final states win whatever their time; the others follow (second, rank, id), a total order. */
function laterState(a: IntentKnown, b: IntentKnown): IntentKnown {
  const rank = (intent: IntentKnown): number => INTENT_STATES.indexOf(intent.state)
  const bothOpen = !isFinal(a.state) && !isFinal(b.state)
  const bySecond = bothOpen ? a.stateAt.second - b.stateAt.second : 0
  // Between two reports of the same final state the earliest is kept, so that the moment is when it became so.
  const sameFinal = a.state === b.state && !bothOpen ? b.stateAt.second - a.stateAt.second : 0
  const order = bySecond || rank(a) - rank(b) || sameFinal || compareIds(a.stateAt.id, b.stateAt.id)
  return order >= 0 ? a : b
}

function laterDecline(a: Decline | null, b: Decline | null): Decline | null {
  if (a === null || b === null) return a ?? b
  const order =
    a.at.second - b.at.second ||
    compareIds(a.code, b.code) ||
    compareIds(a.at.id, b.at.id) ||
    compareIds(a.advice ?? '', b.advice ?? '')
  return order >= 0 ? a : b
}

// A value that Stripe sets once. Should two reports ever differ, the larger wins on every path: deterministic, and the
// amount check then refuses what does not fit.
function firstKnown(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return larger(a, b)
}

function larger(a: string, b: string): string {
  return a >= b ? a : b
}

function compareIds(a: string, b: string): number {
  if (a === b) return 0
  return a > b ? 1 : -1
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.min(a, b)
}
