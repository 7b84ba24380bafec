import { Type } from 'typebox'
import type { Static } from 'typebox'

/** What the gateway says of a payment (contract: `GET /payments/:bookingId/status`). */
export const PAYMENT_STATUSES = [
  'pending',
  'processing',
  'succeeded',
  'failed',
  'canceled',
  'expired',
  'partially_refunded',
  'refunded',
  'disputed',
] as const
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number]

/** What `verify` says of a Checkout Session; `complete` only when the money is received. */
export const SESSION_STATUSES = ['open', 'processing', 'complete', 'expired', 'failed'] as const
export type SessionStatus = (typeof SESSION_STATUSES)[number]

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const BookingId = Type.String({ minLength: 1, maxLength: 100, pattern: '^[A-Za-z0-9_-]+$' })
const Currency = Type.String({
  pattern: '^[A-Za-z]{3}$',
  description: 'ISO 4217, any case; lower case in answers',
})

export const CreatePaymentBody = Type.Object({
  bookingId: BookingId,
  amount: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: "decimal, in the currency's units" }),
  ),
  currency: Type.Optional(Currency),
  tourName: Type.Optional(Type.String({ maxLength: 250 })),
  customerEmail: Type.Optional(Type.String({ format: 'email', maxLength: 254 })),
})
export type CreatePaymentBody = Static<typeof CreatePaymentBody>

export const CheckoutSessionView = Type.Object({
  sessionId: Type.String(),
  checkoutUrl: Type.String(),
  paymentId: Type.String(),
  expiresAt: Type.String({ format: 'date-time' }),
  statusToken: Type.String(),
})
export type CheckoutSessionView = Static<typeof CheckoutSessionView>

export const SessionVerification = Type.Object({
  sessionId: Type.String(),
  bookingId: Type.String(),
  status: Type.Enum(SESSION_STATUSES),
  paymentStatus: Type.Enum(PAYMENT_STATUSES),
  amount: Type.Number(),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  paidAt: Nullable(Type.String({ format: 'date-time' })),
})
export type SessionVerification = Static<typeof SessionVerification>

export const PaymentView = Type.Object({
  bookingId: Type.String(),
  status: Type.Enum(PAYMENT_STATUSES),
  amount: Type.Number(),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  paidAt: Nullable(Type.String({ format: 'date-time' })),
  refundedAmount: Type.Number(),
  refundedAmountMinor: Type.Integer(),
  errorCode: Nullable(Type.String()),
  errorMessage: Nullable(Type.String()),
  updatedAt: Type.String({ format: 'date-time' }),
  version: Type.Integer({ minimum: 0 }),
})
export type PaymentView = Static<typeof PaymentView>

export const SessionParams = Type.Object({
  sessionId: Type.String({ minLength: 1, maxLength: 255, pattern: '^[A-Za-z0-9_-]+$' }),
})
export const BookingParams = Type.Object({ bookingId: BookingId })
export const StatusTokenQuery = Type.Object({ token: Type.Optional(Type.String({ maxLength: 128 })) })

export const PaymentIntentView = Type.Object({
  paymentId: Type.String(),
  paymentIntentId: Type.String(),
  clientSecret: Type.String(),
  amount: Type.Number(),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  statusToken: Type.String(),
})
export type PaymentIntentView = Static<typeof PaymentIntentView>

export const CreateRefundBody = Type.Object({
  amount: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: "decimal, in the currency's units" }),
  ),
  amountMinor: Type.Optional(Type.Integer({ minimum: 1 })),
  reason: Type.Optional(Type.Enum(['duplicate', 'fraudulent', 'requested_by_customer'])),
})
export type CreateRefundBody = Static<typeof CreateRefundBody>

export const RefundView = Type.Object({
  refundId: Type.String(),
  paymentId: Type.String(),
  bookingId: Type.String(),
  status: Type.Enum(['pending', 'requires_action', 'succeeded', 'canceled', 'failed']),
  amount: Type.Number(),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  reason: Nullable(Type.String()),
  createdAt: Type.String({ format: 'date-time' }),
})
export type RefundView = Static<typeof RefundView>
