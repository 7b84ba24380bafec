import { answerSessionChallenge, expireSession } from '../checkout/pay-session.ts'
import { invalidRequest, noSuch } from '../errors.ts'
import { eventTypes, newWebhookEndpoint } from '../events/webhook-endpoint.ts'
import { cancelPayment, capturePayment } from '../payments/capture-payment.ts'
import { refundCharge, settleRefund } from '../payments/refund-charge.ts'
import { render } from '../resources.ts'
import type { PaymentIntentRecord, WebhookEndpointRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { NOBODY } from '../store/store.ts'
import type { ControlDeps, Route } from './control.ts'
import { idOf, numberOf, readJson, textOf } from './control.ts'

/** What a merchant does in Stripe's own Dashboard, and what the payer's bank does: with nobody's API call behind it. */
export function provocations(route: Route, { store }: ControlDeps): void {
  const act = (work: (tx: Tx) => object): object => store.transact(NOBODY, work)
  route('POST', 'sessions/:id/expire', (request) =>
    act((tx) => {
      const session = tx.get('sessions', idOf(request))
      if (!session) throw noSuch('checkout.session', idOf(request), { param: 'session' })
      return render(tx, 'sessions', expireSession(tx, session))
    }),
  )
  ofIntents(route, act)
  route('POST', 'charges/:id/refund', (request) =>
    act((tx) => {
      const charge = tx.get('charges', idOf(request))
      if (!charge) throw noSuch('charge', idOf(request), { param: 'id' })
      const amount = numberOf(readJson(request)['amount'])
      if (amount !== undefined && !(Number.isSafeInteger(amount) && amount > 0))
        throw invalidRequest('amount must be a whole number of minor units above 0.', { param: 'amount' })
      return render(tx, 'refunds', refundCharge(tx, charge, { amount, reason: null, metadata: {} }))
    }),
  )
  route('POST', 'refunds/:id/settle', (request) =>
    act((tx) => {
      const refund = tx.get('refunds', idOf(request))
      if (!refund) throw noSuch('refund', idOf(request), { param: 'refund' })
      if (refund.status !== 'pending') throw invalidRequest(`This refund is ${refund.status}, not pending.`)
      settleRefund(tx, refund.id)
      return render(tx, 'refunds', tx.get('refunds', refund.id) ?? refund)
    }),
  )
  ofEndpoints(route, act)
}

type Act = (work: (tx: Tx) => object) => object

function ofIntents(route: Route, act: Act): void {
  const onIntent = (
    name: string,
    change: (tx: Tx, intent: PaymentIntentRecord, body: Body) => unknown,
  ): void =>
    route('POST', `payment_intents/:id/${name}`, (request) =>
      act((tx) => {
        change(tx, intentOf(tx, idOf(request)), readJson(request))
        return render(tx, 'payment_intents', intentOf(tx, idOf(request)))
      }),
    )
  onIntent('authenticate', (tx, intent, body) => {
    if (intent.status !== 'requires_action')
      throw invalidRequest(`This PaymentIntent is ${intent.status}: no authentication is asked for.`)
    const result = textOf(body['result']) ?? 'complete'
    if (result !== 'complete' && result !== 'fail')
      throw invalidRequest('result must be complete or fail.', { param: 'result' })
    answerSessionChallenge(tx, intent, result === 'complete')
  })
  onIntent('capture', (tx, intent) => capturePayment(tx, intent, undefined))
  onIntent('cancel', (tx, intent) => cancelPayment(tx, intent, null))
}

function ofEndpoints(route: Route, act: Act): void {
  const switchTo = (name: string, status: WebhookEndpointRecord['status']): void =>
    route('POST', `webhook_endpoints/:id/${name}`, (request) =>
      act((tx) => {
        const endpoint = tx.get('webhook_endpoints', idOf(request))
        if (!endpoint) throw noSuch('webhook endpoint', idOf(request), { param: 'webhook_endpoint' })
        return render(tx, 'webhook_endpoints', tx.put('webhook_endpoints', { ...endpoint, status }))
      }),
    )
  switchTo('enable', 'enabled')
  switchTo('disable', 'disabled')
  route('POST', 'webhook_endpoints', (request) =>
    act((tx) => {
      const body = readJson(request)
      const url = textOf(body['url']) ?? ''
      if (!/^https?:/.test(url) || !URL.canParse(url))
        throw invalidRequest('url must be an http or https address.', { param: 'url' })
      const enabledEvents = eventTypes()(
        (textOf(body['events']) ?? '*').split(/[\s,]+/).filter((type) => type !== ''),
        'events',
      )
      const secret = textOf(body['secret'])
      const made = newWebhookEndpoint(tx, { url, enabledEvents, ...(secret === undefined ? {} : { secret }) })
      return { webhook_endpoint: made.id, url, secret: made.secrets[0]?.value }
    }),
  )
}

type Body = Readonly<Record<string, unknown>>

function intentOf(reads: Reads, id: string): PaymentIntentRecord {
  const intent = reads.get('payment_intents', id)
  if (!intent) throw noSuch('payment_intent', id, { param: 'intent' })
  return intent
}
