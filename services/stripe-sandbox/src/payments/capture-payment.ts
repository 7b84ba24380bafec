import { ApiError, docUrl } from '../errors.ts'
import { emit } from '../events/event.ts'
import { requireStep } from '../money.ts'
import { render } from '../resources.ts'
import type { PaymentIntentRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { later } from '../tasks.ts'
import { expectDisputes } from './confirm-payment.ts'
import { instrumentByName } from './instruments.ts'
import { requireCancelable, unexpectedState } from './payment-intent.ts'

/** Takes the held money, or a part of it; the rest is released. */
export function capturePayment(
  tx: Tx,
  intent: PaymentIntentRecord,
  amount: number | undefined,
): PaymentIntentRecord {
  const charge = tx.get('charges', intent.latestCharge ?? '')
  if (intent.status !== 'requires_capture' || !charge) {
    throw unexpectedState(
      intent,
      tx.settings.publicUrl,
      `This PaymentIntent could not be captured because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`,
    )
  }
  const captured = amount ?? intent.amountCapturable
  if (captured > intent.amountCapturable) {
    throw new ApiError(400, {
      code: 'amount_too_large',
      doc_url: docUrl('amount_too_large'),
      message: `The payment could not be captured because the requested capture amount is greater than the authorized amount.`,
      param: 'amount_to_capture',
      payment_intent: render(tx, 'payment_intents', intent),
      type: 'invalid_request_error',
    })
  }
  requireStep(captured, intent.currency, 'amount_to_capture')
  const taken = tx.put('charges', {
    ...charge,
    captured: true,
    statementDescriptorSuffix: intent.statementDescriptorSuffix,
    amountCaptured: captured,
    // What is not captured goes back to the payer at once and counts as refunded on the charge.
    amountRefunded: charge.amount - captured,
  })
  const done = tx.put('payment_intents', {
    ...intent,
    status: 'succeeded',
    amountCapturable: 0,
    amountReceived: captured,
  })
  const session = tx.get('sessions', intent.session ?? '')
  if (session) tx.put('sessions', { ...session, paymentStatus: 'paid' })
  emit(tx, 'charge.captured', render(tx, 'charges', taken))
  emit(tx, 'payment_intent.succeeded', render(tx, 'payment_intents', done))
  later(tx, 'settle_charge', charge.id, { ms: tx.settings.chargeUpdatedDelayMs })
  const method = tx.get('payment_methods', charge.paymentMethod)
  if (method) expectDisputes(tx, charge, instrumentByName(method.instrument))
  return done
}

/** Gives the payment up; a hold is released. */
export function cancelPayment(
  tx: Tx,
  intent: PaymentIntentRecord,
  reason: string | null,
): PaymentIntentRecord {
  requireCancelable(intent, tx.settings.publicUrl)
  const charge = tx.get('charges', intent.latestCharge ?? '')
  if (intent.status === 'requires_capture' && charge) {
    const released = tx.put('charges', { ...charge, released: true, amountRefunded: charge.amount })
    if (tx.settings.assume.releaseTellsChargeRefunded)
      emit(tx, 'charge.refunded', render(tx, 'charges', released), { amount_refunded: 0, refunded: false })
  }
  const canceled = tx.put('payment_intents', {
    ...intent,
    status: 'canceled',
    amountCapturable: 0,
    canceledAt: tx.now,
    cancellationReason: reason,
    returnUrl: null,
  })
  emit(tx, 'payment_intent.canceled', render(tx, 'payment_intents', canceled))
  return canceled
}

/** The hold ran out before anyone captured it. */
export function expireHold(tx: Tx, intentId: string): void {
  const intent = tx.get('payment_intents', intentId)
  const charge = tx.get('charges', intent?.latestCharge ?? '')
  if (intent?.status !== 'requires_capture' || !charge) return
  const released = tx.put('charges', { ...charge, released: true, amountRefunded: charge.amount })
  emit(tx, 'charge.expired', render(tx, 'charges', released))
  cancelPayment(tx, intent, 'automatic')
}
