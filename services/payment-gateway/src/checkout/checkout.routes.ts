import { toDecimal } from '@passerelle/contracts/money'
import { successBody } from '@passerelle/contracts/envelope'
import {
  CheckoutSessionView,
  CreatePaymentBody,
  PaymentIntentView,
  PaymentView,
  SessionParams,
} from '@passerelle/contracts/payment'
import type { Authenticate, Caller } from '@passerelle/kit/caller'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { readable } from '../payments/authorize.ts'
import { paymentView } from '../payments/payment-view.ts'
import { findPayment } from '../payments/payment.repository.ts'
import { findAttemptBySession } from './attempt.repository.ts'
import { startAttempt } from './start-attempt.ts'
import type { CheckoutDeps } from './start-attempt.ts'
import { withdrawAttempt } from './withdraw-attempt.ts'

export type CheckoutRoutesDeps = CheckoutDeps & { readonly authenticate: Authenticate }

/** Opening and giving up the payment of a booking. */
export function checkoutRoutes(server: HttpServer, deps: CheckoutRoutesDeps): void {
  openSession(server, deps)
  openIntent(server, deps)
  cancelSession(server, deps)
}

function openSession(server: HttpServer, deps: CheckoutRoutesDeps): void {
  server.post(
    '/sessions',
    {
      schema: {
        summary: 'Opens a Checkout Session for a booking, or returns the open one',
        tags: ['checkout'],
        body: CreatePaymentBody,
        response: { 200: successBody(CheckoutSessionView) },
      },
    },
    async (request) => {
      const caller = await deps.authenticate(request)
      const { payment, attempt, statusToken } = await startAttempt(
        deps,
        caller,
        request.body,
        'checkout_session',
      )
      const { sessionId, checkoutUrl, expiresAt } = attempt
      if (sessionId === null || checkoutUrl === null || expiresAt === null)
        throw new ApiError(
          'PAYMENT_IN_PROGRESS',
          'This payment was just completed or closed. Ask for its status.',
        )
      return {
        success: true as const,
        data: {
          sessionId,
          checkoutUrl,
          paymentId: payment.id,
          expiresAt: expiresAt.toISOString(),
          statusToken,
          statusUrl: statusUrl(deps, statusToken),
        },
      }
    },
  )
}

function openIntent(server: HttpServer, deps: CheckoutRoutesDeps): void {
  server.post(
    '/payments',
    {
      schema: {
        summary: 'Opens a PaymentIntent for a booking (Stripe Elements), or returns the open one',
        tags: ['checkout'],
        body: CreatePaymentBody,
        response: { 200: successBody(PaymentIntentView) },
      },
    },
    async (request) => {
      const caller = await deps.authenticate(request)
      const { payment, attempt, clientSecret, statusToken } = await startAttempt(
        deps,
        caller,
        request.body,
        'payment_intent',
      )
      if (attempt.paymentIntentId === null || clientSecret === null)
        throw new ApiError(
          'PAYMENT_IN_PROGRESS',
          'This payment was just completed or closed. Ask for its status.',
        )
      const { amountMinor, currency } = attempt
      return {
        success: true as const,
        data: {
          paymentId: payment.id,
          paymentIntentId: attempt.paymentIntentId,
          clientSecret,
          amount: toDecimal({ amountMinor, currency }),
          amountMinor,
          currency,
          statusToken,
          statusUrl: statusUrl(deps, statusToken),
        },
      }
    },
  )
}

/** The shop's page for whoever has this link: it works logged out and on another device. */
function statusUrl({ frontendUrl }: CheckoutDeps, statusToken: string): string {
  return `${frontendUrl}/p/${statusToken}`
}

function cancelSession(server: HttpServer, deps: CheckoutRoutesDeps): void {
  server.post(
    '/sessions/:sessionId/cancel',
    {
      schema: {
        summary:
          'Gives a Checkout Session up: it is expired at Stripe; if it was paid meanwhile, the answer says so',
        tags: ['checkout'],
        params: SessionParams,
        response: { 200: successBody(PaymentView) },
      },
    },
    async (request) => {
      const caller = await deps.authenticate(request)
      const attempt = await findAttemptBySession(deps.pool, request.params.sessionId)
      if (attempt === null) throw new ApiError('NOT_FOUND', 'There is no such payment.')
      const reader = { caller, statusToken: null }
      const payment = await readable(deps.pool, await findPayment(deps.pool, attempt.paymentId), reader)
      const actor = actorOf(caller, payment.customerId)
      const by = actor === null ? null : { actor, requestId: request.id, statusBefore: payment.status }
      const after =
        attempt.state === 'closed' ? payment : await withdrawAttempt(deps, attempt, 'canceled', by)
      return { success: true as const, data: paymentView(after) }
    },
  )
}

/** Who acts in the name of the platform; null for customers, who give up what is their own. */
function actorOf(caller: Caller, customerId: string | null): string | null {
  if (caller.kind === 'service') return 'service'
  return caller.isOperator && caller.customerId !== customerId ? caller.customerId : null
}
