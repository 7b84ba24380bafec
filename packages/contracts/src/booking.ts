import { Type } from 'typebox'
import type { Static } from 'typebox'
import { Nullable } from './nullable.ts'

/** A booking's own status, in the booking service's spelling (`cancelled`). */
export const BOOKING_STATUSES = [
  'pending',
  'confirmed',
  'cancelled',
  'partially_refunded',
  'payment_failed',
  'disputed',
] as const
export type BookingStatus = (typeof BOOKING_STATUSES)[number]

/** What the gateway may announce with `PUT /api/v1/bookings/:id/payment-status`; the last two only where BOOKING_STATUS_EXTENDED=on. */
export const ANNOUNCED_STATUSES = [
  'confirmed',
  'cancelled',
  'refunded',
  'partially_refunded',
  'payment_failed',
  'disputed',
] as const
export type AnnouncedStatus = (typeof ANNOUNCED_STATUSES)[number]

export type PaymentStatusUpdate = {
  readonly status: AnnouncedStatus
  readonly paymentIntentId: string | null
  readonly paidAt?: string
  readonly refundedAt?: string
  readonly version: number
  readonly paymentId: string
  readonly amountMinor: number
  readonly currency: string
  readonly refundedAmountMinor?: number
}

export const BookingView = Type.Object({
  id: Type.String(),
  status: Type.Enum(BOOKING_STATUSES),
  customerId: Type.String(),
  customerEmail: Nullable(Type.String()),
  tourName: Type.String(),
  amount: Type.Number(),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  paymentIntentId: Nullable(Type.String()),
  paidAt: Nullable(Type.String({ format: 'date-time' })),
  refundedAt: Nullable(Type.String({ format: 'date-time' })),
  paymentVersion: Type.Integer({ minimum: 0 }),
  date: Type.String({ format: 'date' }),
  seats: Type.Integer({ minimum: 1 }),
})
export type BookingView = Static<typeof BookingView>

export const TourView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: Type.String(),
  amount: Type.Number(),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  seatsPerDay: Type.Integer({ minimum: 1 }),
  timeZone: Type.String(),
})
export type TourView = Static<typeof TourView>

// RFC 5321's longest path, without its brackets.
export const EMAIL_CHARACTERS_MAX = 254

export const CreateBookingBody = Type.Object({
  tourId: Type.String({ minLength: 1, maxLength: 100 }),
  date: Type.String({ format: 'date' }),
  seats: Type.Integer({ minimum: 1, maximum: 20 }),
  customerEmail: Type.Optional(Type.String({ format: 'email', maxLength: EMAIL_CHARACTERS_MAX })),
})
export type CreateBookingBody = Static<typeof CreateBookingBody>
