// The only file that reads Stripe's vocabulary: objects in, facts about one payment out.
import { ADVICE_CODES } from '@passerelle/contracts/payment'
import { DISPUTE_STATES, INTENT_STATES, REFUND_STATES } from '../payments/known.ts'
import type { AdviceCode, ReceiptView } from '@passerelle/contracts/payment'
import type { Decline, Fact, Fee, IntentState, Moment, Movement } from '../payments/known.ts'
import { isObject } from './event.ts'
import type { StripeEvent, StripeObject } from './event.ts'
import { idOf, integer, oneOf, second, signedInteger, text, webAddress } from './values.ts'

/** What an event or an answer of Stripe says, and which payment it says it of. */
export type Reading =
  | {
      readonly kind: 'facts'
      readonly refs: Refs
      readonly facts: readonly Fact[]
      /** What must be refunded of the intent once every refund is known: a charge tells the sum, not which refund. */
      readonly refundedMinor?: number
      /** Something a person should hear of, though it moves no money. */
      readonly incident?: {
        readonly kind: string
        readonly subject: string
        readonly detail: Readonly<Record<string, string | boolean | null>>
      }
    }
  /** It concerns a payment, but cannot be read safely: ask Stripe for the object instead of guessing. */
  | { readonly kind: 'doubt'; readonly refs: Refs; readonly because: Doubt }
  /** It says nothing about a payment. */
  | { readonly kind: 'nothing'; readonly because: Skipped }

export type Skipped =
  | 'type_not_handled'
  | 'kept_only'
  | 'not_settled'
  | 'not_ours'
  | 'other_account'
  | 'unknown_payment'
  | 'unknown_booking'

export type Doubt = 'api_version' | 'unknown_value' | 'missing_field' | 'object_by_reference'

/** Every id by which the payment may be found. */
export type Refs = {
  readonly objectId: string | null
  readonly sessionId: string | null
  readonly intentId: string | null
  readonly chargeId: string | null
  readonly paymentId: string | null
  readonly attemptId: string | null
  readonly bookingId: string | null
}

// The trains whose objects carry the fields read below in the same place and with the same meaning (the changelogs of
// 2024-09-30.acacia to 2026-09-30.endive). An event rendered by any other version is not read: its object is fetched.
const READABLE_TRAINS = new Set(['acacia', 'basil', 'clover', 'dahlia', 'endive'])

export function isReadableVersion(apiVersion: string | null): boolean {
  return READABLE_TRAINS.has(apiVersion?.split('.')[1] ?? '')
}

const HANDLED: Readonly<Record<string, (object: StripeObject, at: Moment) => Reading>> = {
  'payment_intent.created': readIntent,
  'payment_intent.succeeded': readIntent,
  'payment_intent.payment_failed': readIntent,
  'payment_intent.processing': readIntent,
  'payment_intent.requires_action': readIntent,
  'payment_intent.canceled': readIntent,
  'payment_intent.amount_capturable_updated': readIntent,
  'checkout.session.completed': readSession,
  'checkout.session.async_payment_succeeded': readSession,
  'checkout.session.async_payment_failed': readSession,
  'checkout.session.expired': readSession,
  'charge.succeeded': readSettledCharge,
  'charge.captured': readSettledCharge,
  'charge.updated': readSettledCharge,
  'charge.refunded': readRefundedCharge,
  'refund.created': readRefund,
  'refund.updated': readRefund,
  'refund.failed': readRefund,
  'radar.early_fraud_warning.created': readFraudWarning,
  'customer.subscription.created': keep,
  'customer.subscription.updated': keep,
  'customer.subscription.deleted': keep,
  'charge.dispute.created': readDispute,
  'charge.dispute.updated': readDispute,
  'charge.dispute.closed': readDispute,
  'charge.dispute.funds_withdrawn': readDispute,
  'charge.dispute.funds_reinstated': readDispute,
}

/** What an endpoint has to listen to, and a sweep to list. */
export const HANDLED_TYPES: readonly string[] = Object.keys(HANDLED)

/** Never throws, whatever the event holds. */
export function readEvent(event: StripeEvent): Reading {
  const read = Object.hasOwn(HANDLED, event.type) ? HANDLED[event.type] : undefined
  if (!read) return { kind: 'nothing', because: 'type_not_handled' }
  const reading = read(event.object, { second: event.created, id: event.id })
  if (event.account !== null) return ofAnotherAccount(event.id, event.account, reading)
  if (reading.kind === 'facts' && !isReadableVersion(event.apiVersion))
    return { kind: 'doubt', refs: reading.refs, because: 'api_version' }
  return reading
}

