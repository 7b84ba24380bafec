import { fromDecimal, toDecimalText } from '@passerelle/contracts/money'
import { inTransaction } from '@passerelle/kit/database'
import type { Pool, Tx } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import { newId } from '@passerelle/kit/id'
import type { Log } from '@passerelle/kit/log'
import { appendAudit } from '../admin/audit.repository.ts'
import { applyFacts } from '../payments/apply-facts.ts'
import type { RefundKnown } from '../payments/known.ts'
import { findPaymentByBooking, lockPayments } from '../payments/payment.repository.ts'
import type { Payment } from '../payments/payment.repository.ts'
import { readObject } from '../stripe/facts.ts'
import type { StripeAnswer, StripeClient } from '../stripe/stripe.client.ts'
import {
  approveRefundRequest,
  findRefundRequest,
  findWaitingRequest,
  insertRefundRequest,
  nextRefundKey,
  postponeRefundRequest,
  REFUND_REASONS,
  refundableMinor,
  refundedAloneMinor,
  settleRefundRequest,
} from './refund.repository.ts'
import type { RefundRequest } from './refund.repository.ts'

export type RefundDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly stripe: StripeClient
  readonly extended: boolean
  readonly onChanged: (paymentIds: readonly string[]) => void
}

export type RefundPolicy = {
  /** What one person may give back of a payment without a second one, in its currency's minor units; null: anything. */
  readonly refundAloneMaxMinor: number | null
}

export type RefundWish = {
  readonly bookingId: string
  readonly amount: number | undefined
  readonly amountMinor: number | undefined
  /** One of Stripe's, or anything else: then it is kept here and Stripe is not told. */
  readonly reason: string | null
  readonly idempotencyKey: string | null
  readonly requestedBy: string
  /** Of the HTTP request that asks. */
  readonly requestId: string
}

/** A refund as Stripe made it. */
export type Refund = RefundKnown & {
  readonly id: string
  readonly paymentId: string
  readonly bookingId: string
}

// The worker leaves a request alone for as long as the request that made it may still be asking Stripe.
const INLINE_LEASE_MS = 30_000

/**
 * Gives money back: the amount asked for, or all that is left. Stored before Stripe is called, with the request's id as
 * the key, so the same Idempotency-Key refunds once however often it is sent. Throws INVALID_STATE when more is asked
 * for than can be given back, counting what is on its way, and APPROVAL_NEEDED when it waits for a second person.
 */
export async function requestRefund(deps: RefundDeps & RefundPolicy, wish: RefundWish): Promise<Refund> {
  const found = await findPaymentByBooking(deps.pool, wish.bookingId)
  if (found === null) throw new ApiError('NOT_FOUND', 'There is no such payment.')
  const request = await inTransaction(deps.pool, (tx) => storeRequest(tx, found.id, wish, deps))
  if (request.state === 'waiting')
    throw new ApiError(
      'APPROVAL_NEEDED',
      `The refund ${request.id} is more than one person may give back alone. It waits a day for another operator, who sends the same request with Idempotency-Key: ${request.idempotencyKey}`,
    )
  if (request.state === 'lapsed')
    throw new ApiError(
      'INVALID_STATE',
      'Nobody else agreed to this refund within a day. Ask again with a new Idempotency-Key.',
    )
  const made = await makeRefund(deps, request)
  switch (made.kind) {
    case 'made':
      return { ...made.refund, bookingId: wish.bookingId, reason: request.note ?? made.refund.reason }
    case 'refused':
      throw new ApiError('INVALID_STATE', `Stripe refused this refund: ${made.because}`)
    case 'later':
      throw new ApiError(
        'STRIPE_UNAVAILABLE',
        'Stripe does not answer right now. The refund is stored and will be made; ask again with the same Idempotency-Key to see it.',
        { retryAfterSeconds: 2 },
      )
    default:
      return made satisfies never
  }
}

