import { IS_RECEIVED } from '@passerelle/client/payment'
import type { Payment, PaymentStatus } from '@passerelle/client/payment'

/** What giving up asks of the two services. */
export type GiveUpCalls = {
  /** The booking's open session, or a new one in the place of whatever else is open. */
  readonly openSession: (bookingId: string) => Promise<{ readonly sessionId: string }>
  readonly cancelSession: (sessionId: string) => Promise<Payment>
  readonly cancelBooking: (bookingId: string) => Promise<void>
}

// The session this page knows was over already: another attempt may be open, on the card page or in another tab.
const MAY_BE_OPEN: Record<PaymentStatus, boolean> = {
  pending: true,
  failed: true,
  processing: false,
  succeeded: false,
  canceled: false,
  expired: false,
  partially_refunded: false,
  refunded: false,
  disputed: false,
}

/** Ends whatever may still be paid for the booking at Stripe, so that no tab left open can pay, and then frees the seats. */
export async function giveUpBooking(
  calls: GiveUpCalls,
  bookingId: string,
  known: string | null,
): Promise<Payment> {
  const ended = known === null ? null : await calls.cancelSession(known)
  const payment =
    ended === null || MAY_BE_OPEN[ended.status]
      ? await calls.cancelSession((await calls.openSession(bookingId)).sessionId)
      : ended
  // A payment that was faster keeps its seats.
  if (!IS_RECEIVED[payment.status] && payment.status !== 'processing') await calls.cancelBooking(bookingId)
  return payment
}
