import type { PaymentStatus } from '@passerelle/contracts/payment'
import type { Asked, Decline, DisputeState, IntentKnown, Known, RefundKnown, SessionKnown } from './known.ts'

/** Where a payment stands: everything the outside may ask, derived from what is known and from nothing else. */
export type Standing = {
  readonly status: PaymentStatus
  readonly capturedMinor: number
  /** Sum of the refunds that succeeded and did not fail later. */
  readonly refundedMinor: number
  readonly paymentIntentId: string | null
  /** Unix seconds. */
  readonly paidAt: number | null
  readonly refundedAt: number | null
  readonly decline: Decline | null
  readonly troubles: readonly Trouble[]
}

/** Something about money that does not fit: it confirms nothing, and a person has to look. */
export type Trouble = {
  readonly kind: 'amount_mismatch' | 'unasked_money' | 'duplicate_payment' | 'refunded_more_than_captured'
  readonly subject: string
  readonly detail: Readonly<Record<string, string | number | boolean | null>>
}

type Intent = IntentKnown & { readonly id: string; readonly asked: Asked | null }

export function standingOf(known: Known): Standing {
  const intents = intentsOf(known)
  const received = intents.filter((intent) => intent.state === 'succeeded' || intent.receivedMinor > 0)
  const paying = received.filter(isWhatWasAsked).sort(bySuccess)
  const primary = paying[0]
  const troubles = troublesOf(received, paying)
  if (primary) return paidStanding(known, primary, troubles)
  const open = openStanding(known, intents, received.length > 0)
  return { ...open, capturedMinor: 0, refundedMinor: 0, paidAt: null, refundedAt: null, troubles }
}

function intentsOf(known: Known): Intent[] {
  const attemptOfIntent = new Map<string, string | null>()
  for (const session of Object.values(known.sessions))
    if (session.intentId !== null) attemptOfIntent.set(session.intentId, session.attemptId)
  return Object.entries(known.intents).map(([id, intent]) => {
    const attemptId = intent.attemptId ?? attemptOfIntent.get(id) ?? null
    return {
      ...intent,
      id,
      attemptId,
      asked: attemptId === null ? null : (known.attempts[attemptId] ?? null),
    }
  })
}

/** Money counts only when it is exactly what one of our attempts asked for: amount, currency and mode. */
function isWhatWasAsked(intent: Intent): boolean {
  const { asked } = intent
  return (
    asked !== null &&
    intent.receivedMinor === asked.amountMinor &&
    intent.currency === asked.currency &&
    intent.livemode === asked.livemode
  )
}

// By the time Stripe reports, not the time we heard: the same intent is the payment in every order of arrival.
function bySuccess(a: Intent, b: Intent): number {
  return (a.succeededAt ?? Infinity) - (b.succeededAt ?? Infinity) || (a.id < b.id ? -1 : 1)
}

function troublesOf(received: readonly Intent[], paying: readonly Intent[]): Trouble[] {
  const troubles: Trouble[] = []
  for (const intent of received) {
    if (paying.includes(intent)) continue
    troubles.push({
      kind: intent.asked === null ? 'unasked_money' : 'amount_mismatch',
      subject: intent.id,
      detail: {
        receivedMinor: intent.receivedMinor,
        currency: intent.currency,
        livemode: intent.livemode,
        askedMinor: intent.asked?.amountMinor ?? null,
        askedCurrency: intent.asked?.currency ?? null,
      },
    })
  }
  for (const intent of paying.slice(1))
    troubles.push({
      kind: 'duplicate_payment',
      subject: intent.id,
      detail: {
        receivedMinor: intent.receivedMinor,
        currency: intent.currency,
        paidBy: paying[0]?.id ?? null,
      },
    })
  return troubles
}

// A bank that contests has the money back already; only an inquiry leaves it with us.
const MONEY_IS_AWAY: Record<DisputeState, boolean> = {
  warning_needs_response: false,
  warning_under_review: false,
  warning_closed: false,
  needs_response: true,
  under_review: true,
  appeal_needs_response: true,
  appeal_under_review: true,
  prevented: false,
  lost: true,
  won: false,
}

function paidStanding(known: Known, primary: Intent, troubles: readonly Trouble[]): Standing {
  const refunds = succeededRefunds(known, primary.id)
  const sum = refunds.reduce((total, refund) => total + refund.amountMinor, 0)
  const disputed = Object.values(known.disputes).some(
    (dispute) => dispute.intentId === primary.id && MONEY_IS_AWAY[dispute.state],
  )
  const captured = primary.receivedMinor
  const overRefunded: Trouble[] =
    sum > captured
      ? [{ kind: 'refunded_more_than_captured', subject: primary.id, detail: { captured, refunded: sum } }]
      : []
  return {
    status: disputed ? 'disputed' : statusAfterRefunds(sum, captured),
    capturedMinor: captured,
    refundedMinor: Math.min(sum, captured),
    paymentIntentId: primary.id,
    paidAt: primary.succeededAt,
    refundedAt: refunds.at(-1)?.createdAt ?? null,
    decline: null,
    troubles: [...troubles, ...overRefunded],
  }
}

function statusAfterRefunds(refundedMinor: number, capturedMinor: number): PaymentStatus {
  if (refundedMinor === 0) return 'succeeded'
  return refundedMinor >= capturedMinor ? 'refunded' : 'partially_refunded'
}

/** The refunds of one intent that took effect, oldest first. */
export function succeededRefunds(known: Known, intentId: string): (RefundKnown & { readonly id: string })[] {
  return Object.entries(known.refunds)
    .map(([id, refund]) => ({ ...refund, id }))
    .filter((refund) => refund.intentId === intentId && refund.state === 'succeeded')
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
}

type OpenStanding = Pick<Standing, 'status' | 'paymentIntentId' | 'decline'>

/** A payment nothing fitting was received for: the newest attempt speaks, unless money may still come from any. */
function openStanding(known: Known, intents: readonly Intent[], heldMoney: boolean): OpenStanding {
  const newest = Object.entries(known.attempts).sort(([, a], [, b]) => b.number - a.number)[0]
  const attemptId = newest?.[0] ?? null
  const current = intents.filter((intent) => intent.attemptId === attemptId).sort(byLatestState)[0]
  const session = Object.values(known.sessions).find((candidate) => candidate.attemptId === attemptId)
  const base = { paymentIntentId: current?.id ?? null, decline: null }
  if (heldMoney || intents.some(mayStillPay) || isAwaitingMoney(session, current))
    return { ...base, status: 'processing' }
  if (session?.state === 'expired')
    return { ...base, status: newest?.[1].withdrawn === true ? 'canceled' : 'expired' }
  if (current?.state === 'canceled') return { ...base, status: 'canceled' }
  if (current?.state === 'requires_payment_method' && current.decline !== null)
    return { ...base, status: 'failed', decline: current.decline }
  return { ...base, status: 'pending' }
}

function mayStillPay(intent: Intent): boolean {
  return intent.state === 'processing' || intent.state === 'requires_capture'
}

/** The form was submitted with a delayed method (`complete`, `unpaid`) and the bank has not refused since. */
function isAwaitingMoney(session: SessionKnown | undefined, intent: Intent | undefined): boolean {
  if (session?.state !== 'complete') return false
  return intent === undefined || (intent.decline === null && intent.state !== 'canceled')
}

function byLatestState(a: Intent, b: Intent): number {
  return b.stateAt.second - a.stateAt.second || (a.stateAt.id < b.stateAt.id ? 1 : -1)
}
