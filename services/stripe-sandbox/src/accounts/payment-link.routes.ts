import { customTextOf, FIXED_QUANTITY, INTENT_DATA, intentDataOf, PAGE } from '../checkout/page-params.ts'
import { invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { LIST, listPage, pageOf } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import type { Params } from '../http/params.ts'
import {
  changeMetadata,
  choice,
  currency,
  flag,
  integer,
  list,
  metadata,
  object,
  sentOr,
  text,
  url,
} from '../http/params.ts'
import { newNumberedId } from '../ids.ts'
import { render } from '../resources.ts'
import type { PaymentLinkRecord } from '../store/account-records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { renderLinkItem } from './payment-link.ts'

const LIMITED = object({ completed_sessions: object({ limit: integer({ min: 1 }) }) })

const CHANGE = {
  ...PAGE,
  active: flag(),
  after_completion: object({
    hosted_confirmation: object({ custom_message: text(500) }),
    redirect: object({ url: url() }),
    type: choice('hosted_confirmation', 'redirect'),
  }),
  inactive_message: text(500),
  payment_method_collection: choice('always', 'if_required'),
  payment_method_types: list(text()),
  restrictions: LIMITED,
}

const UPDATE = {
  ...CHANGE,
  line_items: list(object({ id: text(), quantity: integer({ min: 1 }) }), 20),
  payment_intent_data: object({
    description: INTENT_DATA.description,
    metadata: metadata(),
    statement_descriptor: INTENT_DATA.statement_descriptor,
    statement_descriptor_suffix: INTENT_DATA.statement_descriptor_suffix,
    transfer_group: INTENT_DATA.transfer_group,
  }),
}

const CREATE = {
  ...CHANGE,
  currency: currency(),
  line_items: list(
    object({ adjustable_quantity: FIXED_QUANTITY, price: text(), quantity: integer({ min: 1 }) }),
    20,
  ),
  payment_intent_data: object(INTENT_DATA),
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
  operation('POST /v1/payment_links/:id', UPDATE, (tx, { id, params }) => {
    const link = find(tx, id)
    const data = params.payment_intent_data
    const changed = tx.put('payment_links', {
      ...link,
      ...changeOf(params, link),
      lineItems: quantitiesOf(link, params.line_items ?? []),
      metadata: changeMetadata(link.metadata, params.metadata),
      ...(data ? { paymentIntentData: intentDataOf({ ...askedBefore(link), ...data }) } : {}),
    })
    emit(tx, 'payment_link.updated', render(tx, 'payment_links', changed), {
      allow_promotion_codes: link.allowPromotionCodes,
    })
    return render(tx, 'payment_links', changed)
  }),
  operation('GET /v1/payment_links/:id/line_items', LIST, (tx, { id, params, path }) =>
    pageOf(find(tx, id).lineItems, { url: path, params, shown: (item) => renderLinkItem(tx, item) }),
  ),
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
  if (params.currency && !currencies.has(params.currency)) {
    throw invalidRequest(`None of the prices is in ${params.currency}.`, { param: 'currency' })
  }
  return tx.put('payment_links', {
    id: newNumberedId('plink'),
    created: tx.now,
    lineItems,
    ...changeOf(params, BLANK),
    ...(params.payment_intent_data ? { paymentIntentData: intentDataOf(params.payment_intent_data) } : {}),
    metadata: changeMetadata({}, params.metadata),
  })
}

const BLANK = {
  active: true,
  afterCompletion: { message: null },
  allowPromotionCodes: false,
  inactiveMessage: null,
  customerCreation: 'if_required',
  submitType: 'auto',
} as const satisfies Partial<PaymentLinkRecord>

type Changeable = Pick<PaymentLinkRecord, keyof typeof BLANK | 'shown' | 'limit' | 'types'>

/** What was sent; the rest stays as it is `before`. */
function changeOf(params: Params<typeof CHANGE>, before: Changeable): Changeable {
  const { custom_text: customText, payment_method_collection: collection } = params
  const limit = params.restrictions?.completed_sessions?.limit
  return {
    active: params.active ?? before.active,
    afterCompletion: params.after_completion ? afterOf(params.after_completion) : before.afterCompletion,
    allowPromotionCodes: params.allow_promotion_codes ?? before.allowPromotionCodes,
    customerCreation: params.customer_creation ?? before.customerCreation,
    inactiveMessage: sentOr(params.inactive_message, before.inactiveMessage),
    submitType: params.submit_type ?? before.submitType,
    shown: {
      ...before.shown,
      ...(customText ? { custom_text: customTextOf(customText) } : {}),
      ...(collection ? { payment_method_collection: collection } : {}),
    },
    limit: params.restrictions === undefined ? (before.limit ?? null) : (limit ?? null),
    types: sentOr(params.payment_method_types, before.types ?? null),
  }
}

// A change of some of it leaves the rest.
function askedBefore({ paymentIntentData: data }: PaymentLinkRecord): Params<typeof INTENT_DATA> {
  if (!data) return {}
  return {
    capture_method: data.captureMethod,
    description: data.description,
    metadata: data.metadata,
    setup_future_usage: data.setupFutureUsage,
    statement_descriptor: data.statementDescriptor,
    statement_descriptor_suffix: data.statementDescriptorSuffix,
    transfer_group: data.transferGroup ?? null,
  }
}

function quantitiesOf(
  link: PaymentLinkRecord,
  asked: readonly { readonly id?: string | null; readonly quantity?: number | null }[],
): PaymentLinkRecord['lineItems'] {
  for (const [index, { id }] of asked.entries()) {
    if (link.lineItems.some((item) => item.id === id)) continue
    throw noSuch('line item', id ?? '', { param: `line_items[${index}][id]`, inBody: true })
  }
  return link.lineItems.map((item) => {
    const change = asked.find(({ id }) => id === item.id)
    return { ...item, quantity: change?.quantity ?? item.quantity }
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
