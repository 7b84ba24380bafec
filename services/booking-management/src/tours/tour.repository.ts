import type { Queryable, Tx } from '@passerelle/kit/database'
import { ApiError, invariant } from '@passerelle/kit/errors'
import type { Tour } from './tour.ts'

type TourRow = {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly amount_minor: number
  readonly currency: string
  readonly seats_per_day: number
  readonly time_zone: string
}

/** Seats of one tour on one day. */
export type Seats = { readonly tourId: string; readonly date: string; readonly seats: number }

const TOUR_ID = /^[a-z0-9-]{1,100}$/

function fromRow(row: TourRow): Tour {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    price: { amountMinor: row.amount_minor, currency: row.currency },
    seatsPerDay: row.seats_per_day,
    timeZone: row.time_zone,
  }
}

export async function listTours(db: Queryable): Promise<readonly Tour[]> {
  const { rows } = await db.query<TourRow>('select * from tours order by position')
  return rows.map(fromRow)
}

/** The tour, or NOT_FOUND. An id that no tour can have is not looked up (PostgreSQL refuses some characters). */
export async function getTour(db: Queryable, id: string): Promise<Tour> {
  const { rows } = TOUR_ID.test(id)
    ? await db.query<TourRow>('select * from tours where id = $1', [id])
    : { rows: [] }
  if (!rows[0]) throw new ApiError('NOT_FOUND', 'There is no such tour. GET /api/v1/tours lists them.')
  return fromRow(rows[0])
}

export async function findSeatsLeft(db: Queryable, tour: Tour, date: string): Promise<number> {
  const { rows } = await db.query<{ seats_left: number }>(
    'select seats_total - seats_taken as seats_left from tour_days where tour_id = $1 and date = $2',
    [tour.id, date],
  )
  return rows[0]?.seats_left ?? tour.seatsPerDay
}

/**
 * Takes all of the seats, or none and says false. The day's row stays locked until the transaction ends: whoever takes
 * it waits for no booking after it, so that two transactions never wait for each other.
 */
export async function takeSeats(tx: Tx, { tourId, date, seats }: Seats): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into tour_days (tour_id, date, seats_total, seats_taken)
     select id, $2::date, seats_per_day, $3::int from tours where id = $1 and seats_per_day >= $3
     on conflict (tour_id, date) do update set seats_taken = tour_days.seats_taken + excluded.seats_taken
     where tour_days.seats_taken + excluded.seats_taken <= tour_days.seats_total`,
    [tourId, date, seats],
  )
  return rowCount === 1
}

export async function freeSeats(tx: Tx, { tourId, date, seats }: Seats): Promise<void> {
  const { rowCount } = await tx.query(
    'update tour_days set seats_taken = seats_taken - $3 where tour_id = $1 and date = $2',
    [tourId, date, seats],
  )
  invariant(rowCount === 1, 'a booking holds seats of a day that was counted')
}
