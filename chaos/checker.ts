// Compares what Stripe knows, what the gateway stored and posted, and what the booking service heard. It shares no code
// with the gateway: it knows the promises and the names of tables, not how anything is done.
import { checksOfMoney } from './checks-of-money.ts'
import { checksOfStorage } from './checks-of-storage.ts'
import { checksOfTelling } from './checks-of-telling.ts'
import type { Case, Check } from './case.ts'
import type { Evidence } from './evidence.ts'
import { groupBy, truthOf } from './truth.ts'

export type Violation = { readonly check: string; readonly what: string }

export const CHECKS: readonly Check[] = [...checksOfStorage, ...checksOfTelling, ...checksOfMoney]

export function check(evidence: Evidence): readonly Violation[] {
  const examined: Case = {
    evidence,
    truths: truthOf(evidence),
    payments: new Map(evidence.rows.payments.map((row) => [row.booking_id, row])),
    told: groupBy(evidence.told, ({ bookingId }) => bookingId),
    bookings: new Map(evidence.bookings.map((row) => [row.id, row])),
    deliveries: groupBy(evidence.rows.deliveries, (row) => row.booking_id),
  }
  return CHECKS.flatMap(({ name, violations }) => violations(examined).map((what) => ({ check: name, what })))
}
