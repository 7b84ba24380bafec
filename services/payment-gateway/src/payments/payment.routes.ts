import { successBody } from '@passerelle/contracts/envelope'
import {
  BookingParams,
  PaymentView,
  SessionParams,
  SessionVerification,
  StatusTokenQuery,
} from '@passerelle/contracts/payment'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { findAttemptBySession } from '../checkout/attempt.repository.ts'
import { readable, readerOf } from './authorize.ts'
import type { ReaderDeps } from './authorize.ts'
import { paymentView, sessionVerification } from './payment-view.ts'
import { findPayment, findPaymentByBooking } from './payment.repository.ts'
import { verifySession } from './verify-session.ts'
import type { VerifyDeps } from './verify-session.ts'

export type PaymentRoutesDeps = VerifyDeps & ReaderDeps

/** What a payer may ask about a payment: by JWT of its owner (or an operator), or by its status token. */
export function paymentRoutes(server: HttpServer, deps: PaymentRoutesDeps): void {
  server.get(
    '/sessions/:sessionId/verify',
    {
      schema: {
        summary: 'Where the payment of a Checkout Session stands, asking Stripe while it is not final',
        tags: ['payments'],
        params: SessionParams,
        querystring: StatusTokenQuery,
        response: { 200: successBody(SessionVerification) },
      },
    },
    async (request) => {
      const { sessionId } = request.params
      const reader = await readerOf(request, deps)
      const attempt = await findAttemptBySession(deps.pool, sessionId)
      if (attempt === null) throw new ApiError('NOT_FOUND', 'There is no such payment.')
      const payment = await readable(deps.pool, await findPayment(deps.pool, attempt.paymentId), reader)
      return {
        success: true as const,
        data: sessionVerification(sessionId, await verifySession(deps, attempt, payment)),
      }
    },
  )

  server.get(
    '/payments/:bookingId/status',
    {
      schema: {
        summary: 'Where the payment of a booking stands, as known here',
        tags: ['payments'],
        params: BookingParams,
        querystring: StatusTokenQuery,
        response: { 200: successBody(PaymentView) },
      },
    },
    async (request) => {
      const reader = await readerOf(request, deps)
      const payment = await findPaymentByBooking(deps.pool, request.params.bookingId)
      return { success: true as const, data: paymentView(await readable(deps.pool, payment, reader)) }
    },
  )
}
