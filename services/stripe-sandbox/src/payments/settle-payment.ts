import { emit } from '../events/event.ts'
import { render } from '../resources.ts'
import type { ChargeRecord, PaymentIntentRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { later } from '../tasks.ts'
import { book, feeOf, renderBalance } from './balance.ts'
import { APPROVED } from './charge.ts'
import { fail, lastError } from './confirm-payment.ts'
import { DECLINES } from './declines.ts'
import { BYPASS_PENDING, instrumentByName } from './instruments.ts'

/** Books the captured amount of a charge and tells it with charge.updated, as Stripe does a few seconds later. */
export function settleCharge(tx: Tx, chargeId: string): void {
  const charge = tx.get('charges', chargeId)
  if (!charge?.captured || charge.balanceTransaction !== null) return
  const settled = bookCharge(tx, charge)
  emit(tx, 'charge.updated', render(tx, 'charges', settled), { balance_transaction: null })
  const instrument = tx.get('payment_methods', charge.paymentMethod)?.instrument
  if (instrument === BYPASS_PENDING) emit(tx, 'balance.available', renderBalance(tx))
}

/** The charge with its balance transaction. */
export function bookCharge(tx: Tx, charge: ChargeRecord): ChargeRecord {
  if (charge.balanceTransaction !== null) return charge
  const instrument = tx.get('payment_methods', charge.paymentMethod)?.instrument
  const row = book(tx, {
    ...(instrument === BYPASS_PENDING ? { availableOn: tx.now } : {}),
    amount: charge.amountCaptured,
    fee: feeOf(charge.amountCaptured, tx.settings.fee),
    currency: charge.currency,
    type: 'charge',
    source: charge.id,
    description: charge.description,
  })
  return tx.put('charges', { ...charge, balanceTransaction: row.id })
}

/** Ends a debit that was processing, well or badly, and tells the Session that started it. */
export function settleDebit(tx: Tx, intentId: string, forced?: 'paid' | 'failed'): void {
  const intent = tx.get('payment_intents', intentId)
  const charge = tx.get('charges', intent?.latestCharge ?? '')
  const method = tx.get('payment_methods', charge?.paymentMethod ?? '')
  if (intent?.status !== 'processing' || !charge || !method) return
  const debit = instrumentByName(method.instrument).debit
  if ((forced ?? debit?.ends) === 'failed') {
    const why = DECLINES[debit?.failure ?? 'debit_failed']
    const failed = tx.put('charges', {
      ...charge,
      status: 'failed',
      failureCode: why.code,
      failureMessage: why.message,
    })
    emit(tx, 'charge.failed', render(tx, 'charges', failed))
    // The list of codes that a PaymentIntent may carry lacks this one of charges.
    const told = why.code === 'charge_exceeds_weekly_limit' ? DECLINES.debit_failed : why
    fail(tx, intent, { ...lastError(told, method), charge: charge.id }, charge.id)
    tellSession(tx, intent, 'failed')
    return
  }
  debitSucceeded(tx, intent, charge)
  if (debit?.disputed)
    later(tx, 'open_dispute', charge.id, { ms: tx.settings.disputeOpenedDelayMs, note: 'fraudulent' })
}

function debitSucceeded(tx: Tx, intent: PaymentIntentRecord, charge: ChargeRecord): void {
  const booked = bookCharge(
    tx,
    tx.put('charges', {
      ...charge,
      status: 'succeeded',
      captured: true,
      paid: true,
      amountCaptured: charge.amount,
      outcome: APPROVED,
    }),
  )
  const done = tx.put('payment_intents', { ...intent, status: 'succeeded', amountReceived: intent.amount })
  emit(tx, 'charge.succeeded', render(tx, 'charges', booked))
  emit(tx, 'payment_intent.succeeded', render(tx, 'payment_intents', done))
  tellSession(tx, intent, 'paid')
}

function tellSession(tx: Tx, intent: PaymentIntentRecord, result: 'paid' | 'failed'): void {
  const session = tx.get('sessions', intent.session ?? '')
  if (session?.status !== 'complete') return
  if (result === 'failed') {
    emit(tx, 'checkout.session.async_payment_failed', render(tx, 'sessions', session))
    return
  }
  const paid = tx.put('sessions', { ...session, paymentStatus: 'paid' })
  emit(tx, 'checkout.session.async_payment_succeeded', render(tx, 'sessions', paid))
}
