import { cancelBooking } from '../api/booking.client.ts'
import { cancelSession, createSession } from '../api/gateway.client.ts'
import { IS_RECEIVED } from '@passerelle/client/payment'
import { useAction } from '../ui/use-action.ts'
import type { Payment } from '@passerelle/client/payment'

export type GiveUp = {
  readonly run: () => void
  readonly isBusy: boolean
  readonly error: unknown
  /** The gateway's answer, which may also say that the payment arrived first. */
  readonly payment: Payment | null
}

/** Ends the open session at Stripe, so that a tab left open cannot pay any more, and then frees the seats. */
export function useGiveUp(bookingId: string | null, sessionId: string | null): GiveUp {
  const { state, run } = useAction((id: string) => giveUp(id, sessionId))
  return {
    run: () => {
      if (bookingId) run(bookingId)
    },
    isBusy: state.kind === 'busy',
    error: state.kind === 'failed' ? state.error : null,
    payment: state.kind === 'done' ? state.data : null,
  }
}

async function giveUp(bookingId: string, known: string | null): Promise<Payment> {
  const sessionId = known ?? (await createSession(bookingId)).sessionId
  const payment = await cancelSession(sessionId)
  // A payment that was faster keeps its seats.
  if (!IS_RECEIVED[payment.status] && payment.status !== 'processing') await cancelBooking(bookingId)
  return payment
}
