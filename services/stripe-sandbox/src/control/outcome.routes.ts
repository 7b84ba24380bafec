import { applyPromotionCode } from '../checkout/redeem.ts'
import { invalidRequest, noSuch } from '../errors.ts'
import { newSecret } from '../events/webhook-endpoint.ts'
import { meansOf, submitChallenge, submitPayment } from '../pages/submit-payment.ts'
import { isClosed, isInquiry } from '../payments/dispute.ts'
import { decideDispute, openDispute, warnOfFraud } from '../payments/dispute-charge.ts'
import { failRefund } from '../payments/refund-charge.ts'
import { settleDebit } from '../payments/settle-payment.ts'
import { render } from '../resources.ts'
import type { Tx } from '../store/store.ts'
import { NOBODY } from '../store/store.ts'
import type { ControlDeps, Route } from './control.ts'
import { idOf, numberOf, readJson, textOf } from './control.ts'

const VERDICTS = ['won', 'lost']
const INQUIRY_VERDICTS = ['warning_closed', 'escalate']
const DISPUTES = ['fraudulent', 'product_not_received', 'inquiry', 'duplicate', 'general', 'unrecognized']
const OVERLAP_S = 86_400

/** What the payer, the payer's bank and the Dashboard do: for scripts and tests. */
export function outcomes(route: Route, deps: ControlDeps): void {
  const { store } = deps
  const act: Act = (work) => store.transact(NOBODY, work)
  route('POST', 'sessions/:id/pay', async (request) => {
    const body = readJson(request)
    const result = await submitPayment(deps, idOf(request), {
      means: meansOf(textOf(body['card']) ?? 'pm_card_visa'),
      email: textOf(body['email']),
    })
    const answer = textOf(body['authenticate'])
    if (result.status !== 'requires_action' || answer === undefined) return result
    const intent = store.get('sessions', idOf(request))?.paymentIntent ?? ''
    return submitChallenge(deps, idOf(request), { intent, passed: answer === 'complete' })
  })
  route('POST', 'sessions/:id/promotion_code', (request) =>
    act((tx) => {
      const session = tx.get('sessions', idOf(request))
      if (!session) throw noSuch('checkout.session', idOf(request), { param: 'session' })
      const refusal = applyPromotionCode(tx, session, textOf(readJson(request)['code']) ?? '')
      if (refusal) throw invalidRequest(refusal.message, { param: 'code' })
      return render(tx, 'sessions', tx.get('sessions', session.id) ?? session)
    }),
  )
  banksDecisions(route, act)
  route('POST', 'refunds/:id/fail', (request) =>
    act((tx) => {
      const refund = tx.get('refunds', idOf(request))
      if (!refund) throw noSuch('refund', idOf(request), { param: 'refund' })
      if (refund.status === 'failed') throw invalidRequest('This refund has already failed.')
      return render(tx, 'refunds', failRefund(tx, refund, textOf(readJson(request)['reason']) ?? 'unknown'))
    }),
  )
  route('POST', 'webhook_endpoints/:id/roll', (request) =>
    act((tx) => {
      const endpoint = tx.get('webhook_endpoints', idOf(request))
      if (!endpoint) throw noSuch('webhook endpoint', idOf(request), { param: 'webhook_endpoint' })
      const body = readJson(request)
      const overlap = Math.min(numberOf(body['overlapSeconds']) ?? OVERLAP_S, OVERLAP_S)
      if (!(overlap >= 0))
        throw invalidRequest('overlapSeconds must be a number from 0.', { param: 'overlapSeconds' })
      const value = textOf(body['secret']) ?? newSecret()
      const old = endpoint.secrets.map((secret) => ({
        value: secret.value,
        expiresAtMs: secret.expiresAtMs ?? tx.nowMs + overlap * 1000,
      }))
      tx.put('webhook_endpoints', { ...endpoint, secrets: [{ value, expiresAtMs: null }, ...old] })
      return { webhook_endpoint: endpoint.id, secret: value, overlapSeconds: overlap }
    }),
  )
}

type Act = (work: (tx: Tx) => object) => object

function banksDecisions(route: Route, act: Act): void {
  route('POST', 'payment_intents/:id/settle', (request) =>
    act((tx) => {
      const result = textOf(readJson(request)['result']) ?? 'paid'
      if (result !== 'paid' && result !== 'failed')
        throw invalidRequest('result must be paid or failed.', { param: 'result' })
      const intent = tx.get('payment_intents', idOf(request))
      if (!intent) throw noSuch('payment_intent', idOf(request), { param: 'intent' })
      if (intent.status !== 'processing')
        throw invalidRequest(`This PaymentIntent is ${intent.status}, not processing.`)
      settleDebit(tx, intent.id, result)
      return render(tx, 'payment_intents', tx.get('payment_intents', intent.id) ?? intent)
    }),
  )
  route('POST', 'charges/:id/dispute', (request) =>
    act((tx) => {
      const reason = textOf(readJson(request)['reason']) ?? 'fraudulent'
      if (!DISPUTES.includes(reason))
        throw invalidRequest(`reason must be one of ${DISPUTES.join(', ')}.`, { param: 'reason' })
      const dispute = openDispute(tx, idOf(request), reason)
      if (!dispute) throw noSuch('captured charge', idOf(request), { param: 'id' })
      return render(tx, 'disputes', dispute)
    }),
  )
  route('POST', 'charges/:id/warn', (request) =>
    act((tx) => {
      if (!tx.get('charges', idOf(request))?.paid) throw noSuch('paid charge', idOf(request), { param: 'id' })
      warnOfFraud(tx, idOf(request))
      return { charge: idOf(request) }
    }),
  )
  route('POST', 'disputes/:id/decide', (request) =>
    act((tx) => {
      const dispute = tx.get('disputes', idOf(request))
      if (!dispute) throw noSuch('dispute', idOf(request), { param: 'dispute' })
      if (isClosed(dispute)) throw invalidRequest('This dispute is already closed')
      // Any other verdict would move money that was never taken, or take it twice.
      const verdicts = isInquiry(dispute) ? INQUIRY_VERDICTS : VERDICTS
      const verdict = textOf(readJson(request)['verdict']) ?? ''
      if (!verdicts.includes(verdict))
        throw invalidRequest(`verdict must be one of ${verdicts.join(', ')} while it is ${dispute.status}.`, {
          param: 'verdict',
        })
      decideDispute(tx, dispute.id, verdict)
      return render(tx, 'disputes', tx.get('disputes', dispute.id) ?? dispute)
    }),
  )
}
