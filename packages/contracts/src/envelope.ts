import { Type } from 'typebox'
import type { Static, TSchema } from 'typebox'

/** Every code the JSON answers of the gateway and the booking service may carry, with its HTTP status. */
export const ERROR_STATUS = {
  VALIDATION_ERROR: 400,
  INVALID_STATUS: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  BOOKING_ALREADY_PAID: 409,
  AMOUNT_MISMATCH: 409,
  PAYMENT_IN_PROGRESS: 409,
  INVALID_STATE: 409,
  IDEMPOTENCY_KEY_REUSED: 409,
  APPROVAL_NEEDED: 409,
  REFUND_EXCEEDS_REFUNDABLE: 409,
  NO_SEATS_LEFT: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMITED: 429,
  INTERNAL_ERROR: 500,
  STRIPE_UNAVAILABLE: 503,
  BOOKING_SERVICE_UNAVAILABLE: 503,
  SERVICE_UNAVAILABLE: 503,
} as const
export type ErrorCode = keyof typeof ERROR_STATUS

export const ErrorBody = Type.Object({
  success: Type.Literal(false),
  error: Type.Object({
    code: Type.String(),
    message: Type.String(),
    requestId: Type.String(),
    details: Type.Optional(Type.Array(Type.Object({ field: Type.String(), problem: Type.String() }))),
  }),
})
export type ErrorBody = Static<typeof ErrorBody>

/** The envelope of a successful answer. */
export function successBody<T extends TSchema>(data: T) {
  return Type.Object({ success: Type.Literal(true), data })
}