/** Money on a connected account is not ours, whatever its metadata says; one that names a payment of ours is looked at. */
function ofAnotherAccount(eventId: string, account: string, reading: Reading): Reading {
  if (reading.kind === 'nothing' || reading.refs.paymentId === null)
    return { kind: 'nothing', because: 'other_account' }
  return {
    kind: 'facts',
    // Its objects are not linked to the payment: their later events shall not find it either.
    refs: { ...reading.refs, objectId: null, sessionId: null, intentId: null, chargeId: null },
    facts: [],
    incident: { kind: 'other_account', subject: eventId, detail: { account } },
  }
}

/** Reads an object fetched from Stripe with our own API version; `at` is when it was read. Never throws. */
export function readObject(object: unknown, at: Moment): Reading {
  if (!isObject(object)) return { kind: 'nothing', because: 'type_not_handled' }
  switch (object['object']) {
    case 'checkout.session':
      return readSession(object, at)
    case 'payment_intent':
      return readIntent(object, at)
    case 'refund':
      return readRefund(object, at)
    case 'dispute':
      return readDispute(object, at)
    case 'radar.early_fraud_warning':
      return readFraudWarning(object)
    default:
      return { kind: 'nothing', because: 'type_not_handled' }
  }
}

function readSession(object: StripeObject, at: Moment): Reading {
  const refs = refsOf(object, { sessionId: text(object['id']), intentId: idOf(object['payment_intent']) })
  if (object['mode'] !== 'payment') return { kind: 'nothing', because: 'not_ours' }
  const state = oneOf(object['status'], ['open', 'complete', 'expired'])
  const money = oneOf(object['payment_status'], ['unpaid', 'paid', 'no_payment_required'])
  const amountMinor = integer(object['amount_total'])
  const currency = text(object['currency'])
  const livemode = object['livemode']
  if (state === null || money === null) return { kind: 'doubt', refs, because: 'unknown_value' }
  if (refs.sessionId === null || amountMinor === null || currency === null || typeof livemode !== 'boolean')
    return { kind: 'doubt', refs, because: 'missing_field' }
  const { attemptId, intentId } = refs
  const expiresAt = second(object['expires_at']) ?? 0
  const facts: Fact[] = [
    {
      type: 'session',
      id: refs.sessionId,
      // A free order (`no_payment_required`) brought no money: it is not paid.
      says: {
        attemptId,
        intentId,
        state,
        money: money === 'paid' ? 'paid' : 'unpaid',
        amountMinor,
        currency,
        livemode,
        expiresAt,
      },
    },
  ]
  // A paid session proves its intent's success before the intent's own event arrives.
  if (state === 'complete' && money === 'paid' && intentId !== null)
    facts.push({
      type: 'intent',
      id: intentId,
      says: {
        attemptId,
        state: 'succeeded',
        stateAt: at,
        amountMinor,
        receivedMinor: amountMinor,
        currency,
        livemode,
        succeededAt: at.second,
        decline: null,
      },
    })
  // Fetched with its intent expanded, the session also tells of a decline or a payment on its way.
  const intent = isObject(object['payment_intent']) ? readIntent(object['payment_intent'], at) : null
  return { kind: 'facts', refs, facts: intent?.kind === 'facts' ? [...facts, ...intent.facts] : facts }
}

function readIntent(object: StripeObject, at: Moment): Reading {
  const id = text(object['id'])
  const refs = refsOf(object, { intentId: id, chargeId: idOf(object['latest_charge']) })
  const state = oneOf<IntentState>(object['status'], INTENT_STATES)
  if (state === null) return { kind: 'doubt', refs, because: 'unknown_value' }
  const amountMinor = integer(object['amount'])
  const receivedMinor = integer(object['amount_received'])
  const currency = text(object['currency'])
  const livemode = object['livemode']
  if (
    id === null ||
    amountMinor === null ||
    receivedMinor === null ||
    currency === null ||
    typeof livemode !== 'boolean'
  )
    return { kind: 'doubt', refs, because: 'missing_field' }
  const refunds = Array.isArray(object['refunds']) ? object['refunds'].filter(isObject) : []
  return {
    kind: 'facts',
    refs,
    facts: [
      ...refunds
        .map((refund) => readRefund(refund, at))
        .flatMap((reading) => (reading.kind === 'facts' ? reading.facts : [])),
      ...settledChargeOf(object['latest_charge']),
      {
        type: 'intent',
        id,
        says: {
          attemptId: refs.attemptId,
          state,
          stateAt: at,
          amountMinor,
          receivedMinor,
          currency,
          livemode,
          succeededAt: state === 'succeeded' ? succeededAt(object, at) : null,
          decline: declineOf(object, at),
        },
      },
    ],
  }
}

