import { invalidParameter, invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { LIST, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import type { Params } from '../http/params.ts'
import { anything, changeMetadata, choice, email, integer, metadata, object, text } from '../http/params.ts'
import { render } from '../resources.ts'
import type { PaymentMethodRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { BANK_TRANSFER, instrumentByAlias, instrumentByIban } from './instruments.ts'
import { createCard, createPaymentMethod, requireCardInput, resolvePaymentMethod } from './payment-method.ts'

const DATA = {
  allow_redisplay: anything(),
  billing_details: object({
    address: anything(),
    email: email(),
    name: text(),
    phone: text(),
    tax_id: text(),
  }),
  card: object({
    number: text(),
    exp_month: integer(),
    exp_year: integer(),
    cvc: text(),
    token: text(),
    networks: anything(),
  }),
  customer_balance: anything(),
  metadata: metadata(),
  radar_options: anything(),
  sepa_debit: object({ iban: text() }),
  type: choice('card', 'customer_balance', 'sepa_debit'),
}

export const METHOD_DATA = object(DATA)

/** The payment method that a caller described in place. */
export function methodFromData(tx: Tx, data: Params<typeof DATA>): PaymentMethodRecord {
  if (!data.type) throw missingParameter('payment_method_data[type]')
  const owner = { email: data.billing_details?.email ?? null, name: data.billing_details?.name ?? null }
  if (data.type === 'sepa_debit') {
    const instrument = instrumentByIban(data.sepa_debit?.iban ?? '')
    if (!instrument)
      throw invalidRequest('The IBAN you provided is invalid.', {
        code: 'invalid_bank_account_iban',
        param: 'sepa_debit[iban]',
      })
    return createPaymentMethod(tx, instrument, owner)
  }
  if (data.type === 'customer_balance') return createPaymentMethod(tx, BANK_TRANSFER, owner)
  const token = data.card?.token
  if (!token) return createCard(tx, requireCardInput(data.card ?? {}), owner)
  const instrument = instrumentByAlias(token)
  if (!instrument) throw noSuch('token', token, { param: 'card[token]', inBody: true })
  return createPaymentMethod(tx, instrument, owner)
}

export const paymentMethodOperations: readonly Operation[] = [
  operation('POST /v1/payment_methods', { ...DATA, customer: text() }, (tx, { params }) => {
    const method = methodFromData(tx, params)
    return render(
      tx,
      'payment_methods',
      tx.put('payment_methods', { ...method, metadata: changeMetadata({}, params.metadata) }),
    )
  }),
  operation('GET /v1/payment_methods', { ...LIST, customer: text(), type: text() }, (tx, { params, path }) =>
    listPage(tx, 'payment_methods', {
      url: path,
      params,
      noun: 'PaymentMethod',
      keep: (row) => row.customer === (params.customer ?? null) && (!params.type || row.type === params.type),
    }),
  ),
  operation('GET /v1/payment_methods/:id', {}, (tx, { id }) => render(tx, 'payment_methods', find(tx, id))),
  operation(
    'POST /v1/payment_methods/:id',
    {
      metadata: metadata(),
      billing_details: object({ address: anything(), email: email(), name: text(), phone: text() }),
      card: anything(),
      allow_redisplay: anything(),
    },
    (tx, { id, params }) => {
      const method = find(tx, id)
      const changed = {
        ...method,
        email: params.billing_details?.email ?? method.email,
        name: params.billing_details?.name ?? method.name,
        metadata: changeMetadata(method.metadata, params.metadata),
      }
      const row = tx.put('payment_methods', changed)
      emit(tx, 'payment_method.updated', render(tx, 'payment_methods', row), { metadata: method.metadata })
      return render(tx, 'payment_methods', row)
    },
  ),
  operation('POST /v1/payment_methods/:id/attach', { customer: text() }, (tx, { id, params }) => {
    if (!params.customer) throw missingParameter('customer')
    if (!tx.get('customers', params.customer))
      throw noSuch('customer', params.customer, { param: 'customer', inBody: true })
    const method = resolvePaymentMethod(tx, id, {})
    const attached = tx.put('payment_methods', { ...method, customer: params.customer })
    emit(tx, 'payment_method.attached', render(tx, 'payment_methods', attached))
    return render(tx, 'payment_methods', attached)
  }),
  operation('POST /v1/payment_methods/:id/detach', {}, (tx, { id }) => {
    const method = find(tx, id)
    if (method.customer === null)
      throw invalidParameter(
        'The payment method you provided is not attached to a customer so detachment is impossible.',
      )
    const detached = tx.put('payment_methods', { ...method, customer: null })
    emit(tx, 'payment_method.detached', render(tx, 'payment_methods', detached), {
      customer: method.customer,
    })
    return render(tx, 'payment_methods', detached)
  }),
]

function find(tx: Tx, id: string): PaymentMethodRecord {
  const alias = instrumentByAlias(id)
  if (alias) return createPaymentMethod(tx, alias, {})
  const method = tx.get('payment_methods', id)
  if (!method) throw noSuch('PaymentMethod', id, { param: 'payment_method' })
  return method
}
