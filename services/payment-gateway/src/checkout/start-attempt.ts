import { chargeProblem, fromDecimal } from '@passerelle/contracts/money'
import type { CreatePaymentBody } from '@passerelle/contracts/payment'
import { refuseOverLimit } from '@passerelle/kit/caller'
import type { Caller } from '@passerelle/kit/caller'
import { inTransaction, roundTrip } from '@passerelle/kit/database'
import type { Pool, Tx } from '@passerelle/kit/database'
import { ApiError, unreachable } from '@passerelle/kit/errors'
import { newId } from '@passerelle/kit/id'
import type { Log } from '@passerelle/kit/log'
import type { Tracing } from '@passerelle/kit/tracing'
import type { Booking, BookingClient } from '../outbox/booking.client.ts'
import { applyFacts, endedObjects } from '../payments/apply-facts.ts'
import {
  ensurePayment,
  findPaymentByBooking,
  linkObjects,
  lockPayments,
} from '../payments/payment.repository.ts'
import type { Payment } from '../payments/payment.repository.ts'
import { issueStatusToken } from '../payments/status-token.repository.ts'
import { readObject } from '../stripe/facts.ts'
import type { StripeAnswer, StripeClient } from '../stripe/stripe.client.ts'
import {
  attemptAgeMs,
  closeAttempt,
  countAttemptsOf,
  findLiveAttempt,
  insertAttempt,
  saveIntent,
  saveSession,
} from './attempt.repository.ts'
import type { Attempt } from './attempt.repository.ts'
import { intentParameters, sessionParameters } from './checkout-parameters.ts'
import { withdrawAttempt } from './withdraw-attempt.ts'

export type CheckoutDeps = {
  readonly pool: Pool
  readonly log: Log
  readonly stripe: StripeClient
  readonly booking: BookingClient
  readonly frontendUrl: string
  readonly livemode: boolean
  readonly tracing: Tracing
  /** New attempts a customer may begin within an hour; 0: any number. */
  readonly checkoutsPerHour: number
  readonly extended: boolean
  readonly onChanged: (paymentIds: readonly string[]) => void
}

/** What making an attempt at Stripe needs. */
export type CreateDeps = Omit<
  CheckoutDeps,
  'booking' | 'frontendUrl' | 'livemode' | 'tracing' | 'checkoutsPerHour'
>

/** An open attempt as Stripe told it, and a token that may read its payment. */
export type Started = {
  readonly payment: Pick<Payment, 'id' | 'amountMinor' | 'currency'>
  readonly attempt: Attempt
  readonly statusToken: string
  /** The PaymentIntent's client secret, never stored. */
  readonly clientSecret: string | null
}

type Kind = Attempt['kind']

// Creating may have to finish or replace what an earlier request left; each is one round.
const ROUNDS_MAX = 4
// Stripe keeps an idempotency key for a day; later the same call makes another object.
export const REPLAYED_MS_MAX = 23 * 60 * 60_000
// A session about to expire would die under the payer's hands.
const LIFE_LEFT_MS_MIN = 2 * 60_000

/**
 * Opens an attempt to collect the payment of a booking, or returns the one that is open: once, for the booking's own
 * price. The attempt and its parameters are stored before Stripe is called and replayed with the attempt's id as the
 * key, so a crash or a double click at any point makes neither two sessions nor a lost one.
 */
export async function startAttempt(
  deps: CheckoutDeps,
  caller: Caller,
  body: CreatePaymentBody,
  kind: Kind,
): Promise<Started> {
  const booking = await payableBooking(deps, caller, body)
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const next = await inTransaction(deps.pool, (tx) => decideNext(tx, deps, { booking, body, kind, caller }))
    switch (next.kind) {
      case 'reuse':
        return { ...next, clientSecret: null }
      case 'create': {
        const started = await createAtStripe(deps, next.attempt)
        // Over at Stripe without our having heard: the next round says so, or makes another.
        if (next.wished && started.attempt.state !== 'closed') return started
        break
      }
      case 'replace':
        await withdrawAttempt(deps, next.attempt, 'replaced')
        break
      default:
        unreachable(next)
    }
  }
  throw new ApiError(
    'PAYMENT_IN_PROGRESS',
    'Another payment of this booking is being opened. Try again in a moment.',
    { retryAfterSeconds: 2 },
  )
}

