import { invalidParameter, invalidRequest, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { SHIPPING, shippingOf } from '../http/address.ts'
import { LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { changeMetadata, choice, email, integer, metadata, object, sentOr, text } from '../http/params.ts'
import { render } from '../resources.ts'
import type { ChargeRecord, RefundRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { REFUND_REASONS } from './refund.ts'
import { changeRefund, refundCharge, refuseCancel } from './refund-charge.ts'

const REFUND = {
  amount: integer({ min: 1 }),
  charge: text(),
  instructions_email: email(),
  metadata: metadata(),
  payment_intent: text(),
  reason: choice(...REFUND_REASONS),
}

export const chargeOperations: readonly Operation[] = [
  operation(
    'GET /v1/charges',
    { ...LIST_CREATED, customer: text(), payment_intent: text(), transfer_group: text() },
    (tx, { params, path }) =>
      listPage(tx, 'charges', {
        url: path,
        params,
        noun: 'charge',
        keep: (row) =>
          (!params.customer || row.customer === params.customer) &&
          (!params.transfer_group || row.transferGroup === params.transfer_group) &&
          (!params.payment_intent || row.paymentIntent === params.payment_intent),
      }),
  ),
  operation('GET /v1/charges/:id', {}, (tx, { id }) => render(tx, 'charges', findCharge(tx, id))),
  operation(
    'POST /v1/charges/:id',
    {
      customer: text(),
      description: text(1000),
      fraud_details: object({ user_report: choice('fraudulent', 'safe') }),
      metadata: metadata(),
      receipt_email: email(),
      shipping: SHIPPING,
      transfer_group: text(),
    },
    (tx, { id, params }) => {
      const charge = findCharge(tx, id)
      const changed = tx.put('charges', {
        ...charge,
        customer: customerAfter(tx, charge, params.customer),
        description: sentOr(params.description, charge.description),
        shipping: params.shipping === undefined ? (charge.shipping ?? null) : shippingOf(params.shipping),
        transferGroup: sentOr(params.transfer_group, charge.transferGroup ?? null),
        fraudReport: params.fraud_details?.user_report ?? charge.fraudReport,
        metadata: changeMetadata(charge.metadata, params.metadata),
        receiptEmail: sentOr(params.receipt_email, charge.receiptEmail),
      })
      emit(tx, 'charge.updated', render(tx, 'charges', changed), { metadata: charge.metadata })
      return render(tx, 'charges', changed)
    },
  ),
  operation('POST /v1/refunds', REFUND, (tx, { params }) => {
    const charge = targetOf(tx, params.charge ?? null, params.payment_intent ?? null)
    const refund = refundCharge(tx, charge, {
      amount: params.amount ?? undefined,
      reason: params.reason ?? null,
      metadata: changeMetadata({}, params.metadata),
      instructionsEmail: params.instructions_email ?? undefined,
    })
    return render(tx, 'refunds', refund)
  }),
  operation(
    'GET /v1/refunds',
    { ...LIST_CREATED, charge: text(), payment_intent: text() },
    (tx, { params, path }) =>
      listPage(tx, 'refunds', {
        url: path,
        params,
        noun: 'refund',
        keep: (row) =>
          (!params.charge || row.charge === params.charge) &&
          (!params.payment_intent || row.paymentIntent === params.payment_intent),
      }),
  ),
  operation('GET /v1/refunds/:id', {}, (tx, { id }) => render(tx, 'refunds', findRefund(tx, id))),
  operation('POST /v1/refunds/:id', { metadata: metadata() }, (tx, { id, params }) => {
    const refund = findRefund(tx, id)
    return render(tx, 'refunds', changeRefund(tx, refund, changeMetadata(refund.metadata, params.metadata)))
  }),
  operation('POST /v1/refunds/:id/cancel', {}, (tx, { id }) => {
    findRefund(tx, id)
    throw refuseCancel()
  }),
  operation('GET /v1/charges/:id/refunds', LIST_CREATED, (tx, { id, params, path }) =>
    listPage(tx, 'refunds', { url: path, params, noun: 'refund', keep: (row) => row.charge === id }),
  ),
]

function targetOf(tx: Tx, chargeId: string | null, intentId: string | null): ChargeRecord {
  if (intentId !== null) {
    const intent = tx.get('payment_intents', intentId)
    if (!intent) throw noSuch('payment_intent', intentId, { param: 'payment_intent', inBody: true })
    const charge = tx.get('charges', intent.latestCharge ?? '')
    if (charge?.captured) return charge
    throw invalidParameter(`This PaymentIntent (${intentId}) does not have a successful charge to refund.`)
  }
  if (chargeId === null) {
    throw invalidParameter(
      'One of the following params should be provided for this request: payment_intent or charge.',
    )
  }
  const charge = tx.get('charges', chargeId)
  // Stripe answers 404 here although the id is in the body.
  if (!charge) throw noSuch('charge', chargeId, { param: 'id' })
  return charge
}

// A charge keeps the customer it has.
function customerAfter(tx: Tx, charge: ChargeRecord, asked: string | null | undefined): string | null {
  if (!asked || asked === charge.customer) return charge.customer
  if (charge.customer !== null)
    throw invalidRequest('This charge already has a customer.', { param: 'customer' })
  if (!tx.get('customers', asked)) throw noSuch('customer', asked, { param: 'customer', inBody: true })
  return asked
}

function findCharge(reads: Reads, id: string): ChargeRecord {
  const charge = reads.get('charges', id)
  if (!charge) throw noSuch('charge', id, { param: 'id' })
  return charge
}

function findRefund(reads: Reads, id: string): RefundRecord {
  const refund = reads.get('refunds', id)
  if (!refund) throw noSuch('refund', id, { param: 'refund' })
  return refund
}
