import { Type } from 'typebox'
import type { Static } from 'typebox'
import { Nullable } from './nullable.ts'

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
  locale: Type.Optional(Type.Enum(['fr', 'en'], { description: "the payment page's language" })),
})
export type CreatePaymentBody = Static<typeof CreatePaymentBody>

export const CheckoutSessionView = Type.Object({
  sessionId: Type.String(),
  checkoutUrl: Type.String(),
  paymentId: Type.String(),
  expiresAt: Type.String({ format: 'date-time' }),
  statusToken: Type.String(),
  statusUrl: Type.String({ description: 'the page that shows this payment to whoever has this link' }),
})
export type CheckoutSessionView = Static<typeof CheckoutSessionView>

/** What became of money that this session brought although the booking had been paid before. */
export const DUPLICATE_STATES = ['not_charged', 'refunding', 'refunded'] as const
export type DuplicateState = (typeof DUPLICATE_STATES)[number]

export const SessionVerification = Type.Object({
  sessionId: Type.String(),
  bookingId: Type.String(),
  status: Type.Enum(SESSION_STATUSES),
  paymentStatus: Type.Enum(PAYMENT_STATUSES),
  amount: Type.Number(),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  paidAt: Nullable(Type.String({ format: 'date-time' })),
  duplicate: Type.Union([Type.Enum(DUPLICATE_STATES), Type.Null()], {
    description: 'set when the booking was paid by another session than this one',
  }),
})
export type SessionVerification = Static<typeof SessionVerification>

/** What the bank advises after a refusal (Stripe's `advice_code`). */
export const ADVICE_CODES = ['confirm_card_data', 'do_not_try_again', 'try_again_later'] as const
export type AdviceCode = (typeof ADVICE_CODES)[number]

export const NEXT_ACTIONS = ['authenticate'] as const
export type NextAction = (typeof NEXT_ACTIONS)[number]

export const PaymentView = Type.Object({
  bookingId: Type.String(),
  status: Type.Enum(PAYMENT_STATUSES),
  amount: Type.Number(),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  paidAt: Nullable(Type.String({ format: 'date-time' })),
  refundedAmount: Type.Number(),
  refundedAmountMinor: Type.Integer(),
  refundedAt: Nullable(Type.String({ format: 'date-time' })),
  errorCode: Nullable(Type.String({ description: 'a cause the payer can act on, or `generic_decline`' })),
  errorMessage: Nullable(Type.String()),
  adviceCode: Type.Union([Type.Enum(ADVICE_CODES), Type.Null()], {
    description: 'what the bank advises after a refusal, where it may be told',
  }),
  nextAction: Type.Union([Type.Enum(NEXT_ACTIONS), Type.Null()], {
    description: 'what the payer still has to do for the bank',
  }),
  expectedBy: Type.Union([Type.String({ format: 'date' }), Type.Null()], {
    description: 'by when a payment that is being processed usually arrives',
  }),
  bookingLost: Type.Boolean({
    description: 'paid, but the seats had been given to others when the money came',
  }),
  updatedAt: Type.String({ format: 'date-time' }),
  version: Type.Integer({ minimum: 0 }),
})
export type PaymentView = Static<typeof PaymentView>

/** What the payer paid with, and Stripe's own receipt. */
export const ReceiptView = Type.Object({
  bookingId: Type.String(),
  method: Type.String({ description: "Stripe's type of payment method, such as `card` or `sepa_debit`" }),
  brand: Nullable(Type.String({ description: "the card's brand in Stripe's word, such as `visa`" })),
  last4: Nullable(Type.String({ description: 'the last four digits of the card or the account' })),
  receiptUrl: Nullable(Type.String({ description: "Stripe's receipt, for whoever has this address" })),
})
export type ReceiptView = Static<typeof ReceiptView>

export const SessionParams = Type.Object({
  sessionId: Type.String({ minLength: 1, maxLength: 255, pattern: '^[A-Za-z0-9_-]+$' }),
})
export const BookingParams = Type.Object({ bookingId: BookingId })
/** For what a status token alone opens. */
export const RequiredStatusTokenQuery = Type.Object({ token: Type.String({ minLength: 1, maxLength: 128 }) })
export const StatusTokenQuery = Type.Object({ token: Type.Optional(Type.String({ maxLength: 128 })) })

export const PaymentIntentView = Type.Object({
  paymentId: Type.String(),
  paymentIntentId: Type.String(),
  clientSecret: Type.String(),
  amount: Type.Number(),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  statusToken: Type.String(),
  statusUrl: Type.String({ description: 'the page that shows this payment to whoever has this link' }),
})
export type PaymentIntentView = Static<typeof PaymentIntentView>

export const CreateRefundBody = Type.Object({
  amount: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: "decimal, in the currency's units" }),
  ),
  amountMinor: Type.Optional(Type.Integer({ minimum: 1 })),
  reason: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 500,
      pattern: '^[^\\u0000]*$',
      description:
        "One of Stripe's reasons (duplicate, fraudulent, requested_by_customer), which Stripe is told, or your own words, which stay here.",
    }),
  ),
})
export type CreateRefundBody = Static<typeof CreateRefundBody>
/** Left out altogether it gives back all that is left, as an empty object does. */
export const RefundBody = Nullable(CreateRefundBody)

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
