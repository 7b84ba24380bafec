import type { ApiError } from '../errors.ts'
import { invalidParameter, invalidRequest } from '../errors.ts'
import { emit } from '../events/event.ts'
import { randomText, stemOf, stemmedId } from '../ids.ts'
import { requireStep, symbolText } from '../money.ts'
import { render } from '../resources.ts'
import type { ChargeRecord, RefundRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { later } from '../tasks.ts'
import { book } from './balance.ts'
import { isRefundable } from './dispute.ts'
import { instrumentByName } from './instruments.ts'
import { counts } from './refund.ts'
import type { Metadata } from '../http/params.ts'

export type RefundRequest = {
  readonly amount: number | undefined
  readonly reason: string | null
  readonly metadata: Metadata
  readonly instructionsEmail?: string | undefined
}

/** Gives money back, or throws the 400 that says why not. Cards get it at once unless the card says otherwise. */
export function refundCharge(tx: Tx, charge: ChargeRecord, request: RefundRequest): RefundRecord {
  const amount = refundable(tx, charge, request.amount)
  const { refund: fate } = instrumentOf(tx, charge)
  const id = stemmedId('re', stemOf(charge.id))
  const row = book(tx, {
    amount: -amount,
    currency: charge.currency,
    type: 'refund',
    source: id,
    description: `REFUND FOR CHARGE${charge.description === null ? '' : ` (${charge.description})`}`,
    availableOn: tx.now,
  })
  const refund = tx.put('refunds', {
    id,
    created: tx.now,
    charge: charge.id,
    paymentIntent: charge.paymentIntent,
    amount,
    currency: charge.currency,
    status: fate === 'pending' ? 'pending' : 'succeeded',
    reason: request.reason,
    metadata: request.metadata,
    balanceTransaction: row.id,
    failureReason: null,
    failureBalanceTransaction: null,
    pendingReason: fate === 'pending' ? 'processing' : null,
    reference: null,
    customer: charge.customer,
    paymentMethod: charge.paymentMethod,
    ...(request.instructionsEmail === undefined ? {} : { instructionsEmail: request.instructionsEmail }),
  })
  const before = { amount_refunded: charge.amountRefunded, refunded: charge.amountRefunded === charge.amount }
  const changed = tx.put('charges', { ...charge, amountRefunded: charge.amountRefunded + amount })
  emit(tx, 'refund.created', render(tx, 'refunds', refund))
  emit(tx, 'charge.refunded', render(tx, 'charges', changed), before)
  const { refundSettledDelayMs, refundUpdatedDelayMs } = tx.settings
  if (fate === undefined) later(tx, 'update_refund', id, { ms: refundUpdatedDelayMs })
  else later(tx, 'settle_refund', id, { ms: refundSettledDelayMs })
  return refund
}

function refundable(tx: Tx, charge: ChargeRecord, asked: number | undefined): number {
  if (!charge.captured) {
    throw invalidRequest(
      charge.status === 'succeeded'
        ? `This PaymentIntent (${charge.paymentIntent}) does not have a successful charge to refund.`
        : `Charge ${charge.id} has not succeeded and cannot be refunded.`,
    )
  }
  const blocking = disputesOf(tx, charge.id).some((dispute) => !isRefundable(dispute))
  if (blocking) {
    throw invalidRequest(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: 'charge_disputed',
    })
  }
  const left = charge.amount - charge.amountRefunded
  if (left === 0) {
    throw invalidRequest(`Charge ${charge.id} has already been refunded.`, {
      code: 'charge_already_refunded',
    })
  }
  const amount = asked ?? left
  requireStep(amount, charge.currency, 'amount')
  if (amount <= left) return amount
  const sums = [amount, left].map((sum) => symbolText(sum, charge.currency))
  throw invalidRequest(
    `Refund amount (${sums[0]}) is greater than unrefunded amount on charge (${sums[1]})`,
    {
      param: 'amount',
    },
  )
}

export function disputesOf(tx: Tx, charge: string) {
  return [...tx.table('disputes').newestFirst()].filter((dispute) => dispute.charge === charge)
}

function instrumentOf(tx: Tx, charge: ChargeRecord) {
  const method = tx.get('payment_methods', charge.paymentMethod)
  if (!method) throw new Error(`Charge ${charge.id} has no payment method.`)
  return instrumentByName(method.instrument)
}

/** The card network's reference arrives: refund.updated and its older twin. */
export function updateRefund(tx: Tx, id: string): void {
  const refund = tx.get('refunds', id)
  if (refund?.status !== 'succeeded' || refund.reference !== null) return
  const before = render(tx, 'refunds', refund).destination_details
  announce(tx, tx.put('refunds', { ...refund, reference: reference() }), { destination_details: before })
}

/** Pending refunds succeed; refunds of the card that fails them fail. */
export function settleRefund(tx: Tx, id: string): void {
  const refund = tx.get('refunds', id)
  if (refund?.status === 'pending') {
    const before = { status: 'pending', pending_reason: refund.pendingReason }
    announce(
      tx,
      tx.put('refunds', { ...refund, status: 'succeeded', pendingReason: null, reference: reference() }),
      before,
    )
  } else if (refund?.status === 'succeeded') failRefund(tx, refund, 'expired_or_canceled_card')
}

/** The money comes back to the account: refund.failed, and the charge can be refunded again. */
export function failRefund(tx: Tx, refund: RefundRecord, reason: string): RefundRecord {
  const row = book(tx, {
    amount: refund.amount,
    currency: refund.currency,
    type: 'refund_failure',
    source: refund.id,
    description: `REFUND FAILURE`,
    availableOn: tx.now,
  })
  const failed = tx.put('refunds', {
    ...refund,
    status: 'failed',
    pendingReason: null,
    failureReason: reason,
    failureBalanceTransaction: row.id,
  })
  const charge = tx.get('charges', refund.charge)
  if (charge && tx.settings.assume.failedRefundLowersAmountRefunded) {
    tx.put('charges', { ...charge, amountRefunded: charge.amountRefunded - refund.amount })
  }
  emit(tx, 'refund.failed', render(tx, 'refunds', failed), { status: refund.status })
  return failed
}

/** Refunds made while an inquiry ran fail when it becomes a chargeback. */
export function failRefundsOfDisputed(tx: Tx, charge: string): void {
  const during = [...tx.table('refunds').oldestFirst()].filter(
    (refund) => refund.charge === charge && counts(refund),
  )
  for (const refund of during) failRefund(tx, refund, 'charge_for_pending_refund_disputed')
}

export function changeRefund(tx: Tx, refund: RefundRecord, metadata: Metadata): RefundRecord {
  const changed = tx.put('refunds', { ...refund, metadata })
  announce(tx, changed, { metadata: refund.metadata })
  return changed
}

export function refuseCancel(): ApiError {
  return invalidParameter('Canceling this refund is unsupported.')
}

function announce(tx: Tx, refund: RefundRecord, before: object): void {
  emit(tx, 'refund.updated', render(tx, 'refunds', refund), before)
  emit(tx, 'charge.refund.updated', render(tx, 'refunds', refund), before)
}

function reference(): string {
  return `7${randomText(10).replaceAll(/\D/g, '4')}`
}
