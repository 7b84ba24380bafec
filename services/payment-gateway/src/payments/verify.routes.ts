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
import { findAttemptBySession, findNewestAttempt } from '../checkout/attempt.repository.ts'
import { readable, readerOf } from './authorize.ts'
import type { ReaderDeps } from './authorize.ts'
import { paymentView, sessionVerification } from './payment-view.ts'
import { findPayment, findPaymentByBooking } from './payment.repository.ts'
import { verifyAttempt } from './verify-attempt.ts'
import type { VerifyDeps } from './verify-attempt.ts'

/** What a payer's return asks: where the payment stands, after asking Stripe while it may still change. */
export function verifyRoutes(server: HttpServer, deps: VerifyDeps & ReaderDeps): void {
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
        data: sessionVerification(sessionId, await verifyAttempt(deps, attempt, payment)),
      }
    },
  )

  server.get(
    '/payments/:bookingId/verify',
    {
      schema: {
        summary: 'Where the payment of a booking stands, asking Stripe while it is not final',
        tags: ['payments'],
        params: BookingParams,
        querystring: StatusTokenQuery,
        response: { 200: successBody(PaymentView) },
      },
    },
    async (request) => {
      const reader = await readerOf(request, deps)
      const found = await findPaymentByBooking(deps.pool, request.params.bookingId)
      const payment = await readable(deps.pool, found, reader)
      const attempt = await findNewestAttempt(deps.pool, payment.id)
      const after = attempt === null ? payment : await verifyAttempt(deps, attempt, payment)
      return { success: true as const, data: paymentView(after) }
    },
  )
}
