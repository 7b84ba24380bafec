import { ApiError, invalidRequest } from '../errors.ts'
import { emit } from '../events/event.ts'
import { newNumberedId } from '../ids.ts'
import { render } from '../resources.ts'
import type { SetupAttemptRecord, SetupErrorRecord, SetupIntentRecord } from '../store/account-records.ts'
import type { PaymentMethodRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import type { Decline } from './declines.ts'
import { DECLINES } from './declines.ts'
import { instrumentByName } from './instruments.ts'
import { AUTHENTICATION_FAILED } from './payment-intent.ts'
import { renderSetupError } from './setup-intent.ts'

/** Tries to keep the payment method for later: the bank may accept, ask for 3-D Secure, or decline. */
export function confirmSetup(
  tx: Tx,
  intent: SetupIntentRecord,
  how: { method: PaymentMethodRecord; returnUrl: string | null },
): SetupIntentRecord {
  const instrument = instrumentByName(how.method.instrument)
  const { threeDSecure = 'automatic' } = intent
  const isAskedFor = threeDSecure !== 'automatic' && how.method.type === 'card' && how.method.brand !== 'amex'
  if (instrument.challenge || isAskedFor) {
    const attempt = newAttempt(tx, intent, how.method.id, { status: 'requires_action' })
    const waiting = tx.put('setup_intents', {
      ...intent,
      status: 'requires_action',
      paymentMethod: how.method.id,
      latestAttempt: attempt.id,
      lastError: null,
      returnUrl: how.returnUrl,
    })
    emit(tx, 'setup_intent.requires_action', render(tx, 'setup_intents', waiting))
    return waiting
  }
  // This card can be kept and then declines when it is charged.
  if (instrument.decline && instrument.name !== 'declines_after_attach') {
    return failSetup(tx, intent, errorOf(DECLINES[instrument.decline], how.method.id))
  }
  return succeed(tx, intent, how.method)
}

/** The payer passed or failed 3-D Secure. */
export function answerSetupChallenge(tx: Tx, intent: SetupIntentRecord, passed: boolean): SetupIntentRecord {
  const method = tx.get('payment_methods', intent.paymentMethod ?? '')
  if (intent.status !== 'requires_action' || !method) {
    throw invalidRequest(`This SetupIntent has a status of ${intent.status}: nothing waits for the payer.`)
  }
  if (passed) return succeed(tx, intent, method)
  return failSetup(tx, intent, {
    code: 'setup_intent_authentication_failure',
    declineCode: null,
    message: AUTHENTICATION_FAILED.replace('fulfill this PaymentIntent', 'fulfill this SetupIntent'),
    paymentMethod: method.id,
    type: 'invalid_request_error',
  })
}

function succeed(tx: Tx, intent: SetupIntentRecord, method: PaymentMethodRecord): SetupIntentRecord {
  const attempt = newAttempt(tx, intent, method.id, { status: 'succeeded' })
  const done = tx.put('setup_intents', {
    ...intent,
    status: 'succeeded',
    paymentMethod: method.id,
    latestAttempt: attempt.id,
    lastError: null,
    returnUrl: null,
  })
  if (intent.customer !== null && method.customer === null) {
    const attached = tx.put('payment_methods', { ...method, customer: intent.customer })
    emit(tx, 'payment_method.attached', render(tx, 'payment_methods', attached))
  }
  emit(tx, 'setup_intent.succeeded', render(tx, 'setup_intents', done))
  return done
}

function failSetup(tx: Tx, intent: SetupIntentRecord, error: SetupErrorRecord): SetupIntentRecord {
  const attempt = newAttempt(tx, intent, error.paymentMethod ?? '', { status: 'failed', error })
  const failed = tx.put('setup_intents', {
    ...intent,
    status: 'requires_payment_method',
    paymentMethod: null,
    latestAttempt: attempt.id,
    lastError: error,
    returnUrl: null,
  })
  emit(tx, 'setup_intent.setup_failed', render(tx, 'setup_intents', failed))
  return failed
}

function newAttempt(
  tx: Tx,
  intent: SetupIntentRecord,
  paymentMethod: string,
  end: Pick<SetupAttemptRecord, 'status'> & Partial<SetupAttemptRecord>,
): SetupAttemptRecord {
  return tx.put('setup_attempts', {
    id: newNumberedId('setatt'),
    created: tx.now,
    setupIntent: intent.id,
    customer: intent.customer,
    paymentMethod,
    usage: intent.usage,
    error: null,
    ...end,
  })
}

function errorOf(decline: Decline, paymentMethod: string): SetupErrorRecord {
  const { code, declineCode, message } = decline
  return { code, declineCode, message, paymentMethod, type: 'card_error' }
}

/** The 402 that the API answers to a declined confirm: everything written stays. */
export function setupError(tx: Tx, intent: SetupIntentRecord, error: SetupErrorRecord): ApiError {
  const { payment_method: method, ...details } = renderSetupError(tx, error)
  return new ApiError(
    402,
    {
      ...(details as object),
      message: error.message,
      ...(method ? { payment_method: method } : {}),
      setup_intent: render(tx, 'setup_intents', intent),
      type: error.type,
    },
    { keepsEffects: true },
  )
}