/** Fetched with its charge, an intent also tells its fee: the charge's own event may have been lost, or spent on this. */
function settledChargeOf(charge: unknown): readonly Fact[] {
  const reading = isObject(charge) ? readSettledCharge(charge) : null
  return reading?.kind === 'facts' ? reading.facts : []
}

// When read later (verify, sweep) the charge tells when the money came; an event tells it by its own time.
function succeededAt(intent: StripeObject, at: Moment): number {
  const charge = intent['latest_charge']
  return (isObject(charge) ? second(charge['created']) : null) ?? at.second
}

function declineOf(intent: StripeObject, at: Moment): Decline | null {
  const error = intent['last_payment_error']
  if (!isObject(error)) return null
  const code = text(error['decline_code']) ?? text(error['code']) ?? 'card_declined'
  const advice = adviceOf(error) ?? adviceOf(outcomeOf(intent['latest_charge']))
  return { at, code, message: text(error['message']), ...(advice === null ? {} : { advice }) }
}

// A hint for the payer's next try: a word that Stripe adds tomorrow is no reason to doubt the rest.
function adviceOf(said: StripeObject): AdviceCode | null {
  return oneOf<AdviceCode>(said['advice_code'], ADVICE_CODES)
}

/** Why the bank said no to the newest charge, where the intent was fetched with it. */
function outcomeOf(charge: unknown): StripeObject {
  const outcome = isObject(charge) ? charge['outcome'] : null
  return isObject(outcome) ? outcome : {}
}

/** Subscriptions sell no tours: their events are acknowledged and kept for whoever needs them, without any effect here. */
function keep(): Reading {
  return { kind: 'nothing', because: 'kept_only' }
}

/** A charge tells its fee by its balance transaction, which is there a few seconds after the charge itself. */
function readSettledCharge(object: StripeObject): Reading {
  const refs = refsOf(object, { intentId: idOf(object['payment_intent']), chargeId: text(object['id']) })
  const balanceTransactionId = idOf(object['balance_transaction'])
  if (balanceTransactionId === null || refs.chargeId === null || refs.intentId === null)
    return { kind: 'nothing', because: 'not_settled' }
  const { intentId } = refs
  const says = { intentId, balanceTransactionId, fee: feeOf(object['balance_transaction']) }
  return { kind: 'facts', refs, facts: [{ type: 'charge', id: refs.chargeId, says }] }
}

/** What the payer's receipt says of the charge of an intent that was fetched with it; null where there is none. */
export function readReceipt(intent: StripeObject): Omit<ReceiptView, 'bookingId'> | null {
  const charge = intent['latest_charge']
  if (!isObject(charge) || charge['status'] !== 'succeeded') return null
  const details = isObject(charge['payment_method_details']) ? charge['payment_method_details'] : {}
  const method = text(details['type']) ?? 'unknown'
  const own = isObject(details[method]) ? details[method] : {}
  const last4 = text(own['last4'])
  return {
    method,
    brand: text(own['brand']),
    // Whatever else may stand there one day, more than four digits are never told.
    last4: last4 !== null && /^\d{4}$/.test(last4) ? last4 : null,
    receiptUrl: webAddress(charge['receipt_url']),
  }
}

/** The fee a balance transaction tells, if it is given whole. */
export function feeOf(transaction: unknown): Fee | null {
  if (!isObject(transaction)) return null
  const amountMinor = integer(transaction['fee'])
  const currency = text(transaction['currency'])
  return amountMinor === null || currency === null ? null : { amountMinor, currency }
}

function readFraudWarning(object: StripeObject): Reading {
  const refs = refsOf(object, { intentId: idOf(object['payment_intent']), chargeId: idOf(object['charge']) })
  if (refs.objectId === null) return { kind: 'doubt', refs, because: 'missing_field' }
  const detail = {
    fraudType: text(object['fraud_type']),
    actionable: object['actionable'] === true,
    charge: refs.chargeId,
  }
  return {
    kind: 'facts',
    refs,
    facts: [],
    incident: { kind: 'early_fraud_warning', subject: refs.objectId, detail },
  }
}

/**
 * Since 2022-11-15 the charge names the sum of its refunds only. The refunds' own events bring them; this one makes sure
 * that none is missing.
 */
function readRefundedCharge(object: StripeObject): Reading {
  const refs = refsOf(object, { intentId: idOf(object['payment_intent']), chargeId: text(object['id']) })
  const refundedMinor = integer(object['amount_refunded'])
  if (refundedMinor === null) return { kind: 'doubt', refs, because: 'missing_field' }
  if (refs.intentId === null) return { kind: 'doubt', refs, because: 'object_by_reference' }
  return { kind: 'facts', refs, facts: [], refundedMinor }
}

