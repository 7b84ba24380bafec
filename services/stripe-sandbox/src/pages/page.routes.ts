import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from '../errors.ts'
import type { FormObject } from '../http/form.ts'
import { emptyForm } from '../http/form.ts'
import { DISCOUNT_LOST } from '../checkout/pay-session.ts'
import { removePromotionCode } from '../checkout/redeem.ts'
import { format } from '../money.ts'
import type { SessionRecord } from '../store/records.ts'
import { NOBODY } from '../store/store.ts'
import type { FormState } from './checkout-page.ts'
import { checkoutPage, isOffered } from './checkout-page.ts'
import { serveChallenge } from './challenge.routes.ts'
import { html } from './html.ts'
import { CHECK } from './icons.ts'
import { sendPage } from './layout.ts'
import type { Language } from './messages.ts'
import { declineMessage, languageOf, messagesOf, numberLocale } from './messages.ts'
import { noticePage } from './notice-page.ts'
import type { PageDeps } from './payment-form.ts'
import { fieldOf, formOf, readPaymentForm, stateOf, valueOf } from './payment-form.ts'
import { repriced, servePromotionCodes } from './promotion-code.routes.ts'
import type { SubmitResult } from './submit-payment.ts'
import { submitPayment } from './submit-payment.ts'

type Visit = { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly language: Language }

/** The payer's pages: the hosted Checkout page, 3-D Secure, receipts. */
export function servePages(app: FastifyInstance, deps: PageDeps): void {
  app.get('/c/pay/:id', (request, reply) => {
    const { session, language } = visit(deps, request)
    if (session?.status !== 'open') return sendPage(reply, session ? 200 : 404, noticePage(session, language))
    return sendPage(
      reply,
      200,
      checkoutPage(session, language, afterChallenge(deps, session, language, request)),
    )
  })
  app.post('/c/pay/:id', async (request, reply) => {
    if (request.headers['sec-fetch-site'] === 'cross-site')
      return reply.code(403).send('Cross-site requests are refused.')
    const { session, language } = visit(deps, request)
    if (!session) return sendPage(reply, 404, noticePage(undefined, language))
    return submit(deps, session, { request, reply, language })
  })
  app.get('/c/receipt/:id', (request, reply) => {
    const charge = deps.store.get('charges', idOf(request))
    const language = languageOf(null, request.headers['accept-language'])
    if (!charge) return sendPage(reply, 404, noticePage(undefined, language))
    const text = messagesOf(language)
    const amount = format(charge.amountCaptured, charge.currency, numberLocale(language))
    const main = html`<div class="card notice">
      <span class="medal good">${CHECK}</span>
      <h1>${text.receiptTitle}</h1>
      <dl class="bill">
        <dt>${text.amount}</dt>
        <dd>${amount}</dd>
        <dt>${text.date}</dt>
        <dd>
          ${new Date(charge.created * 1000).toLocaleDateString(numberLocale(language), { dateStyle: 'long', timeZone: 'UTC' })}
        </dd>
        <dt>${text.reference}</dt>
        <dd><code>${charge.id}</code></dd>
      </dl>
    </div>`
    return sendPage(reply, 200, { language, title: text.receiptTitle, main })
  })
  servePromotionCodes(app, deps.store)
  serveChallenge(app, deps)
}

async function submit(deps: PageDeps, session: SessionRecord, visit: Visit): Promise<FastifyReply> {
  const form = formOf(visit.request)
  const fill = valueOf(form, 'fill')
  if (fill !== '')
    return sendPage(visit.reply, 200, checkoutPage(session, visit.language, filled(form, fill)))
  const done = session.submits[valueOf(form, 'token')]
  if (session.status !== 'open' && !done) return refuse(visit, session)
  const read = readPaymentForm(session, form, messagesOf(visit.language))
  if (read.kind === 'fault') return redisplay(visit, session, { ...stateOf(form), fault: read.fault })
  const result = await submitPayment(deps, session.id, read.submission).catch((error: unknown) => {
    if (error instanceof ApiError) return error
    throw error
  })
  if (result instanceof ApiError) {
    deps.log.debug({ session: session.id, err: result }, 'page.refused')
    if (result.details.code === DISCOUNT_LOST) return redisplayDearer(deps, visit, session, stateOf(form))
    return refuse(visit, deps.store.get('sessions', session.id) ?? session)
  }
  return follow(visit, session, { form, result })
}

