import type { DisputeState, Known, RefundState } from '../payments/known.ts'

/**
 *  stripe_balance   what Stripe holds for us
 *  customer_funds   what customers paid and have not been given back
 *  disputed_funds   what a bank took back
 *  stripe_fees      what Stripe kept
 */
export type Account = 'stripe_balance' | 'customer_funds' | 'disputed_funds' | 'stripe_fees'

/** A balanced posting. Its id names what happened to which Stripe object, so it can be posted once only. */
export type Posting = {
  readonly id: string
  readonly currency: string
  readonly entries: readonly { readonly account: Account; readonly amountMinor: number }[]
}

// A refund that failed has been posted and taken back: the ledger is the same whether its success was heard or not.
const REFUND_POSTINGS: Record<RefundState, { readonly given: boolean; readonly returned: boolean }> = {
  pending: { given: false, returned: false },
  requires_action: { given: false, returned: false },
  succeeded: { given: true, returned: false },
  canceled: { given: false, returned: false },
  failed: { given: true, returned: true },
}

// An inquiry moves no money. A dispute that was won had been withdrawn before, whether we heard of that or not.
const DISPUTE_POSTINGS: Record<DisputeState, { readonly withdrawn: boolean; readonly reinstated: boolean }> =
  {
    warning_needs_response: { withdrawn: false, reinstated: false },
    warning_under_review: { withdrawn: false, reinstated: false },
    warning_closed: { withdrawn: false, reinstated: false },
    needs_response: { withdrawn: true, reinstated: false },
    under_review: { withdrawn: true, reinstated: false },
    appeal_needs_response: { withdrawn: true, reinstated: false },
    appeal_under_review: { withdrawn: true, reinstated: false },
    prevented: { withdrawn: false, reinstated: false },
    lost: { withdrawn: true, reinstated: false },
    won: { withdrawn: true, reinstated: true },
  }

/** Every posting that what is known calls for; knowing more only adds postings. */
export function postingsOf(known: Known): readonly Posting[] {
  return [
    ...capturePostings(known),
    ...feePostings(known),
    ...refundPostings(known),
    ...disputePostings(known),
  ]
}

function capturePostings(known: Known): Posting[] {
  return Object.entries(known.intents)
    .filter(([, intent]) => intent.state === 'succeeded' && intent.receivedMinor > 0)
    .map(([id, intent]) =>
      move(
        `capture ${id}`,
        intent.currency,
        { from: 'customer_funds', to: 'stripe_balance' },
        intent.receivedMinor,
      ),
    )
}

function feePostings(known: Known): Posting[] {
  return Object.entries(known.charges).flatMap(([id, { fee }]) => {
    if (fee === null || fee.amountMinor === 0) return []
    return [move(`fee ${id}`, fee.currency, { from: 'stripe_balance', to: 'stripe_fees' }, fee.amountMinor)]
  })
}

function refundPostings(known: Known): Posting[] {
  return Object.entries(known.refunds).flatMap(([id, refund]) => {
    const { given, returned } = REFUND_POSTINGS[refund.state]
    const { currency, amountMinor } = refund
    return [
      ...(given
        ? [move(`refund ${id}`, currency, { from: 'stripe_balance', to: 'customer_funds' }, amountMinor)]
        : []),
      ...(returned
        ? [
            move(
              `refund_failed ${id}`,
              currency,
              { from: 'customer_funds', to: 'stripe_balance' },
              amountMinor,
            ),
          ]
        : []),
    ]
  })
}

function disputePostings(known: Known): Posting[] {
  return Object.entries(known.disputes).flatMap(([id, dispute]) => {
    const { withdrawn, reinstated } = DISPUTE_POSTINGS[dispute.state]
    const { currency, amountMinor } = dispute
    return [
      ...(withdrawn
        ? [move(`dispute ${id}`, currency, { from: 'stripe_balance', to: 'disputed_funds' }, amountMinor)]
        : []),
      ...(reinstated
        ? [move(`dispute_won ${id}`, currency, { from: 'disputed_funds', to: 'stripe_balance' }, amountMinor)]
        : []),
    ]
  })
}

function move(
  id: string,
  currency: string,
  way: { from: Account; to: Account },
  amountMinor: number,
): Posting {
  const { from, to } = way
  return {
    id,
    currency,
    entries: [
      { account: to, amountMinor },
      { account: from, amountMinor: -amountMinor },
    ],
  }
}
