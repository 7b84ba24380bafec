import type { Known, RefundState } from '../payments/known.ts'

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
    if (fee === null) return []
    const way = { from: 'stripe_balance', to: 'stripe_fees' } as const
    return signedMove(`fee ${id}`, fee.currency, way, fee.amountMinor)
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

/** Every movement of a dispute's money that Stripe booked, and what it cost: an inquiry, which moves none, posts none. */
function disputePostings(known: Known): Posting[] {
  return Object.values(known.disputes).flatMap(({ movements }) =>
    Object.entries(movements).flatMap(([id, { amountMinor, currency, fee }]) => [
      ...signedMove(`dispute ${id}`, currency, { from: 'disputed_funds', to: 'stripe_balance' }, amountMinor),
      ...signedMove(
        `dispute_fee ${id}`,
        fee.currency,
        { from: 'stripe_balance', to: 'stripe_fees' },
        fee.amountMinor,
      ),
    ]),
  )
}

/** Nothing moves nothing, and a negative amount goes the other way. */
function signedMove(id: string, currency: string, way: Way, amountMinor: number): Posting[] {
  if (amountMinor === 0) return []
  return amountMinor > 0
    ? [move(id, currency, way, amountMinor)]
    : [move(id, currency, { from: way.to, to: way.from }, -amountMinor)]
}

type Way = { readonly from: Account; readonly to: Account }

function move(id: string, currency: string, way: Way, amountMinor: number): Posting {
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
