import type { FastifyInstance } from 'fastify'
import { createSession } from '../checkout/create-session.ts'
import { recoverSession } from '../checkout/pay-session.ts'
import type { PaymentLinkRecord } from '../store/account-records.ts'
import type { SessionRecord } from '../store/records.ts'
import type { Store, Tx } from '../store/store.ts'
import { NOBODY } from '../store/store.ts'
import { sendPage } from './layout.ts'
import { languageOf } from './messages.ts'
import { noticePage } from './notice-page.ts'

/** Where a payment link leads: every visit opens a Checkout Session of its own, as long as the link is active. */
export function servePaymentLinks(app: FastifyInstance, store: Store): void {
  app.get('/b/:id', (request, reply) => {
    const { id } = request.params as { id: string }
    const link = store.get('payment_links', id)
    if (!link?.active) {
      return sendPage(reply, 404, noticePage(undefined, languageOf(null, request.headers['accept-language'])))
    }
    const session = store.transact(NOBODY, (tx) => openSession(tx, link))
    return reply.redirect(`/c/pay/${session.id}`, 303)
  })
}

/** Where an expired Session that can be recovered leads: a copy of it, opened by every visit. */
export function serveRecovery(app: FastifyInstance, store: Store): void {
  app.get('/c/recover/:id', (request, reply) => {
    const { id } = request.params as { id: string }
    const expired = store.get('sessions', id)
    const copy = expired && store.transact(NOBODY, (tx) => recoverSession(tx, expired))
    if (copy) return reply.redirect(`/c/pay/${copy.id}`, 303)
    const language = languageOf(expired?.locale ?? null, request.headers['accept-language'])
    return sendPage(reply, 404, noticePage(undefined, language))
  })
}

function openSession(tx: Tx, link: PaymentLinkRecord): SessionRecord {
  const after = link.afterCompletion
  const session = createSession(tx, {
    mode: 'payment',
    line_items: link.lineItems.map(({ price, quantity }) => ({ price, quantity })),
    // Without a page of the merchant's the payer is shown that it is paid.
    success_url:
      'redirect' in after ? after.redirect : `${tx.settings.publicUrl}/c/pay/{CHECKOUT_SESSION_ID}`,
    allow_promotion_codes: link.allowPromotionCodes,
    customer_creation: link.customerCreation,
    metadata: link.metadata,
    submit_type: link.submitType,
    ...(link.types ? { allowed_payment_method_types: [...link.types] } : {}),
  })
  const { custom_text: customText } = link.shown ?? {}
  return tx.put('sessions', {
    ...session,
    paymentLink: link.id,
    ...(customText ? { shown: { ...session.shown, custom_text: customText } } : {}),
    ...(link.paymentIntentData ? { paymentIntentData: link.paymentIntentData } : {}),
  })
}
