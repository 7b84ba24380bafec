import { invalidParameter, invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { ADDRESS, addressOf } from '../http/address.ts'
import { LIST, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import type { Params } from '../http/params.ts'
import { changeMetadata, choice, email, integer, metadata, object, sentOr, text } from '../http/params.ts'
import { render } from '../resources.ts'
import type { PaymentMethodRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { BANK_TRANSFER, instrumentByAlias, instrumentByIban } from './instruments.ts'
import { RADAR_OPTIONS } from './method-options.ts'
import { createCard, createPaymentMethod, requireCardInput, resolvePaymentMethod } from './payment-method.ts'

const REDISPLAY = choice('always', 'limited', 'unspecified')
const BILLING = { address: ADDRESS, email: email(), name: text(), phone: text() }

const DATA = {
  allow_redisplay: REDISPLAY,
  billing_details: object({ ...BILLING, tax_id: text() }),
  card: object({
    number: text(),
    exp_month: integer(),
    exp_year: integer(),
    cvc: text(),
    token: text(),
  }),
  customer_balance: object({}),
  metadata: metadata(),
  radar_options: RADAR_OPTIONS,
  sepa_debit: object({ iban: text() }),
  type: choice('card', 'customer_balance', 'sepa_debit'),
}

export const METHOD_DATA = object(DATA)

/** The payment method that a caller described in place. */
export function methodFromData(tx: Tx, data: Params<typeof DATA>): PaymentMethodRecord {
  const method = methodOfType(tx, data)
  const session = data.radar_options?.session
  return tx.put('payment_methods', {
    ...method,
    ...(data.allow_redisplay ? { allowRedisplay: data.allow_redisplay } : {}),
    ...(session ? { radarSession: session } : {}),
    metadata: changeMetadata({}, data.metadata),
  })
}

function methodOfType(tx: Tx, data: Params<typeof DATA>): PaymentMethodRecord {
  if (!data.type) throw missingParameter('payment_method_data[type]')
  const details = data.billing_details
  const owner = {
    email: details?.email ?? null,
    name: details?.name ?? null,
    phone: details?.phone ?? null,
    address: addressOf(details?.address),
    taxId: details?.tax_id ?? null,
  }
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
  operation('POST /v1/payment_methods', DATA, (tx, { params }) =>
    render(tx, 'payment_methods', methodFromData(tx, params)),
  ),
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
      billing_details: object(BILLING),
      card: object({ exp_month: integer({ min: 1, max: 12 }), exp_year: integer({ min: 2000, max: 2100 }) }),
      allow_redisplay: REDISPLAY,
    },
    (tx, { id, params }) => {
      const method = find(tx, id)
      const details = params.billing_details ?? {}
      const changed = {
        ...method,
        email: sentOr(details.email, method.email),
        name: sentOr(details.name, method.name),
        phone: sentOr(details.phone, method.phone ?? null),
        address: details.address === undefined ? (method.address ?? null) : addressOf(details.address),
        allowRedisplay: params.allow_redisplay ?? method.allowRedisplay ?? 'unspecified',
        expMonth: params.card?.exp_month ?? method.expMonth,
        expYear: params.card?.exp_year ?? method.expYear,
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
