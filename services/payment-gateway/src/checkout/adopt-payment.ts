import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { newId } from '@passerelle/kit/id'
import type { BookingClient } from '../outbox/booking.client.ts'
import type { Fact } from '../payments/known.ts'
import { ensurePayment, findPayment } from '../payments/payment.repository.ts'
import type { Reading } from '../stripe/facts.ts'

type Facts = Extract<Reading, { kind: 'facts' }>

/**
 * Finds the payment that facts fetched from Stripe belong to. When nobody here made it but its metadata names a booking,
 * the payment is adopted: the booking's price becomes what was asked, so money that does not fit confirms nothing.
 * Throws when the booking service cannot be asked.
 */
export type AdoptPayment = (facts: Facts) => Promise<Adopted>

export type Adopted =
  | { readonly kind: 'adopted'; readonly paymentId: string; readonly facts: readonly Fact[] }
  | { readonly kind: 'unknown'; readonly because: 'unknown_payment' | 'unknown_booking' }

export function createAdoptPayment(deps: { pool: Pool; booking: BookingClient }): AdoptPayment {
  return async (facts) => {
    const { paymentId, bookingId } = facts.refs
    const ours = paymentId === null ? null : await findPayment(deps.pool, paymentId)
    if (ours) return { kind: 'adopted', paymentId: ours.id, facts: [] }
    if (bookingId === null) return { kind: 'unknown', because: 'unknown_payment' }
    const answer = await deps.booking.find(bookingId)
    if (answer.kind === 'unavailable')
      throw new Error(`the booking service could not be asked: ${answer.message}`)
    if (answer.kind === 'not_found') return { kind: 'unknown', because: 'unknown_booking' }
    const { booking } = answer
    const livemode = facts.facts.some((fact) => 'livemode' in fact.says && fact.says.livemode)
    const id = await inTransaction(deps.pool, (tx) =>
      ensurePayment(tx, {
        id: newId('pay'),
        bookingId: booking.id,
        customerId: booking.customerId,
        livemode,
        amountMinor: booking.amountMinor,
        currency: booking.currency,
      }),
    )
    return { kind: 'adopted', paymentId: id, facts: adoptedFacts(facts, { ...booking, livemode }) }
  }
}

/** The attempt that was never ours, named after its intent, and the intent tied to it. */
function adoptedFacts(
  facts: Facts,
  asked: { readonly amountMinor: number; readonly currency: string; readonly livemode: boolean },
): Fact[] {
  const { amountMinor, currency, livemode } = asked
  return facts.facts.flatMap((fact): Fact[] => {
    if (fact.type !== 'intent' || fact.says.attemptId !== null) return []
    const attemptId = `adopted_${fact.id}`
    return [
      {
        type: 'attempt',
        id: attemptId,
        says: { number: 0, amountMinor, currency, livemode, withdrawn: false },
      },
      { ...fact, says: { ...fact.says, attemptId } },
    ]
  })
}
