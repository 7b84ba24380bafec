import { invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { LIST, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import type { Params } from '../http/params.ts'
import {
  anything,
  changeMetadata,
  choice,
  currency,
  flag,
  integer,
  list,
  metadata,
  object,
  text,
  url,
} from '../http/params.ts'
import { newNumberedId } from '../ids.ts'
import { render } from '../resources.ts'
import type { PaymentLinkRecord } from '../store/account-records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { renderLinkItem } from './payment-link.ts'

const CHANGE = {
  active: flag(),
  after_completion: object({
    hosted_confirmation: object({ custom_message: text(500) }),
    redirect: object({ url: url() }),
    type: choice('hosted_confirmation', 'redirect'),
  }),
  allow_promotion_codes: flag(),
  automatic_tax: anything(),
  billing_address_collection: anything(),
  custom_fields: anything(),
  custom_text: anything(),
  customer_creation: choice('always', 'if_required'),
  inactive_message: text(500),
  invoice_creation: anything(),
  line_items: list(
    object({ adjustable_quantity: anything(), id: text(), price: text(), quantity: integer({ min: 1 }) }),
    20,
  ),
  metadata: metadata(),
  name_collection: anything(),
  optional_items: anything(),
  payment_intent_data: object({
    capture_method: anything(),
    description: anything(),
    metadata: metadata(),
    setup_future_usage: anything(),
    statement_descriptor: anything(),
    statement_descriptor_suffix: anything(),
    transfer_group: anything(),
  }),
  payment_method_collection: anything(),
  payment_method_types: anything(),
  phone_number_collection: anything(),
  restrictions: anything(),
  shipping_address_collection: anything(),
  submit_type: choice('auto', 'book', 'donate', 'pay', 'subscribe'),
  subscription_data: anything(),
  tax_id_collection: anything(),
}

const CREATE = {
  ...CHANGE,
  consent_collection: anything(),
  currency: currency(),
  shipping_options: anything(),
}

export const paymentLinkOperations: readonly Operation[] = [
  operation('POST /v1/payment_links', CREATE, (tx, { params }) => {
    const link = create(tx, params)
    emit(tx, 'payment_link.created', render(tx, 'payment_links', link))
    return render(tx, 'payment_links', link)
  }),
  operation('GET /v1/payment_links', { ...LIST, active: flag() }, (tx, { params, path }) =>
    listPage(tx, 'payment_links', {
      url: path,
      params,
      noun: 'payment link',
      keep: (row) => params.active === undefined || row.active === params.active,
    }),
  ),
  operation('GET /v1/payment_links/:id', {}, (tx, { id }) => render(tx, 'payment_links', find(tx, id))),
  operation('POST /v1/payment_links/:id', CHANGE, (tx, { id, params }) => {
    const link = find(tx, id)
    const changed = tx.put('payment_links', {
      ...link,
      active: params.active ?? link.active,
      afterCompletion: params.after_completion ? afterOf(params.after_completion) : link.afterCompletion,
      allowPromotionCodes: params.allow_promotion_codes ?? link.allowPromotionCodes,
      customerCreation: params.customer_creation ?? link.customerCreation,
      inactiveMessage: params.inactive_message === undefined ? link.inactiveMessage : params.inactive_message,
      metadata: changeMetadata(link.metadata, params.metadata),
      submitType: params.submit_type ?? link.submitType,
    })
    emit(tx, 'payment_link.updated', render(tx, 'payment_links', changed), {
      allow_promotion_codes: link.allowPromotionCodes,
    })
    return render(tx, 'payment_links', changed)
  }),
  operation('GET /v1/payment_links/:id/line_items', LIST, (tx, { id, path }) => ({
    object: 'list',
    data: find(tx, id).lineItems.map((item) => renderLinkItem(tx, item)),
    has_more: false,
    url: path,
  })),
]

function create(tx: Tx, params: Params<typeof CREATE>): PaymentLinkRecord {
  if (!params.line_items || params.line_items.length === 0) throw missingParameter('line_items')
  const lineItems = params.line_items.map((item, index) => {
    const param = `line_items[${index}][price]`
    if (!item.price) throw missingParameter(param)
    if (!tx.get('prices', item.price)) throw noSuch('price', item.price, { param, inBody: true })
    return { id: newNumberedId('li'), price: item.price, quantity: item.quantity ?? 1 }
  })
  const currencies = new Set(lineItems.map(({ price }) => tx.get('prices', price)?.currency))
  if (currencies.size > 1) {
    throw invalidRequest('All line items must have the same currency.', { param: 'line_items' })
  }
  return tx.put('payment_links', {
    id: newNumberedId('plink'),
    created: tx.now,
    active: params.active ?? true,
    lineItems,
    afterCompletion: afterOf(params.after_completion ?? {}),
    allowPromotionCodes: params.allow_promotion_codes ?? false,
    inactiveMessage: params.inactive_message ?? null,
    customerCreation: params.customer_creation ?? 'if_required',
    submitType: params.submit_type ?? 'auto',
    paymentIntentMetadata: params.payment_intent_data
      ? changeMetadata({}, params.payment_intent_data.metadata)
      : null,
    metadata: changeMetadata({}, params.metadata),
  })
}

type After = ReturnType<(typeof CHANGE)['after_completion']>

function afterOf(after: After): PaymentLinkRecord['afterCompletion'] {
  if (after.type !== 'redirect') return { message: after.hosted_confirmation?.custom_message ?? null }
  if (!after.redirect?.url) throw missingParameter('after_completion[redirect][url]')
  return { redirect: after.redirect.url }
}

function find(reads: Reads, id: string): PaymentLinkRecord {
  const link = reads.get('payment_links', id)
  if (!link) throw noSuch('payment link', id, { param: 'payment_link' })
  return link
}
