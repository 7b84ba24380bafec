import type { CheckoutSessionView, CreatePaymentBody, PaymentView } from '@passerelle/contracts/payment'
import { asCustomer } from '../customer/sign-in.ts'
import { ApiError, requestData } from './request.ts'
import { siteConfig } from './site-config.ts'

const PREFIX = '/api/v1/payment-gateway'

/** The booking's open checkout session: the same one again while it lasts. */
export async function createSession(bookingId: string): Promise<CheckoutSessionView> {
  // No amount: the gateway takes the price from the booking.
  const body: CreatePaymentBody = { bookingId }
  const url = `${siteConfig.gatewayUrl}${PREFIX}/sessions`
  return await asCustomer((jwt) => requestData<CheckoutSessionView>(url, { method: 'POST', body, jwt }))
}

/** Expires the session; the answer says `succeeded` when it was paid meanwhile. */
export async function cancelSession(sessionId: string): Promise<PaymentView> {
  const url = `${siteConfig.gatewayUrl}${PREFIX}/sessions/${encodeURIComponent(sessionId)}/cancel`
  return await asCustomer((jwt) => requestData<PaymentView>(url, { method: 'POST', body: {}, jwt }))
}

/** Where to send the browser. Rejects what is not a web address, whoever said it. */
export function checkoutAddress(session: CheckoutSessionView): string {
  const protocol = URL.canParse(session.checkoutUrl) ? new URL(session.checkoutUrl).protocol : ''
  if (protocol === 'https:' || protocol === 'http:') return session.checkoutUrl
  throw new ApiError({ code: 'UNREADABLE', status: 200, requestId: null })
}
