import {
  AdminPaymentsQuery,
  AdminPaymentView,
  listBody,
  PaymentDetail,
  PaymentParams,
} from '@passerelle/contracts/admin'
import { successBody } from '@passerelle/contracts/envelope'
import { toDecimal } from '@passerelle/contracts/money'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { pageOf, pageWish } from './page.ts'
import { findStoredPayment, listPayments } from './payment-list.repository.ts'
import type { StoredPayment } from './payment-list.repository.ts'
import { timelineEntry } from './timeline.ts'
import { readTimeline } from './timeline.repository.ts'

const TAGS = ['admin']
// A payment has a few dozen; one whose booking service was away for days has thousands of attempts.
const TIMELINE_MAX = 1000

/** Every payment, and everything that ever happened to one. */
export function adminPaymentRoutes(server: HttpServer, { pool }: { readonly pool: Pool }): void {
  server.get(
    '/payments',
    {
      schema: {
        summary: 'The payments, newest first; `q` finds one by any id that leads to it',
        tags: TAGS,
        querystring: AdminPaymentsQuery,
        response: { 200: listBody(AdminPaymentView) },
      },
    },
    async ({ query }) => {
      const page = pageWish(query)
      return pageOf(await listPayments(pool, query, page), page.limit, paymentView)
    },
  )

  server.get(
    '/payments/:paymentId',
    {
      schema: {
        summary:
          'One payment with its whole timeline: attempts, events, changes, deliveries, money, operators',
        tags: TAGS,
        params: PaymentParams,
        response: { 200: successBody(PaymentDetail) },
      },
    },
    async ({ params }) => {
      const payment = await findStoredPayment(pool, params.paymentId)
      if (payment === null) throw new ApiError('NOT_FOUND', 'There is no such payment.')
      const entries = await readTimeline(pool, payment, TIMELINE_MAX + 1)
      return {
        success: true as const,
        data: {
          ...paymentView(payment),
          timeline: entries.slice(-TIMELINE_MAX).map((entry) => timelineEntry(entry, payment.currency)),
          timelineComplete: entries.length <= TIMELINE_MAX,
        },
      }
    },
  )
}

function paymentView(payment: StoredPayment): AdminPaymentView {
  return {
    ...payment,
    amount: toDecimal(payment),
    paidAt: payment.paidAt?.toISOString() ?? null,
    createdAt: payment.createdAt.toISOString(),
    updatedAt: payment.updatedAt.toISOString(),
  }
}