async function payableBooking(deps: CheckoutDeps, caller: Caller, body: CreatePaymentBody): Promise<Booking> {
  const answer = await deps.booking.find(body.bookingId)
  if (answer.kind === 'unavailable') {
    deps.log.warn({ bookingId: body.bookingId, because: answer.message }, 'booking_service.unavailable')
    throw new ApiError(
      'BOOKING_SERVICE_UNAVAILABLE',
      'The booking service does not answer. Nothing was created; try again in a moment.',
      { retryAfterSeconds: 2 },
    )
  }
  const mine =
    answer.kind === 'found' &&
    (caller.kind === 'service' || caller.isOperator || answer.booking.customerId === caller.customerId)
  // Another customer's booking is answered like one that does not exist: its existence is nobody's business.
  if (!mine) throw new ApiError('NOT_FOUND', 'There is no such booking.')
  checkPrice(answer.booking, body)
  if (answer.booking.status === 'cancelled') {
    await withdrawOfCancelled(deps, answer.booking.id)
    throw new ApiError('INVALID_STATE', 'This booking is cancelled. Make a new one.')
  }
  if (answer.booking.status !== 'pending' && answer.booking.status !== 'payment_failed')
    throw new ApiError('BOOKING_ALREADY_PAID', 'This booking is paid already.')
  return answer.booking
}

/** What is still open for a booking that was cancelled elsewhere can be paid at Stripe for nothing: it is given up too. */
async function withdrawOfCancelled(deps: CheckoutDeps, bookingId: string): Promise<void> {
  const payment = await findPaymentByBooking(deps.pool, bookingId)
  const live = payment === null ? null : await findLiveAttempt(deps.pool, payment.id)
  if (live?.state !== 'open') return
  try {
    await withdrawAttempt(deps, live, 'canceled')
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    // With Stripe away it stays open; money that comes all the same is given back (lost-booking.ts).
    deps.log.warn({ paymentId: live.paymentId, attemptId: live.id }, 'attempt.left_open')
  }
}

/** The booking's price decides; what the browser sends may only agree with it. */
function checkPrice(booking: Booking, body: CreatePaymentBody): void {
  const currency = body.currency?.toLowerCase() ?? booking.currency
  const agrees =
    currency === booking.currency &&
    (body.amount === undefined || fromDecimal(body.amount, currency) === booking.amountMinor)
  if (!agrees)
    throw new ApiError(
      'AMOUNT_MISMATCH',
      'The amount or currency is not the price of this booking. Leave both out, or reload the booking.',
    )
  const problem = chargeProblem(booking)
  if (problem !== null)
    throw new ApiError('INVALID_STATE', `Stripe cannot charge the price of this booking (${problem}).`)
}

type Next =
  | {
      readonly kind: 'reuse'
      readonly payment: Payment
      readonly attempt: Attempt
      readonly statusToken: string
    }
  /** `wished` is false for what an earlier request left half made for another price or kind: made first, then replaced. */
  | { readonly kind: 'create'; readonly attempt: Attempt; readonly wished: boolean }
  | { readonly kind: 'replace'; readonly attempt: Attempt }

type Wish = {
  readonly booking: Booking
  readonly body: CreatePaymentBody
  readonly kind: Kind
  readonly caller: Caller
}

