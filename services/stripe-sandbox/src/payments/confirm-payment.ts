import type Stripe from 'stripe'
import { emit } from '../events/event.ts'
import { ApiError, docUrl } from '../errors.ts'
import { stemOf, stemmedId } from '../ids.ts'
import { render } from '../resources.ts'
import type {
  ChargeRecord,
  PaymentIntentRecord,
  PaymentMethodRecord,
  PaymentOutcome,
} from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { later } from '../tasks.ts'
import { APPROVED, ELEVATED, outcomeOf } from './charge.ts'
import type { Decline } from './declines.ts'
import { DECLINES } from './declines.ts'
import type { Instrument } from './instruments.ts'
import { BYPASS_PENDING, instrumentByName } from './instruments.ts'
import { authenticationFailure } from './payment-intent.ts'
import { renderPaymentMethod } from './payment-method.ts'

const HOLD_S = 7 * 86_400

export type Confirmation = {
  readonly method: PaymentMethodRecord
  /** The payer has passed 3-D Secure. */
  readonly authenticated?: boolean
  readonly offSession?: boolean
  readonly errorOnRequiresAction?: boolean
  readonly returnUrl?: string | null
  readonly useStripeSdk?: boolean
  /** Which kind of bank transfer the payer is asked for. */
  readonly transferType?: string
}

/** Tries to collect the payment: writes the charge, moves the PaymentIntent and emits what Stripe emits. */
export function confirmPayment(tx: Tx, intent: PaymentIntentRecord, how: Confirmation): PaymentOutcome {
  const instrument = instrumentByName(how.method.instrument)
  if (instrument.type === 'customer_balance') return awaitTransfer(tx, intent, how)
  if (instrument.debit) return startDebit(tx, intent, how.method)
  if (challenges(instrument, how) || isAskedFor(intent, how)) {
    if (how.offSession) return refuse(tx, intent, how, DECLINES.authentication_required)
    if (how.errorOnRequiresAction) return refuseChallenge(tx, intent, how.method)
    return askForAction(tx, intent, how)
  }
  if (instrument.decline) return refuse(tx, intent, how, DECLINES[instrument.decline])
  const paid =
    intent.captureMethod === 'manual' ? authorize(tx, intent, how) : collectPayment(tx, intent, how)
  expectTrouble(tx, paid, instrument)
  return { kind: intent.captureMethod === 'manual' ? 'authorized' : 'paid' }
}

/** Ends the 3-D Secure challenge of a PaymentIntent in requires_action. */
export function answerChallenge(tx: Tx, intent: PaymentIntentRecord, passed: boolean): PaymentOutcome {
  const method = tx.get('payment_methods', intent.paymentMethod ?? '')
  if (passed && method) return confirmPayment(tx, intent, { method, authenticated: true })
  return failAuthentication(tx, intent, method)
}

function challenges(instrument: Instrument, how: Confirmation): boolean {
  if (how.authenticated || !instrument.challenge) return false
  const setUp = instrument.name === 'authenticate_already_set_up' || how.method.customer !== null
  return instrument.challenge === 'always' || !(how.offSession && setUp)
}

// The merchant wants 3-D Secure of every card that can do it. Without the payer at hand nobody can answer.
function isAskedFor({ threeDSecure = 'automatic' }: PaymentIntentRecord, how: Confirmation): boolean {
  if (threeDSecure === 'automatic' || how.authenticated || how.offSession) return false
  return how.method.type === 'card' && how.method.brand !== 'amex'
}

/** Takes the whole amount now: the charge, the PaymentIntent and their events. */
export function collectPayment(tx: Tx, intent: PaymentIntentRecord, how: Confirmation): ChargeRecord {
  const charge = newCharge(tx, intent, how, {
    status: 'succeeded',
    captured: true,
    paid: true,
    amountCaptured: intent.amount,
  })
  const done = moved(tx, intent, {
    status: 'succeeded',
    amountReceived: intent.amount,
    paymentMethod: how.method.id,
    latestCharge: charge.id,
  })
  // After a challenge payment_intent.succeeded was recorded first, otherwise the charge was.
  if (!how.authenticated) emit(tx, 'charge.succeeded', render(tx, 'charges', charge))
  emit(tx, 'payment_intent.succeeded', render(tx, 'payment_intents', done))
  if (how.authenticated) emit(tx, 'charge.succeeded', render(tx, 'charges', charge))
  const settled = how.method.instrument === BYPASS_PENDING ? 0 : tx.settings.chargeUpdatedDelayMs
  later(tx, 'settle_charge', charge.id, { ms: settled })
  return charge
}