async function storeRequest(
  tx: Tx,
  paymentId: string,
  wish: RefundWish,
  policy: RefundPolicy,
): Promise<RefundRequest> {
  const [payment] = await lockPayments(tx, [paymentId])
  if (!payment || payment.paidAt === null || payment.paymentIntentId === null)
    throw new ApiError('INVALID_STATE', 'This payment has received no money that could be given back.')
  const intentId = payment.paymentIntentId
  const wished = wishedMinor(wish, payment)
  const refundable = await refundableMinor(tx, payment, intentId)
  const before = await requestBefore(tx, payment.id, wish, wished)
  const amountMinor = wished ?? before?.amountMinor ?? refundable
  if (before !== null) return agreed(tx, sameRequest(before, wish, amountMinor), wish, payment)
  if (amountMinor <= 0 || amountMinor > refundable) {
    const left = toDecimalText({ amountMinor: Math.max(refundable, 0), currency: payment.currency })
    throw new ApiError(
      'INVALID_STATE',
      `At most ${left} ${payment.currency} of this payment can be given back.`,
    )
  }
  const { requestedBy } = wish
  const id = newId('rfq')
  const asked = { paymentId: payment.id, requestedBy, amountMinor }
  const state = (await needsTwo(tx, asked, policy)) ? 'waiting' : 'requested'
  const request = await insertRefundRequest(
    tx,
    {
      ...asked,
      id,
      intentId,
      idempotencyKey: wish.idempotencyKey ?? id,
      ...wordsOf(wish.reason),
      state,
    },
    INLINE_LEASE_MS,
  )
  if (request === null)
    throw new Error('the refund request was stored by another transaction under a lock we hold')
  await appendAudit(tx, [
    {
      actor: requestedBy,
      action: 'refund.requested',
      subject: payment.bookingId,
      paymentId: payment.id,
      reason: wish.reason,
      before: { refundableMinor: refundable },
      after: { refundRequestId: id, amountMinor, currency: payment.currency, state },
      requestId: wish.requestId,
    },
  ])
  return request
}

/** The request this wish was stored as; one without a key is never stored beside one that waits and asks for the same. */
async function requestBefore(
  tx: Tx,
  paymentId: string,
  { idempotencyKey, reason }: RefundWish,
  amountMinor: number | null,
): Promise<RefundRequest | null> {
  if (idempotencyKey !== null) return findRefundRequest(tx, paymentId, idempotencyKey)
  return findWaitingRequest(tx, paymentId, { amountMinor, reason })
}

/** Whether a refund is more than one person may give back alone, with what the same person gave back of it before. */
async function needsTwo(
  tx: Tx,
  { paymentId, requestedBy, amountMinor }: Pick<RefundRequest, 'paymentId' | 'requestedBy' | 'amountMinor'>,
  { refundAloneMaxMinor }: RefundPolicy,
): Promise<boolean> {
  if (refundAloneMaxMinor === null) return false
  return (await refundedAloneMinor(tx, paymentId, requestedBy)) + amountMinor > refundAloneMaxMinor
}

/** The request, let through when it waits and somebody else sends it again by its key; otherwise as it is. */
async function agreed(
  tx: Tx,
  request: RefundRequest,
  wish: RefundWish,
  payment: Payment,
): Promise<RefundRequest> {
  const isByKey = wish.idempotencyKey === request.idempotencyKey
  if (request.state !== 'waiting' || request.requestedBy === wish.requestedBy || !isByKey) return request
  const approved = await approveRefundRequest(tx, request, wish.requestedBy, INLINE_LEASE_MS)
  await appendAudit(tx, [
    {
      actor: wish.requestedBy,
      action: 'refund.approved',
      subject: payment.bookingId,
      paymentId: payment.id,
      reason: wish.reason,
      before: { state: 'waiting', requestedBy: request.requestedBy },
      after: {
        refundRequestId: request.id,
        amountMinor: request.amountMinor,
        currency: payment.currency,
        state: 'requested',
      },
      requestId: wish.requestId,
    },
  ])
  return approved
}

/** What Stripe is told of the reason, and what is kept here. */
function wordsOf(reason: string | null): Pick<RefundRequest, 'reason' | 'note'> {
  const known = REFUND_REASONS.find((candidate) => candidate === reason) ?? null
  return { reason: known, note: known === null ? reason : null }
}

/** The wished amount in minor units, or null when everything that is left is wished for. */
function wishedMinor(wish: RefundWish, payment: Payment): number | null {
  if (wish.amount === undefined) return wish.amountMinor ?? null
  const fromAmount = fromDecimal(wish.amount, payment.currency)
  if (fromAmount === null)
    throw new ApiError('VALIDATION_ERROR', `body.amount is no amount of ${payment.currency}.`, {
      details: [{ field: 'body.amount', problem: 'has more decimals than the currency' }],
    })
  if (wish.amountMinor !== undefined && wish.amountMinor !== fromAmount)
    throw new ApiError('VALIDATION_ERROR', 'body.amount and body.amountMinor differ. Send one of them.')
  return fromAmount
}

