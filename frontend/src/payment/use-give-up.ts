import { cancelBooking } from '../api/booking.client.ts'
import { cancelSession, createSession } from '../api/gateway.client.ts'
import { useAction } from '../ui/use-action.ts'
import { giveUpBooking } from './give-up.ts'
import type { Payment } from '@passerelle/client/payment'

export type GiveUp = {
  readonly run: () => void
  readonly isBusy: boolean
  readonly error: unknown
  /** The gateway's answer, which may also say that the payment arrived first. */
  readonly payment: Payment | null
}

const CALLS = { openSession: createSession, cancelSession, cancelBooking }

/** Giving the booking up on this page. */
export function useGiveUp(bookingId: string | null, sessionId: string | null): GiveUp {
  const { state, run } = useAction((id: string) => giveUpBooking(CALLS, id, sessionId))
  return {
    run: () => {
      if (bookingId) run(bookingId)
    },
    isBusy: state.kind === 'busy',
    error: state.kind === 'failed' ? state.error : null,
    payment: state.kind === 'done' ? state.data : null,
  }
}
