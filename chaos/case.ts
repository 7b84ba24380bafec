import type { BookingRow, Evidence } from './evidence.ts'
import type { Truth } from './truth.ts'

/** The evidence and what is looked up in it often. */
export type Case = {
  readonly evidence: Evidence
  readonly truths: ReadonlyMap<string, Truth>
  readonly payments: ReadonlyMap<string, Evidence['rows']['payments'][number]>
  readonly told: ReadonlyMap<string, Evidence['told'][number][]>
  readonly bookings: ReadonlyMap<string, BookingRow>
  readonly deliveries: ReadonlyMap<string, Evidence['rows']['deliveries'][number][]>
}

/** One promise: its name, what it says, and everything in the evidence that breaks it. */
export type Check = {
  readonly name: string
  readonly promise: string
  readonly violations: (examined: Case) => readonly string[]
}
