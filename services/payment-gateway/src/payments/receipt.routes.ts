import { successBody } from '@passerelle/contracts/envelope'
import { BookingParams, ReceiptView } from '@passerelle/contracts/payment'
import { refuseOverLimit } from '@passerelle/kit/caller'
import type { Authenticate } from '@passerelle/kit/caller'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { createRateLimiter } from '@passerelle/kit/rate-limit'
import { readReceipt } from '../stripe/facts.ts'
import type { StripeClient } from '../stripe/stripe.client.ts'
import { readable } from './authorize.ts'
import { findPaymentByBooking } from './payment.repository.ts'

type ReceiptDeps = {
  readonly pool: Pool
  readonly authenticate: Authenticate
  readonly stripe: StripeClient
}

// Ten a second, a tenth of what Stripe allows: a rush of payers who come back must not keep anybody from paying.
const RECEIPTS_PER_MINUTE = 600
const RETRY_AFTER_SECONDS = 5

/**
 * What the payer paid with, and Stripe's receipt: asked of Stripe each time and kept nowhere, so there is nothing to erase.
 * For the owner, not for whoever holds a status token: that one is made to be passed on.
 */
export function receiptRoutes(server: HttpServer, deps: ReceiptDeps): void {
  const reads = createRateLimiter(RECEIPTS_PER_MINUTE)
  server.get(
    '/payments/:bookingId/receipt',
    {
      schema: {
        summary: 'What a paid booking was paid with, and Stripe’s own receipt',
        tags: ['payments'],
        params: BookingParams,
        response: { 200: successBody(ReceiptView) },
      },
    },
    async (request) => {
      const { bookingId } = request.params
      const reader = { caller: await deps.authenticate(request), statusToken: null }
      const payment = await readable(deps.pool, await findPaymentByBooking(deps.pool, bookingId), reader)
      if (payment.paidAt === null || payment.paymentIntentId === null)
        throw new ApiError('INVALID_STATE', 'Nothing was paid for this booking yet: there is no receipt.')
      refuseOverLimit(reads.take('receipts'))
      const answer = await deps.stripe.retrieveIntent(payment.paymentIntentId)
      const receipt = answer.kind === 'answered' ? readReceipt(answer.object) : null
      if (receipt === null)
        throw new ApiError('STRIPE_UNAVAILABLE', 'Stripe does not tell the receipt right now.', {
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        })
      return { success: true as const, data: { bookingId, ...receipt } }
    },
  )
}
