import { successBody } from '@passerelle/contracts/envelope'
import { toDecimal } from '@passerelle/contracts/money'
import { BookingParams, RefundBody, RefundView } from '@passerelle/contracts/payment'
import type { Authenticate } from '@passerelle/kit/caller'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { operatorOf } from '../ops/operator.ts'
import { isoSecond } from '../outbox/announcement.ts'
import { requestRefund } from './request-refund.ts'
import type { RefundDeps, RefundPolicy } from './request-refund.ts'

const SANE_KEY = /^[\x21-\x7e]{1,255}$/

/** Giving money back, for operators and the platform's own services. */
export function refundRoutes(
  server: HttpServer,
  deps: RefundDeps & RefundPolicy & { readonly authenticate: Authenticate },
): void {
  server.post(
    '/payments/:bookingId/refunds',
    {
      schema: {
        summary: 'Gives back an amount of a payment, or all that is left of it',
        description:
          '409 APPROVAL_NEEDED: the refund is stored and waits for a second person (REFUND_ALONE_MAX_MINOR). Another operator who sends the same request with the Idempotency-Key of the message lets it through, once; after a day it lapses.',
        tags: ['refunds'],
        params: BookingParams,
        body: RefundBody,
        response: { 200: successBody(RefundView) },
      },
    },
    async (request) => {
      const operator = await operatorOf(request, deps.authenticate)
      const refund = await requestRefund(deps, {
        bookingId: request.params.bookingId,
        amount: request.body?.amount,
        amountMinor: request.body?.amountMinor,
        reason: request.body?.reason ?? null,
        idempotencyKey: idempotencyKeyOf(request.headers['idempotency-key']),
        requestedBy: operator.name,
        requestId: request.id,
      })
      const { id, paymentId, bookingId, state, amountMinor, currency, reason, createdAt } = refund
      return {
        success: true as const,
        data: {
          refundId: id,
          paymentId,
          bookingId,
          status: state,
          amount: toDecimal({ amountMinor, currency }),
          amountMinor,
          currency,
          reason,
          createdAt: isoSecond(createdAt),
        },
      }
    },
  )
}

function idempotencyKeyOf(header: string | string[] | undefined): string | null {
  if (header === undefined) return null
  if (typeof header === 'string' && SANE_KEY.test(header)) return header
  throw new ApiError('VALIDATION_ERROR', 'The Idempotency-Key must be 1 to 255 visible ASCII characters.')
}