function authorize(tx: Tx, intent: PaymentIntentRecord, how: Confirmation): ChargeRecord {
  const charge = newCharge(tx, intent, how, {
    status: 'succeeded',
    paid: true,
    captureBefore: tx.now + HOLD_S,
  })
  const held = moved(tx, intent, {
    status: 'requires_capture',
    amountCapturable: intent.amount,
    paymentMethod: how.method.id,
    latestCharge: charge.id,
  })
  emit(tx, 'charge.succeeded', render(tx, 'charges', charge))
  emit(tx, 'payment_intent.amount_capturable_updated', render(tx, 'payment_intents', held))
  later(tx, 'expire_hold', intent.id, { ms: HOLD_S * 1000 })
  return charge
}

function startDebit(tx: Tx, intent: PaymentIntentRecord, method: PaymentMethodRecord): PaymentOutcome {
  const debit = instrumentByName(method.instrument).debit
  const charge = newCharge(tx, intent, { method }, { status: 'pending', outcome: null })
  const waiting = moved(tx, intent, {
    status: 'processing',
    paymentMethod: method.id,
    latestCharge: charge.id,
  })
  emit(tx, 'payment_intent.processing', render(tx, 'payment_intents', waiting))
  emit(tx, 'charge.pending', render(tx, 'charges', charge))
  const { slowDebitDelayMs, debitDelayMs } = tx.settings
  later(tx, 'settle_debit', intent.id, { ms: debit?.delayed ? slowDebitDelayMs : debitDelayMs })
  return { kind: 'processing' }
}

function askForAction(tx: Tx, intent: PaymentIntentRecord, how: Confirmation): PaymentOutcome {
  const waiting = moved(tx, intent, {
    status: 'requires_action',
    paymentMethod: how.method.id,
    returnUrl: how.returnUrl ?? null,
    useStripeSdk: how.useStripeSdk ?? false,
  })
  emit(tx, 'payment_intent.requires_action', render(tx, 'payment_intents', waiting))
  return { kind: 'challenge', paymentIntent: intent.id }
}

function awaitTransfer(tx: Tx, intent: PaymentIntentRecord, how: Confirmation): PaymentOutcome {
  const waiting = moved(tx, intent, {
    status: 'requires_action',
    paymentMethod: how.method.id,
    transfer: { type: how.transferType ?? 'eu_bank_transfer', arrived: 0 },
  })
  emit(tx, 'payment_intent.requires_action', render(tx, 'payment_intents', waiting))
  return { kind: 'challenge', paymentIntent: intent.id }
}

function refuse(tx: Tx, intent: PaymentIntentRecord, how: Confirmation, decline: Decline): PaymentOutcome {
  const charge = newCharge(tx, intent, how, {
    status: 'failed',
    failureCode: decline.code,
    failureMessage: decline.message,
    outcome: outcomeOf(decline),
  })
  emit(tx, 'charge.failed', render(tx, 'charges', charge))
  fail(tx, intent, { ...lastError(decline, how.method), charge: charge.id }, charge.id)
  return declined(decline)
}

function refuseChallenge(tx: Tx, intent: PaymentIntentRecord, method: PaymentMethodRecord): PaymentOutcome {
  const decline: Decline = {
    ...DECLINES.authentication_required,
    declineCode: 'authentication_not_handled',
  }
  fail(tx, intent, lastError(decline, method), null)
  return declined(decline)
}

function failAuthentication(
  tx: Tx,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord | undefined,
): PaymentOutcome {
  const error = authenticationFailure(method)
  const charge =
    method && tx.settings.assume.failedAuthenticationMakesCharge
      ? failedCharge(tx, intent, method, error)
      : null
  fail(tx, intent, charge === null ? error : { ...error, charge }, charge)
  return { kind: 'declined', code: error.code ?? '', declineCode: null, message: error.message ?? '' }
}

function failedCharge(
  tx: Tx,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  error: Stripe.PaymentIntent.LastPaymentError,
): string {
  const failure = { failureCode: error.code ?? null, failureMessage: error.message ?? null, outcome: null }
  const charge = newCharge(tx, intent, { method }, { status: 'failed', ...failure })
  emit(tx, 'charge.failed', render(tx, 'charges', charge))
  return charge.id
}