async function decideNext(tx: Tx, deps: CheckoutDeps, wish: Wish): Promise<Next> {
  const { booking, kind } = wish
  const payment = await lockPaymentOf(tx, deps, booking)
  if (payment.paidAt !== null) throw new ApiError('BOOKING_ALREADY_PAID', 'This booking is paid already.')
  if (payment.status === 'processing')
    throw new ApiError(
      'PAYMENT_IN_PROGRESS',
      'A payment of this booking is being processed. Wait for its result.',
    )
  const found = await findLiveAttempt(tx, payment.id)
  const isLost = found?.state === 'creating' && (await attemptAgeMs(tx, found.id)) > REPLAYED_MS_MAX
  if (isLost) await closeAttempt(tx, found.id, 'never finished')
  const live = isLost ? null : found
  if (live === null) {
    await refuseTooMany(tx, deps, wish.caller)
    return { kind: 'create', attempt: await newAttempt(tx, deps, payment, wish), wished: true }
  }
  const asWished =
    live.kind === kind && live.amountMinor === booking.amountMinor && live.currency === booking.currency
  if (live.state === 'creating') return { kind: 'create', attempt: live, wished: asWished }
  const lasts =
    live.expiresAt === null || live.expiresAt.getTime() - deps.stripe.nowSeconds() * 1000 > LIFE_LEFT_MS_MIN
  if (!asWished || !lasts) return { kind: 'replace', attempt: live }
  // A client secret is never stored: asking Stripe for the intent brings it again.
  if (kind === 'payment_intent') return { kind: 'create', attempt: live, wished: true }
  return { kind: 'reuse', payment, attempt: live, statusToken: await issueStatusToken(tx, payment.id) }
}

/** Somebody who begins payment after payment tries out cards. Counted in the database: over every process. */
async function refuseTooMany(tx: Tx, { checkoutsPerHour }: CheckoutDeps, caller: Caller): Promise<void> {
  if (checkoutsPerHour === 0 || caller.kind === 'service' || caller.isOperator) return
  const { count, nextInSeconds } = await countAttemptsOf(tx, caller.customerId, checkoutsPerHour)
  if (count >= checkoutsPerHour) refuseOverLimit(nextInSeconds)
}

async function lockPaymentOf(tx: Tx, deps: CheckoutDeps, booking: Booking): Promise<Payment> {
  const id = await ensurePayment(tx, {
    id: newId('pay'),
    bookingId: booking.id,
    customerId: booking.customerId,
    livemode: deps.livemode,
    amountMinor: booking.amountMinor,
    currency: booking.currency,
  })
  const [payment] = await lockPayments(tx, [id])
  if (!payment) throw new Error(`the payment ${id} was not found after it was ensured`)
  return payment
}

async function newAttempt(tx: Tx, deps: CheckoutDeps, payment: Payment, wish: Wish): Promise<Attempt> {
  const { booking, body, kind } = wish
  const id = newId('att')
  const ids = { bookingId: booking.id, paymentId: payment.id, attemptId: id }
  const customerEmail = body.customerEmail ?? null
  const parameters =
    kind === 'checkout_session'
      ? sessionParameters(ids, booking, {
          frontendUrl: deps.frontendUrl,
          customerEmail,
          tourName: body.tourName ?? null,
          locale: body.locale ?? null,
          now: new Date(deps.stripe.nowSeconds() * 1000),
        })
      : intentParameters(ids, booking, { customerEmail })
  const { amountMinor, currency } = booking
  const attempt = await insertAttempt(tx, {
    id,
    paymentId: payment.id,
    kind,
    amountMinor,
    currency,
    parameters,
    traceparent: deps.tracing.traceparent(),
  })
  const says = { number: attempt.number, amountMinor, currency, livemode: deps.livemode, withdrawn: false }
  await applyFacts(tx, [{ paymentId: payment.id, facts: [{ type: 'attempt', id, says }], because: id }], deps)
  return attempt
}