function sameRequest(before: RefundRequest, wish: RefundWish, amountMinor: number): RefundRequest {
  if (before.amountMinor !== amountMinor || (before.note ?? before.reason) !== wish.reason)
    throw new ApiError(
      'IDEMPOTENCY_KEY_REUSED',
      'This Idempotency-Key was used for another refund. Use a new key.',
    )
  return before
}

export type MadeRefund =
  | {
      readonly kind: 'made'
      readonly refund: RefundKnown & { readonly id: string; readonly paymentId: string }
    }
  | { readonly kind: 'refused'; readonly because: string }
  | { readonly kind: 'later' }

// Long enough for Stripe to be back, short enough that a customer's money does not wait for a night.
const RETRY_MS = 15_000

/** Has Stripe make a stored request, or finds what it made of it; the same request is made once, whoever asks. */
export async function makeRefund(deps: RefundDeps, request: RefundRequest): Promise<MadeRefund> {
  if (request.state === 'refused') return { kind: 'refused', because: request.refusedBecause ?? 'unknown' }
  const answer = await askForRefund(deps.stripe, request)
  if (answer.kind === 'answered') return keepRefund(deps, request, answer)
  if (answer.kind === 'refused') {
    const because = answer.message
    deps.log.error(
      { refundRequestId: request.id, paymentId: request.paymentId, stripeCode: answer.code },
      'refund.refused_by_stripe',
    )
    await inTransaction(deps.pool, (tx) => settleRefundRequest(tx, request.id, { state: 'refused', because }))
    return { kind: 'refused', because }
  }
  deps.log.warn({ refundRequestId: request.id, because: answer.kind }, 'refund.retry_later')
  if (answer.kind === 'not_found') await nextRefundKey(deps.pool, request, RETRY_MS)
  else await postponeRefundRequest(deps.pool, request.id, RETRY_MS)
  return { kind: 'later' }
}

// Stripe keeps a key for a day and then makes another refund with it. Far below that, because clocks may be hours off.
const LOOK_FIRST_MS = 60 * 60_000

/** `not_found` means a 5xx that left no refund behind. */
async function askForRefund(stripe: StripeClient, request: RefundRequest): Promise<StripeAnswer> {
  if (request.refundId !== null) return stripe.retrieveRefund(request.refundId)
  if (request.keyNumber > 1 || Date.now() - request.createdAt.getTime() > LOOK_FIRST_MS) {
    // Time has passed since the 5xx, or Stripe may have forgotten the key: a refund that came into being is found here.
    const earlier = await stripe.findRefundOfRequest(request.id, request.intentId)
    if (earlier.kind !== 'not_found') return earlier
  }
  const answer = await stripe.createRefund(
    {
      payment_intent: request.intentId,
      amount: request.amountMinor,
      ...(request.reason === null ? {} : { reason: request.reason }),
      metadata: { payment_id: request.paymentId, refund_request_id: request.id },
    },
    `${request.id}_${request.keyNumber}`,
  )
  return answer.kind === 'indeterminate' ? stripe.findRefundOfRequest(request.id, request.intentId) : answer
}

async function keepRefund(
  deps: RefundDeps,
  request: RefundRequest,
  answer: Extract<StripeAnswer, { kind: 'answered' }>,
): Promise<MadeRefund> {
  const reading = readObject(answer.object, { second: answer.second, id: request.id })
  const refund = reading.kind === 'facts' ? reading.facts.find((fact) => fact.type === 'refund') : undefined
  if (reading.kind !== 'facts' || refund === undefined) throw new Error("Stripe's refund cannot be read")
  const applied = await inTransaction(deps.pool, async (tx) => {
    const result = await applyFacts(
      tx,
      [{ paymentId: request.paymentId, facts: reading.facts, because: request.id }],
      deps,
    )
    await settleRefundRequest(tx, request.id, { state: 'made', refundId: refund.id })
    return result
  })
  for (const transition of applied.transitions) deps.log.info(transition, 'payment.changed')
  deps.onChanged([request.paymentId])
  const kept = applied.payments.get(request.paymentId)?.known.refunds[refund.id] ?? refund.says
  return { kind: 'made', refund: { ...kept, id: refund.id, paymentId: request.paymentId } }
}
