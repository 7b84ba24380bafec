import { successBody } from '@passerelle/contracts/envelope'
import {
  BookingParams,
  PaymentView,
  RequiredStatusTokenQuery,
  StatusTokenQuery,
} from '@passerelle/contracts/payment'
import type { Pool } from '@passerelle/kit/database'
import type { HttpServer } from '@passerelle/kit/http'
import { readable, readerOf } from './authorize.ts'
import type { ReaderDeps } from './authorize.ts'
import { paymentView } from './payment-view.ts'
import { findPayment, findPaymentByBooking } from './payment.repository.ts'
import { findPaymentIdByStatusToken } from './status-token.repository.ts'

type PaymentRoutesDeps = ReaderDeps & { readonly pool: Pool }

/** What a payer may ask about a payment: by JWT of its owner (or an operator), or by its status token. */
export function paymentRoutes(server: HttpServer, deps: PaymentRoutesDeps): void {
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

  server.get(
    '/status',
    {
      schema: {
        summary: 'The payment that a status token opens, for a link that names nothing else',
        tags: ['payments'],
        querystring: RequiredStatusTokenQuery,
        response: { 200: successBody(PaymentView) },
      },
    },
    async (request) => {
      const reader = await readerOf(request, deps)
      const id = await findPaymentIdByStatusToken(deps.pool, request.query.token)
      const payment = id === null ? null : await findPayment(deps.pool, id)
      return { success: true as const, data: paymentView(await readable(deps.pool, payment, reader)) }
    },
  )
}
