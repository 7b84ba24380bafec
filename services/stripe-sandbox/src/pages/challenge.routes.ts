import { timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { answerChallenge } from '../payments/confirm-payment.ts'
import { shownMeans } from '../payments/instruments.ts'
import type { PaymentIntentRecord } from '../store/records.ts'
import { NOBODY } from '../store/store.ts'
import { format } from '../money.ts'
import { html } from './html.ts'
import { CHECK, SHIELD } from './icons.ts'
import { sendPage } from './layout.ts'
import type { Page } from './layout.ts'
import type { Language } from './messages.ts'
import { languageOf, messagesOf, numberLocale } from './messages.ts'
import { noticePage } from './notice-page.ts'
import type { PageDeps } from './payment-form.ts'
import { formOf, valueOf } from './payment-form.ts'
import { submitChallenge } from './submit-payment.ts'

/** The page that stands for the payer's bank. */
export function serveChallenge(app: FastifyInstance, deps: PageDeps): void {
  app.get('/c/3ds/:id', (request, reply) => {
    const { client_secret: secret = '' } = request.query as { client_secret?: string }
    const language = languageFor(deps, request)
    const intent = find(deps, request, secret)
    if (!intent) return sendPage(reply, 404, noticePage(undefined, language))
    if (intent.status !== 'requires_action') return leave(deps, reply, { intent, language, returnUrl: null })
    return sendPage(reply, 200, challengePage(deps, intent, language))
  })
  app.post('/c/3ds/:id', async (request, reply) => {
    const form = formOf(request)
    const language = languageFor(deps, request)
    const intent = find(deps, request, valueOf(form, 'client_secret'))
    if (!intent) return sendPage(reply, 404, noticePage(undefined, language))
    if (intent.status !== 'requires_action') return leave(deps, reply, { intent, language, returnUrl: null })
    const passed = valueOf(form, 'answer') === 'complete'
    if (intent.session !== null) {
      const result = await submitChallenge(deps, intent.session, { intent: intent.id, passed })
      const target = result.status === 'declined' ? `/c/pay/${intent.session}?declined=1` : result.redirect
      return reply.redirect(target ?? `/c/pay/${intent.session}`, 303)
    }
    deps.store.transact(NOBODY, (tx) => answerChallenge(tx, intent, passed))
    return leave(deps, reply, { intent, language, returnUrl: intent.returnUrl })
  })
}

function challengePage(deps: PageDeps, intent: PaymentIntentRecord, language: Language): Page {
  const method = deps.store.get('payment_methods', intent.paymentMethod ?? '')
  const text = messagesOf(language)
  return {
    language,
    title: text.challengeTitle,
    main: html`<form class="card notice" method="post" action="/c/3ds/${intent.id}">
      <div class="bank">${SHIELD} <span>${text.challengeBank}</span> <small>3-D Secure</small></div>
      <h1>${text.challengeTitle}</h1>
      <dl class="bill">
        <dt>${text.amount}</dt>
        <dd>${format(intent.amount, intent.currency, numberLocale(language))}</dd>
        ${
          method
            ? html`<dt>${text.card}</dt>
                <dd>${shownMeans(method)}</dd>`
            : null
        }
      </dl>
      <p class="hint">${text.challengeText}</p>
      <input type="hidden" name="client_secret" value="${intent.clientSecret}" />
      <button class="primary" type="submit" name="answer" value="complete">${text.challengePass}</button>
      <button class="secondary" type="submit" name="answer" value="fail">${text.challengeFail}</button>
      ${intent.session === null ? null : html`<a href="/c/pay/${intent.session}">${text.challengeClose}</a>`}
    </form>`,
  }
}

// To the merchant's return_url with what Stripe adds to it, to the Session's page, or to a page that says it is over.
function leave(
  deps: PageDeps,
  reply: FastifyReply,
  to: { intent: PaymentIntentRecord; language: Language; returnUrl: string | null },
): FastifyReply {
  const intent = deps.store.get('payment_intents', to.intent.id) ?? to.intent
  if (intent.session !== null) return reply.redirect(`/c/pay/${intent.session}`, 303)
  if (to.returnUrl !== null) {
    const url = new URL(to.returnUrl)
    url.searchParams.set('payment_intent', intent.id)
    url.searchParams.set('payment_intent_client_secret', intent.clientSecret)
    const failed = intent.status === 'requires_payment_method'
    url.searchParams.set('redirect_status', failed ? 'failed' : 'succeeded')
    return reply.redirect(url.href, 303)
  }
  const text = messagesOf(to.language)
  const main = html`<div class="card notice">
    <span class="medal good">${CHECK}</span>
    <h1>${text.challengeTitle}</h1>
    <p>${text.challengeDone}</p>
  </div>`
  return sendPage(reply, 200, { language: to.language, title: text.challengeTitle, main })
}

function languageFor(deps: PageDeps, request: FastifyRequest): Language {
  const { id } = request.params as { id: string }
  const session = deps.store.get('sessions', deps.store.get('payment_intents', id)?.session ?? '')
  return languageOf(session?.locale ?? null, request.headers['accept-language'])
}

function find(deps: PageDeps, request: FastifyRequest, secret: string): PaymentIntentRecord | undefined {
  const { id } = request.params as { id: string }
  const intent = deps.store.get('payment_intents', id)
  if (!intent || secret.length !== intent.clientSecret.length) return undefined
  return timingSafeEqual(Buffer.from(secret), Buffer.from(intent.clientSecret)) ? intent : undefined
}
