import { useEffect, useState } from 'react'
import { fetchBooking, fetchTours } from '../api/booking.client.ts'
import type { KeptTour, Landing } from './landing.ts'

/**
 * The tour of this payment: as the server kept it, or read from the booking service once it is needed and there is an
 * account to read it with. Null on any trouble: a receipt with fewer lines is still a receipt.
 */
export function useTourOf({ bookingId, tour, isMasked }: Landing, isNeeded: boolean): KeptTour | null {
  const [read, setRead] = useState<KeptTour | null>(null)
  const isMissing = isNeeded && tour === null && !isMasked
  useEffect(() => {
    let isCurrent = true
    if (isMissing && bookingId !== null)
      void readTour(bookingId).then((found) => {
        if (isCurrent) setRead(found)
      })
    return () => {
      isCurrent = false
    }
  }, [isMissing, bookingId])
  return tour ?? read
}

/** What a receipt says of a booking's tour. */
export async function readTour(bookingId: string): Promise<KeptTour | null> {
  try {
    const [booking, tours] = await Promise.all([fetchBooking(bookingId), fetchTours()])
    const timeZone = tours.find(({ id }) => id === booking.tourId)?.timeZone ?? 'UTC'
    return { name: booking.tourName, date: booking.date, seats: booking.seats, timeZone }
  } catch {
    return null
  }
}