function follow(
  visit: Visit,
  session: SessionRecord,
  done: { form: FormObject; result: SubmitResult },
): FastifyReply {
  const { result, form } = done
  if (result.status === 'declined') {
    const { code, decline_code: declineCode, message, param } = result.error
    const text = declineMessage(visit.language, { code, declineCode }, message)
    return redisplay(visit, session, { ...stateOf(form), fault: { field: fieldOf(param), message: text } })
  }
  const target = result.redirect ?? `/c/pay/${session.id}`
  if (wantsJson(visit.request)) return visit.reply.send({ status: result.status, redirect: target })
  return visit.reply.redirect(target, 303)
}

function redisplay(visit: Visit, session: SessionRecord, state: FormState): FastifyReply {
  if (wantsJson(visit.request))
    return visit.reply.send({ status: 'declined', submit: state.submit, fault: state.fault })
  return sendPage(visit.reply, 402, checkoutPage(session, visit.language, state))
}

// A code that the payer typed goes, so that they see what it costs now and may pay that. A discount of the merchant's stays:
// nobody but the merchant can offer another price.
function redisplayDearer(
  deps: PageDeps,
  visit: Visit,
  session: SessionRecord,
  state: FormState,
): FastifyReply {
  const { language } = visit
  const message = messagesOf(language).discountLost
  const typed = { value: session.discount?.label ?? '', fault: message }
  deps.store.transact(NOBODY, (tx) => removePromotionCode(tx, session))
  const now = deps.store.get('sessions', session.id) ?? session
  if (now.discount) return redisplay(visit, session, { ...state, fault: { field: null, message } })
  if (!wantsJson(visit.request))
    return sendPage(visit.reply, 402, checkoutPage(now, language, { ...state, code: typed }))
  return visit.reply.send({
    status: 'declined',
    submit: state.submit,
    ...repriced(session, now, { language, typed }),
  })
}

function refuse(visit: Visit, session: SessionRecord): FastifyReply {
  if (wantsJson(visit.request)) return visit.reply.code(409).send({ status: session.status })
  return sendPage(visit.reply, 409, noticePage(session, visit.language))
}

function filled(form: FormObject, value: string): FormState {
  const state = stateOf(form)
  if (!isOffered(value)) return state
  const email = state.values.email || 'ana@example.com'
  if (/^[A-Z]/.test(value))
    return { ...state, method: 'sepa_debit', values: { ...state.values, email, iban: value } }
  const year = String((new Date().getUTCFullYear() + 2) % 100).padStart(2, '0')
  return {
    ...state,
    method: 'card',
    values: { ...state.values, email, number: value, expiry: `12 / ${year}`, cvc: '123' },
  }
}

function afterChallenge(
  deps: PageDeps,
  session: SessionRecord,
  language: Language,
  request: FastifyRequest,
): FormState {
  const state = stateOf(emptyForm())
  const email = session.payer?.email ?? ''
  const asked = (request.query as { declined?: string }).declined !== undefined
  const error = deps.store.get('payment_intents', session.paymentIntent ?? '')?.lastPaymentError
  if (!asked || !error) return { ...state, values: { email } }
  const codes = { code: error.code ?? '', declineCode: error.decline_code ?? null }
  const message = declineMessage(language, codes, error.message ?? '')
  return { ...state, values: { email }, fault: { field: null, message } }
}

function visit(
  deps: PageDeps,
  request: FastifyRequest,
): { session: SessionRecord | undefined; language: Language } {
  const session = deps.store.get('sessions', idOf(request))
  return { session, language: languageOf(session?.locale ?? null, request.headers['accept-language']) }
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id
}

function wantsJson(request: FastifyRequest): boolean {
  return request.headers.accept?.startsWith('application/json') ?? false
}
