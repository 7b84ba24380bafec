import { invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { LIST, LIST_CREATED, listPage, pageOf } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { changeMetadata, choice, integer, metadata, object, text, unknownParameters } from '../http/params.ts'
import { isBefore } from '../http/version.ts'
import { render } from '../resources.ts'
import type { SessionRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { CREATE_SESSION, createSession } from './create-session.ts'
import { expireSession, paySession } from './pay-session.ts'
import { renderLineItem, totalOf } from './session.ts'
import { resolvePaymentMethod } from '../payments/payment-method.ts'

export const sessionOperations: readonly Operation[] = [
  operation('POST /v1/checkout/sessions', CREATE_SESSION, (tx, { params, version }) => {
    if (params.payment_method_types !== undefined && !isBefore(version, '2026-09-30')) {
      const { removedSessionParameterCode: code } = tx.settings.assume
      throw unknownParameters(['payment_method_types'], code === '' ? null : code)
    }
    return render(tx, 'sessions', createSession(tx, params))
  }),
  operation(
    'GET /v1/checkout/sessions',
    {
      ...LIST_CREATED,
      customer: text(),
      customer_details: object({ email: text() }),
      payment_intent: text(),
      payment_link: text(),
      status: choice('complete', 'expired', 'open'),
      subscription: text(),
    },
    (tx, { params, path }) =>
      listPage(tx, 'sessions', {
        url: path,
        params,
        noun: 'checkout.session',
        keep: (row) => matches(row, params),
      }),
  ),
  operation('GET /v1/checkout/sessions/:id', {}, (tx, { id }) => render(tx, 'sessions', find(tx, id))),
  operation('POST /v1/checkout/sessions/:id', { metadata: metadata() }, (tx, { id, params }) => {
    const session = find(tx, id)
    const changed = { ...session, metadata: changeMetadata(session.metadata, params.metadata) }
    return render(tx, 'sessions', tx.put('sessions', changed))
  }),
  operation('POST /v1/checkout/sessions/:id/expire', {}, (tx, { id }) =>
    render(tx, 'sessions', expireSession(tx, find(tx, id))),
  ),
  operation('GET /v1/checkout/sessions/:id/line_items', LIST, (tx, { id, params, path }) => {
    const items = find(tx, id).lineItems
    return pageOf(items, { url: path, params, shown: (item) => renderLineItem(tx, item) })
  }),
  // What Stripe's own command line uses to complete a Session without a browser.
  operation('GET /v1/payment_pages/:id', {}, (tx, { id }) => render(tx, 'sessions', find(tx, id))),
  operation(
    'POST /v1/payment_pages/:id/confirm',
    { payment_method: text(), expected_amount: integer(), expected_payment_method_type: text() },
    (tx, { id, params }) => {
      const session = find(tx, id)
      if (!params.payment_method) throw missingParameter('payment_method')
      const method = params.payment_method
      if (params.expected_amount !== undefined && params.expected_amount !== totalOf(session)) {
        throw invalidRequest('The expected amount does not match the total of the Checkout Session.', {
          param: 'expected_amount',
        })
      }
      const owner = { customer: session.customer }
      const type = params.expected_payment_method_type
      const payer = { email: session.customerEmail ?? 'stripe@example.com', name: null }
      paySession(tx, session, {
        payer,
        method: (inner) => {
          const found = resolvePaymentMethod(inner, method, owner)
          if (!type || type === found.type) return found
          throw invalidRequest(`The payment method is ${found.type}, not ${type}.`, {
            param: 'expected_payment_method_type',
          })
        },
      })
      return render(tx, 'sessions', find(tx, id))
    },
  ),
]

type Filter = {
  readonly customer?: string | null
  readonly customer_details?: { readonly email?: string | null } | null
  readonly payment_intent?: string | null
  readonly payment_link?: string | null
  readonly status?: string | null
  readonly subscription?: string | null
}

function matches(row: SessionRecord, filter: Filter): boolean {
  if (filter.subscription) return false
  if (filter.payment_link && row.paymentLink !== filter.payment_link) return false
  if (filter.customer && row.customer !== filter.customer) return false
  if (filter.payment_intent && row.paymentIntent !== filter.payment_intent) return false
  if (filter.status && row.status !== filter.status) return false
  const email = filter.customer_details?.email
  return !email || (row.payer?.email ?? row.customerEmail)?.toLowerCase() === email.toLowerCase()
}

function find(tx: Tx, id: string): SessionRecord {
  const session = tx.get('sessions', id)
  if (!session) throw noSuch('checkout.session', id, { param: 'session' })
  return session
}
