import type { BookingStatus } from '@passerelle/contracts/booking'
import type { Pool } from '@passerelle/kit/database'

/** Null before the gateway said anything. */
export async function lastMessageAgeSeconds(pool: Pool): Promise<number | null> {
  const { rows } = await pool.query<{ seconds: number }>(
    `select greatest(extract(epoch from now() - received_at), 0)::float8 as seconds
     from booking_payment_updates order by id desc limit 1`,
  )
  return rows[0]?.seconds ?? null
}

export type BookingCounts = {
  readonly byStatus: ReadonlyMap<BookingStatus, number>
  /** Paid bookings of days to come that have no seats. */
  readonly overbooked: number
}

/** Reads every booking: not to be asked often. */
export async function countBookings(pool: Pool): Promise<BookingCounts> {
  const { rows } = await pool.query<{ status: BookingStatus; count: number; overbooked: number }>(
    `select status, count(*)::int as count,
       count(*) filter (where status in ('confirmed', 'partially_refunded', 'disputed')
                                and not holds_seats and date >= current_date)::int as overbooked
     from bookings group by status`,
  )
  return {
    byStatus: new Map(rows.map(({ status, count }) => [status, count])),
    overbooked: rows.reduce((sum, { overbooked }) => sum + overbooked, 0),
  }
}
