import { successBody } from '@passerelle/contracts/envelope'
import {
  BookingParams,
  PaymentView,
  RequiredStatusTokenQuery,
  StatusTokenQuery,
} from '@passerelle/contracts/payment'
import { Type } from 'typebox'
import type { Pool } from '@passerelle/kit/database'
import type { HttpServer } from '@passerelle/kit/http'
import { readable, readerOf } from './authorize.ts'
import type { ReaderDeps } from './authorize.ts'
import { isUnchanged } from './not-modified.ts'
import { paymentView } from './payment-view.ts'
import { findPayment, findPaymentByBooking } from './payment.repository.ts'
import { findPaymentIdByStatusToken } from './status-token.repository.ts'

const ANSWERS = {
  200: successBody(PaymentView),
  304: Type.Null({
    description: 'Nothing changed since the answer that `If-None-Match` names by its `ETag`.',
  }),
}

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
        response: ANSWERS,
      },
    },
    async (request, reply) => {
      const reader = await readerOf(request, deps)
      const found = await findPaymentByBooking(deps.pool, request.params.bookingId)
      const payment = await readable(deps.pool, found, reader)
      if (isUnchanged(request, reply, payment)) return await reply.code(304).send(null)
      return { success: true as const, data: paymentView(payment) }
    },
  )

  server.get(
    '/status',
    {
      schema: {
        summary: 'The payment that a status token opens, for a link that names nothing else',
        tags: ['payments'],
        querystring: RequiredStatusTokenQuery,
        response: ANSWERS,
      },
    },
    async (request, reply) => {
      const reader = await readerOf(request, deps)
      const id = await findPaymentIdByStatusToken(deps.pool, request.query.token)
      const found = id === null ? null : await findPayment(deps.pool, id)
      const payment = await readable(deps.pool, found, reader)
      if (isUnchanged(request, reply, payment)) return await reply.code(304).send(null)
      return { success: true as const, data: paymentView(payment) }
    },
  )
}
