import type { TourView } from '@passerelle/contracts/booking'
import { toDecimal } from '@passerelle/contracts/money'
import type { Money } from '@passerelle/contracts/money'
import { ApiError } from '@passerelle/kit/errors'

export type Tour = {
  readonly id: string
  readonly name: string
  readonly description: string
  /** Of one seat. */
  readonly price: Money
  readonly seatsPerDay: number
  readonly timeZone: string
}

export function tourView(tour: Tour): TourView {
  const { price, ...rest } = tour
  return { ...rest, ...price, amount: toDecimal(price) }
}

/** The calendar day (`2027-05-01`) of an instant, read from a clock on the wall of `timeZone`. */
export function dayIn(timeZone: string, instant: Date): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(instant)
  const part = (type: string): string => parts.find((candidate) => candidate.type === type)?.value ?? ''
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`
}

/** Why nobody may book the tour for `date`, as a sentence, or null: from today (where the tour is) to a year ahead. */
export function dateProblem(tour: Tour, date: string, now: Date): string | null {
  const today = dayIn(tour.timeZone, now)
  // ISO days compare as text. A year after 29 February is a day that does not exist, and still compares rightly.
  const last = `${Number(today.slice(0, 4)) + 1}${today.slice(4)}`
  if (date < today) return `must not be in the past: it is ${today} in ${tour.timeZone}`
  return date > last ? `must be at most a year ahead: until ${last}` : null
}

/** Throws VALIDATION_ERROR, naming the field the date came in, unless the tour can be booked for it. */
export function assertBookable(tour: Tour, date: string, where: { field: string; now: Date }): void {
  const problem = dateProblem(tour, date, where.now)
  if (problem === null) return
  const details = [{ field: where.field, problem }]
  throw new ApiError('VALIDATION_ERROR', `${where.field} ${problem}.`, { details })
}
