import type { Tracing } from '@passerelle/kit/tracing'
import type { EventsAnswer, StripeAnswer, StripeClient } from './stripe.client.ts'

/** The same client, each call of which is a span; the very same where there is no tracing. */
export function tracedStripeClient(client: StripeClient, tracing: Tracing): StripeClient {
  if (!tracing.isOn) return client
  const traced =
    <A extends unknown[], R extends StripeAnswer | EventsAnswer>(
      name: string,
      call: (...args: A) => Promise<R>,
    ) =>
    async (...args: A): Promise<R> => {
      const span = tracing.open(`stripe ${name}`, { kind: 'client' })
      try {
        const answer = await span.within(() => call(...args))
        const isFailed = answer.kind !== 'answered' && answer.kind !== 'not_found'
        span.end({ isFailed, attributes: { 'passerelle.outcome': answer.kind } })
        return answer
      } catch (error) {
        span.end({ isFailed: true })
        throw error
      }
    }
  return {
    nowSeconds: client.nowSeconds,
    askNowSeconds: client.askNowSeconds,
    createSession: traced('createSession', client.createSession),
    retrieveSession: traced('retrieveSession', client.retrieveSession),
    expireSession: traced('expireSession', client.expireSession),
    findSessionOfAttempt: traced('findSessionOfAttempt', client.findSessionOfAttempt),
    createIntent: traced('createIntent', client.createIntent),
    findIntentOfAttempt: traced('findIntentOfAttempt', client.findIntentOfAttempt),
    retrieveIntent: traced('retrieveIntent', client.retrieveIntent),
    cancelIntent: traced('cancelIntent', client.cancelIntent),
    createRefund: traced('createRefund', client.createRefund),
    findRefundOfRequest: traced('findRefundOfRequest', client.findRefundOfRequest),
    retrieveIntentWithRefunds: traced('retrieveIntentWithRefunds', client.retrieveIntentWithRefunds),
    retrieveRefund: traced('retrieveRefund', client.retrieveRefund),
    retrieveBalanceTransaction: traced('retrieveBalanceTransaction', client.retrieveBalanceTransaction),
    retrieveDispute: traced('retrieveDispute', client.retrieveDispute),
    retrieveCharge: traced('retrieveCharge', client.retrieveCharge),
    retrieveFraudWarning: traced('retrieveFraudWarning', client.retrieveFraudWarning),
    listEvents: traced('listEvents', client.listEvents),
  }
}
