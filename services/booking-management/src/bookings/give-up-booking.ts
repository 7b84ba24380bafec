import { inTransaction } from '@passerelle/kit/database'
import type { Pool, Tx } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { Log } from '@passerelle/kit/log'
import { lockBooking, lockExpiredHolds, saveBooking } from './booking.repository.ts'
import { giveUp } from './booking.ts'
import type { Booking } from './booking.ts'
import { settleSeats } from './settle-seats.ts'

export type GiveUpDeps = { readonly pool: Pool; readonly log: Log; readonly now: () => Date }

// Bounds the transaction. What is left over is taken by the next round.
const HOLDS_PER_ROUND_MAX = 200

/**
 * Cancels an unpaid booking and frees its seats; cancelling it again changes nothing. Throws NOT_FOUND when the caller
 * may not see it, BOOKING_ALREADY_PAID when only a refund can end it.
 */
export async function cancelBooking(
  deps: GiveUpDeps,
  bookingId: string,
  maySee: (booking: Booking) => boolean,
): Promise<Booking> {
  const { booking, isEnded } = await inTransaction(deps.pool, async (tx) => {
    const booking = await lockBooking(tx, bookingId)
    if (!booking || !maySee(booking)) throw new ApiError('NOT_FOUND', 'There is no such booking.')
    const outcome = giveUp(booking, 'customer')
    if (outcome.kind === 'paid')
      throw new ApiError('BOOKING_ALREADY_PAID', 'This booking is paid. Ask for a refund to cancel it.')
    if (outcome.kind === 'already_cancelled') return { booking, isEnded: false }
    return { booking: await endHold(tx, outcome.next), isEnded: true }
  })
  if (isEnded) logGivenUp(deps.log, booking)
  return booking
}

/**
 * One round of the loop that gives up the unpaid bookings whose hold has run out: returns 0 when more are due at once,
 * null otherwise. Every process runs it: one does the work, the others find it taken.
 */
export async function giveUpExpiredHolds(deps: GiveUpDeps): Promise<0 | null> {
  const ended = await inTransaction(deps.pool, async (tx) => {
    const { rows } = await tx.query<{ mine: boolean }>(
      `select pg_try_advisory_xact_lock(hashtextextended('booking holds', 0)) as mine`,
    )
    if (rows[0]?.mine !== true) return []
    const ended: Booking[] = []
    for (const booking of inOrderOfDays(await lockExpiredHolds(tx, deps.now(), HOLDS_PER_ROUND_MAX))) {
      const outcome = giveUp(booking, 'hold_expired')
      if (outcome.kind === 'give_up') ended.push(await endHold(tx, outcome.next))
    }
    return ended
  })
  for (const booking of ended) logGivenUp(deps.log, booking)
  return ended.length === HOLDS_PER_ROUND_MAX ? 0 : null
}

async function endHold(tx: Tx, givenUp: Booking): Promise<Booking> {
  const settled = await settleSeats(tx, givenUp)
  await saveBooking(tx, settled)
  return settled
}

function logGivenUp(log: Log, { id, tourId, date, seats, givenUpBecause }: Booking): void {
  log.info({ bookingId: id, tourId, date, seats, because: givenUpBecause }, 'booking.given_up')
}

// The only transaction that locks several days; one order for all keeps that safe should there ever be another.
function inOrderOfDays(bookings: readonly Booking[]): readonly Booking[] {
  const key = (booking: Booking): string => `${booking.tourId} ${booking.date}`
  return bookings.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}
