import type { BookingStatus, BookingView } from '@passerelle/contracts/booking'

/** What the booking page shows: the booking's status, with a full refund told apart from giving up. */
export type BookingState = BookingStatus | 'refunded'

export function bookingState(booking: Pick<BookingView, 'status' | 'refundedAt' | 'paidAt'>): BookingState {
  const isRefunded = booking.status === 'cancelled' && booking.paidAt !== null && booking.refundedAt !== null
  return isRefunded ? 'refunded' : booking.status
}

/** Whether the payer can be sent to the payment page. */
export const IS_PAYABLE: Record<BookingState, boolean> = {
  pending: true,
  confirmed: false,
  cancelled: false,
  refunded: false,
  partially_refunded: false,
  payment_failed: true,
  disputed: false,
}

/** Whether there is a payment to show a receipt for. */
export const HAS_RECEIPT: Record<BookingState, boolean> = {
  pending: false,
  confirmed: true,
  cancelled: false,
  refunded: true,
  partially_refunded: true,
  payment_failed: false,
  disputed: true,
}

const REREAD_MS = 2000
const REREADS_MAX = 10

/**
 * When to look again, in milliseconds, or false. A booking whose payment page was opened in this tab may be about to be
 * confirmed: the gateway tells the booking service a moment after the payer.
 */
export function rereadMs(
  state: BookingState | null,
  input: { hasSession: boolean; reads: number },
): number | false {
  if (state === null || !IS_PAYABLE[state] || !input.hasSession) return false
  return input.reads < REREADS_MAX ? REREAD_MS : false
}