/** Puts the PaymentIntent back to requires_payment_method with the reason, ready for another try. */
export function fail(
  tx: Tx,
  intent: PaymentIntentRecord,
  lastPaymentError: Stripe.PaymentIntent.LastPaymentError,
  latestCharge: string | null,
): PaymentIntentRecord {
  const failed = moved(tx, intent, {
    status: 'requires_payment_method',
    paymentMethod: null,
    lastPaymentError,
    latestCharge: latestCharge ?? intent.latestCharge,
  })
  emit(tx, 'payment_intent.payment_failed', render(tx, 'payment_intents', failed))
  return failed
}

export function lastError(
  decline: Decline,
  method: PaymentMethodRecord,
): Stripe.PaymentIntent.LastPaymentError {
  return {
    ...(decline.adviceCode === null ? {} : { advice_code: decline.adviceCode }),
    code: decline.code,
    ...(decline.declineCode === null ? {} : { decline_code: decline.declineCode }),
    doc_url: docUrl(decline.code),
    message: decline.message,
    ...(decline.param === null ? {} : { param: decline.param }),
    payment_method: renderPaymentMethod(method),
    type: 'card_error',
  }
}

function declined(decline: Decline): PaymentOutcome {
  return { kind: 'declined', code: decline.code, declineCode: decline.declineCode, message: decline.message }
}

/** The 402 that the API answers to a declined confirm: everything written stays. */
export function declineError(tx: Tx, intent: PaymentIntentRecord): ApiError {
  const error = intent.lastPaymentError
  const { payment_method, type, ...details } = error ?? { type: 'card_error' as const }
  return new ApiError(
    error?.type === 'card_error' ? 402 : 400,
    {
      ...(details as object),
      message: error?.message ?? 'Your card was declined.',
      payment_intent: render(tx, 'payment_intents', intent),
      ...(payment_method ? { payment_method } : {}),
      type: type as 'card_error',
    },
    { keepsEffects: true },
  )
}

function moved(
  tx: Tx,
  intent: PaymentIntentRecord,
  change: Partial<PaymentIntentRecord>,
): PaymentIntentRecord {
  const current = tx.get('payment_intents', intent.id) ?? intent
  return tx.put('payment_intents', {
    ...current,
    lastPaymentError: null,
    returnUrl: null,
    useStripeSdk: false,
    ...change,
  })
}

function newCharge(
  tx: Tx,
  intent: PaymentIntentRecord,
  how: Confirmation,
  rest: Pick<ChargeRecord, 'status'> & Partial<ChargeRecord>,
): ChargeRecord {
  return tx.put('charges', {
    id: stemmedId('ch', stemOf(intent.id)),
    created: tx.now,
    paymentIntent: intent.id,
    paymentMethod: how.method.id,
    amount: intent.amount,
    amountCaptured: 0,
    amountRefunded: 0,
    currency: intent.currency,
    captured: false,
    paid: false,
    disputed: false,
    released: false,
    balanceTransaction: null,
    failureBalanceTransaction: null,
    failureCode: null,
    failureMessage: null,
    outcome: instrumentByName(how.method.instrument).elevatedRisk ? ELEVATED : APPROVED,
    authenticated: how.authenticated ?? false,
    captureBefore: null,
    customer: intent.customer,
    description: intent.description,
    email: how.method.email,
    name: how.method.name,
    phone: how.method.phone ?? null,
    address: how.method.address ?? null,
    metadata: intent.metadata,
    receiptEmail: intent.receiptEmail,
    fraudReport: null,
    statementDescriptorSuffix: intent.statementDescriptorSuffix,
    shipping: intent.shipping,
    transferGroup: intent.transferGroup ?? null,
    ...(intent.radarSession === undefined ? {} : { radarSession: intent.radarSession }),
    ...rest,
  })
}

// Cards that pay and then cause what a merchant fears. With manual capture the trouble starts at capture.
function expectTrouble(tx: Tx, charge: ChargeRecord, instrument: Instrument): void {
  if (charge.captured) expectDisputes(tx, charge, instrument)
  if (instrument.fraudWarning) later(tx, 'warn_of_fraud', charge.id, { ms: tx.settings.disputeOpenedDelayMs })
}

/** The disputes that a captured charge of such a card will meet. */
export function expectDisputes(tx: Tx, { id }: ChargeRecord, { dispute, disputedTwice }: Instrument): void {
  if (dispute === undefined) return
  const soon = { ms: tx.settings.disputeOpenedDelayMs, note: dispute }
  later(tx, 'open_dispute', id, soon)
  if (disputedTwice) later(tx, 'open_dispute', id, soon)
}