/** The attempt, open at Stripe; throws when Stripe is away or refuses. What is known to be made is asked for, not made. */
export async function createAtStripe(deps: CreateDeps, attempt: Attempt): Promise<Started> {
  const session = attempt.kind === 'checkout_session'
  const made = attempt.paymentIntentId
  let answer = session
    ? await deps.stripe.createSession(attempt.parameters, attempt.id)
    : made === null
      ? await deps.stripe.createIntent(attempt.parameters, attempt.id)
      : await deps.stripe.retrieveIntent(made)
  // After a 5xx the object may exist, and the same key would repeat the 5xx for a day: look before trying anew.
  if (answer.kind === 'indeterminate') {
    deps.log.warn({ attemptId: attempt.id, because: answer.message }, 'attempt.indeterminate')
    answer = session
      ? await deps.stripe.findSessionOfAttempt(attempt.id, attempt.createdAt)
      : await deps.stripe.findIntentOfAttempt(attempt.id, attempt.createdAt)
  }
  if (answer.kind === 'answered') return opened(deps, attempt, answer)
  await giveUpIfHopeless(deps, attempt, answer)
  throw stripeUnavailable()
}

export function stripeUnavailable(): ApiError {
  return new ApiError(
    'STRIPE_UNAVAILABLE',
    'Stripe does not answer right now. Nothing was charged; try again in a moment.',
    { retryAfterSeconds: 2 },
  )
}

async function giveUpIfHopeless(deps: CreateDeps, attempt: Attempt, answer: StripeAnswer): Promise<void> {
  if (answer.kind === 'not_found')
    await inTransaction(deps.pool, (tx) => closeAttempt(tx, attempt.id, 'not made by Stripe'))
  if (answer.kind !== 'refused') return
  deps.log.error(
    { attemptId: attempt.id, status: answer.status, stripeCode: answer.code, because: answer.message },
    'attempt.refused_by_stripe',
  )
  await inTransaction(deps.pool, (tx) => closeAttempt(tx, attempt.id, `refused by Stripe: ${answer.code}`))
  if (answer.code === 'email_invalid')
    throw new ApiError('VALIDATION_ERROR', 'The e-mail address is not valid.')
  throw new ApiError(
    'INTERNAL_ERROR',
    'Stripe refused to open this payment. Nothing was charged; quote the request id to support.',
  )
}

async function opened(
  deps: CreateDeps,
  attempt: Attempt,
  answer: Extract<StripeAnswer, { kind: 'answered' }>,
): Promise<Started> {
  const { object } = answer
  const reading = readObject(object, { second: answer.second, id: attempt.id })
  const started = await inTransaction(deps.pool, async (tx): Promise<Started> => {
    const facts = reading.kind === 'facts' ? reading.facts : []
    const { payments } = await applyFacts(
      tx,
      [{ paymentId: attempt.paymentId, facts, because: attempt.id }],
      deps,
    )
    const payment = payments.get(attempt.paymentId)
    if (!payment) throw new Error(`the payment ${attempt.paymentId} is gone`)
    await roundTrip(tx, linkObjects([{ id: object.id, paymentId: attempt.paymentId }]))
    // Its end may have been heard of before its id stood here: then nobody else closes it.
    const isOver = endedObjects(payment.known).includes(object.id)
    if (isOver) await closeAttempt(tx, attempt.id, 'ended')
    const opened =
      attempt.kind === 'checkout_session'
        ? await saveSession(tx, attempt.id, sessionOf(object))
        : await saveIntent(tx, attempt.id, object.id)
    const clientSecret = typeof object['client_secret'] === 'string' ? object['client_secret'] : null
    return { payment, attempt: opened, statusToken: await issueStatusToken(tx, payment.id), clientSecret }
  })
  deps.onChanged([attempt.paymentId])
  deps.log.info(
    { paymentId: attempt.paymentId, attemptId: attempt.id, stripeId: object.id },
    'attempt.opened',
  )
  return started
}

function sessionOf(object: { readonly [field: string]: unknown; readonly id: string }): {
  id: string
  url: string | null
  expiresAt: Date
} {
  const { id, url, expires_at: expiresAt } = object
  return { id, url: typeof url === 'string' ? url : null, expiresAt: new Date(Number(expiresAt) * 1000) }
}
