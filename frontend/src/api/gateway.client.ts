import { createClient } from '@passerelle/client'
import type { Data } from '@passerelle/client'
import type { Payment } from '@passerelle/client/payment'
import { ApiError } from '@passerelle/client/request'
import type { Language } from '../language/language.ts'
import { customerJwt } from '../customer/sign-in.ts'
import { siteConfig } from './site-config.ts'

export type CheckoutSession = Data<'POST /sessions'>

const gateway = createClient({ gatewayUrl: siteConfig.gatewayUrl, getToken: customerJwt })

/** The booking's open checkout session: the same one again while it lasts. */
export async function createSession(bookingId: string, locale?: Language): Promise<CheckoutSession> {
  // No amount: the gateway takes the price from the booking.
  return await gateway.call('POST /sessions', { body: locale ? { bookingId, locale } : { bookingId } })
}

/** The booking's open PaymentIntent, for paying on a page of this site: the same one again while it lasts. */
export async function createPayment(bookingId: string): Promise<Data<'POST /payments'>> {
  return await gateway.call('POST /payments', { body: { bookingId } })
}

/** Expires the session; the answer says `succeeded` when it was paid meanwhile. */
export async function cancelSession(sessionId: string): Promise<Payment> {
  return await gateway.call('POST /sessions/{sessionId}/cancel', { path: { sessionId } })
}

export type PaidWith = Data<'GET /payments/{bookingId}/receipt'>

/** What a paid booking was paid with: for its owner alone. */
export async function fetchReceipt(bookingId: string, signal: AbortSignal): Promise<PaidWith> {
  return await gateway.call('GET /payments/{bookingId}/receipt', { path: { bookingId }, signal })
}

/** Where to send the browser. Rejects what is not a web address, whoever said it. */
export function checkoutAddress(session: CheckoutSession): string {
  const protocol = URL.canParse(session.checkoutUrl) ? new URL(session.checkoutUrl).protocol : ''
  if (protocol === 'https:' || protocol === 'http:') return session.checkoutUrl
  throw new ApiError({ code: 'UNREADABLE', status: 200, requestId: null })
}
