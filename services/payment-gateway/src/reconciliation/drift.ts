import type { Payment } from '../payments/payment.repository.ts'

/** A difference between what was thought here and what was so, and what was done about it. */
export type Drift = {
  readonly foundBy: 'sweep' | 'reconcile' | 'verify'
  readonly kind: 'event_missing' | 'payment_differs' | 'attempt_unfinished' | 'announcement_missing'
  readonly subject: string
  readonly paymentId: string | null
  readonly thought: string
  readonly stripeSaid: string
  readonly done: string
  readonly ageSeconds: number | null
}

/** What a payment changed by itself, without a webhook; null when Stripe said nothing that was not known. */
export function paymentDrift(
  before: Payment,
  after: Payment,
  found: { readonly by: Drift['foundBy']; readonly nowSeconds: number },
): Drift | null {
  const thought = standingText(before)
  const stripeSaid = standingText(after)
  if (thought === stripeSaid) return null
  const happenedAt = newestMoment(before, after)
  return {
    foundBy: found.by,
    kind: 'payment_differs',
    subject: after.id,
    paymentId: after.id,
    thought,
    stripeSaid,
    done: 'applied',
    ageSeconds: happenedAt === null ? null : Math.max(found.nowSeconds - happenedAt, 0),
  }
}

/** Everything about a payment that matters to somebody; what was merely read again later is the same text. */
export function standingText(payment: Payment): string {
  const refunds = Object.entries(payment.known.refunds).map(([id, refund]) => `${id} ${refund.state}`)
  const disputes = Object.entries(payment.known.disputes).map(([id, dispute]) => `${id} ${dispute.state}`)
  return [payment.status, ...refunds.sort(), ...disputes.sort()].join(', ')
}

/** When the newest of what is known now and was not before happened, by Stripe's clock. */
function newestMoment(before: Payment, after: Payment): number | null {
  const moments: number[] = []
  if (before.paidAt === null && after.paidAt !== null) moments.push(after.paidAt.getTime() / 1000)
  for (const [id, refund] of Object.entries(after.known.refunds))
    if (!Object.hasOwn(before.known.refunds, id)) moments.push(refund.createdAt)
  for (const [id, dispute] of Object.entries(after.known.disputes))
    if (!Object.hasOwn(before.known.disputes, id)) moments.push(dispute.createdAt)
  return moments.length === 0 ? null : Math.max(...moments)
}
