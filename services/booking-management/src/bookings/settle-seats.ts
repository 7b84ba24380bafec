import type { Tx } from '@passerelle/kit/database'
import { freeSeats, takeSeats } from '../tours/tour.repository.ts'
import { wantsSeats } from './booking.ts'
import type { Booking } from './booking.ts'

/**
 * Makes the tour's counter agree with what a locked booking has become, and returns the booking with `holdsSeats` as it
 * now is. A booking that should have seats again takes them if they are still there; a paid one stays paid without.
 */
export async function settleSeats(tx: Tx, booking: Booking): Promise<Booking> {
  if (wantsSeats(booking) === booking.holdsSeats) return booking
  if (booking.holdsSeats) {
    await freeSeats(tx, booking)
    return { ...booking, holdsSeats: false }
  }
  return { ...booking, holdsSeats: await takeSeats(tx, booking) }
}
