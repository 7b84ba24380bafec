import type { FastifyInstance } from 'fastify'
import type { Refusal } from '../checkout/discount.ts'
import { applyPromotionCode, removePromotionCode } from '../checkout/redeem.ts'
import { totalOf } from '../checkout/session.ts'
import type { SessionRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { NOBODY } from '../store/store.ts'
import { emptyForm } from '../http/form.ts'
import { checkoutPage, payLabel } from './checkout-page.ts'
import { sendPage } from './layout.ts'
import type { Language, Messages } from './messages.ts'
import { languageOf, messagesOf } from './messages.ts'
import { noticePage } from './notice-page.ts'
import type { TypedCode } from './order-summary.ts'
import { orderSummary } from './order-summary.ts'
import { formOf, stateOf, valueOf } from './payment-form.ts'

const FAULTS: Readonly<Record<Refusal['why'], keyof Messages>> = {
  expired: 'codeExpired',
  elsewhere: 'codeElsewhere',
  minimum: 'codeMinimum',
  too_small: 'codeMinimum',
}

/** Where the payer types a promotion code, or takes it away again: with a script in place, without one as a page. */
export function servePromotionCodes(app: FastifyInstance, store: Store): void {
  app.post('/c/pay/:id/promotion_code', (request, reply) => {
    const { id } = request.params as { id: string }
    const session = store.get('sessions', id)
    const language = languageOf(session?.locale ?? null, request.headers['accept-language'])
    if (request.headers['sec-fetch-site'] === 'cross-site')
      return reply.code(403).send('Cross-site requests are refused.')
    if (session?.status !== 'open' || !session.allowPromotionCodes)
      return sendPage(reply, session ? 409 : 404, noticePage(session, language))
    const form = formOf(request)
    const typed = valueOf(form, 'code')
    const refusal = store.transact(NOBODY, (tx) => {
      if (valueOf(form, 'remove') === '') return applyPromotionCode(tx, session, typed)
      removePromotionCode(tx, session)
      return null
    })
    const fault = refusal ? messagesOf(language)[FAULTS[refusal.why]] : ''
    const now = store.get('sessions', id) ?? session
    if (request.headers.accept?.startsWith('application/json')) {
      const shown = repriced(session, now, { language, typed: { value: typed, fault } })
      return reply.send({ ...shown, isRefused: refusal !== null })
    }
    if (refusal === null) return reply.redirect(`/c/pay/${id}`, 303)
    const state = { ...stateOf(emptyForm()), code: { value: typed, fault } }
    return sendPage(reply, 400, checkoutPage(now, language, state))
  })
}

/** What the page's script puts in place when the price changed. */
export function repriced(
  before: SessionRecord,
  now: SessionRecord,
  { language, typed }: { language: Language; typed: TypedCode },
): { order: string; pay: string; isOther: boolean } {
  return {
    order: orderSummary(now, language, typed).html,
    pay: payLabel(now, language),
    // From or to nothing to pay the card fields come or go: the whole page changes.
    isOther: (totalOf(now) === 0) !== (totalOf(before) === 0),
  }
}