function readRefund(object: StripeObject, at: Moment): Reading {
  const refs = refsOf(object, { intentId: idOf(object['payment_intent']), chargeId: idOf(object['charge']) })
  const state = oneOf(object['status'], REFUND_STATES)
  if (state === null) return { kind: 'doubt', refs, because: 'unknown_value' }
  const id = text(object['id'])
  const amountMinor = integer(object['amount'])
  const currency = text(object['currency'])
  if (id === null || amountMinor === null || currency === null)
    return { kind: 'doubt', refs, because: 'missing_field' }
  if (refs.intentId === null) return { kind: 'doubt', refs, because: 'object_by_reference' }
  return {
    kind: 'facts',
    refs,
    facts: [
      {
        type: 'refund',
        id,
        says: {
          intentId: refs.intentId,
          state,
          amountMinor,
          currency,
          createdAt: second(object['created']) ?? at.second,
          reason: text(object['reason']),
          failureReason: text(object['failure_reason']),
          requestId: metadataText(object, 'refund_request_id'),
        },
      },
    ],
  }
}

function readDispute(object: StripeObject, at: Moment): Reading {
  const refs = refsOf(object, { intentId: idOf(object['payment_intent']), chargeId: idOf(object['charge']) })
  const state = oneOf(object['status'], DISPUTE_STATES)
  if (state === null) return { kind: 'doubt', refs, because: 'unknown_value' }
  const id = text(object['id'])
  const amountMinor = integer(object['amount'])
  const currency = text(object['currency'])
  const movements = movementsOf(object)
  if (id === null || amountMinor === null || currency === null || movements === null)
    return { kind: 'doubt', refs, because: 'missing_field' }
  if (refs.intentId === null) return { kind: 'doubt', refs, because: 'object_by_reference' }
  return {
    kind: 'facts',
    refs,
    facts: [
      {
        type: 'dispute',
        id,
        says: {
          intentId: refs.intentId,
          state,
          stateAt: at,
          amountMinor,
          currency,
          reason: text(object['reason']) ?? 'unknown',
          createdAt: second(object['created']) ?? at.second,
          movements,
        },
      },
    ],
  }
}

/** The balance transactions of a dispute; null when they are not all there to be read. */
function movementsOf(dispute: StripeObject): Record<string, Movement> | null {
  const transactions = dispute['balance_transactions']
  if (!Array.isArray(transactions)) return null
  const movements = transactions.map((transaction) => movementOf(transaction, dispute))
  return movements.includes(null) ? null : Object.fromEntries(movements.filter((entry) => entry !== null))
}

// Stripe settles in the account's currency. Where that is another one than the payer's, the dispute's own amount is what
// was taken of the payment, and the transaction only tells which way it went.
function movementOf(transaction: unknown, dispute: StripeObject): [string, Movement] | null {
  if (!isObject(transaction)) return null
  const id = text(transaction['id'])
  const moved = signedInteger(transaction['amount'])
  const fee = signedInteger(transaction['fee'])
  const settled = text(transaction['currency'])
  const disputed = integer(dispute['amount'])
  const currency = text(dispute['currency'])
  if (id === null || moved === null || fee === null || settled === null) return null
  if (disputed === null || currency === null) return null
  const amountMinor = settled === currency ? moved : Math.sign(moved) * disputed
  return [id, { amountMinor, currency, fee: { amountMinor: fee, currency: settled } }]
}

function refsOf(object: StripeObject, own: Partial<Refs>): Refs {
  const ours = (key: string): string | null => metadataText(object, key)
  return {
    objectId: text(object['id']),
    sessionId: null,
    intentId: null,
    chargeId: null,
    paymentId: paymentIdIn(ours('payment_id')) ?? paymentIdIn(object['client_reference_id']),
    attemptId: ours('attempt_id'),
    // Both spellings: the lesson writes one and reads the other.
    bookingId: ours('booking_id') ?? ours('bookingId'),
    ...own,
  }
}

function metadataText(object: StripeObject, key: string): string | null {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  return Object.hasOwn(metadata, key) ? text(metadata[key]) : null
}

/** Sessions and intents carry our metadata; the others only name the intent or charge they belong to. */
export function namesItsPayment(reading: Extract<Reading, { refs: Refs }>): boolean {
  return reading.refs.paymentId !== null || reading.refs.bookingId !== null
}

/** What two readings of one payment nearly always have in common; null when a reading is no payment's. */
export function paymentKey(reading: Reading): string | null {
  if (reading.kind === 'nothing') return null
  return reading.refs.paymentId ?? reading.refs.intentId ?? reading.refs.chargeId
}

/** Our payment ids, told apart from what another system on the account may keep in `client_reference_id`. */
function paymentIdIn(value: unknown): string | null {
  const id = text(value)
  return id?.startsWith('pay_') ? id : null
}
