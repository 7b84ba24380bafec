// The lives a payment can lead, as the events Stripe sends of them (docs/decisions/0001): each list is in the order in
// which Stripe generates them; the tests deliver them in every other.
import type { Asked } from '../src/payments/known.ts'
import type { StripeEvent } from '../src/stripe/event.ts'

export type History = {
  readonly name: string
  readonly attempts: Readonly<Record<string, Asked>>
  readonly events: readonly StripeEvent[]
}

const AMOUNT = 10_000
const asked = (number: number): Asked => ({
  number,
  amountMinor: AMOUNT,
  currency: 'eur',
  livemode: false,
  withdrawn: false,
})
const metadata = (attempt: string) => ({ payment_id: 'pay_1', booking_id: 'bkg_1', attempt_id: attempt })

type Fields = Record<string, unknown>

const intent = (status: string, over: Fields = {}): Fields => ({
  id: 'pi_1',
  object: 'payment_intent',
  status,
  amount: AMOUNT,
  amount_received: status === 'succeeded' ? AMOUNT : 0,
  currency: 'eur',
  livemode: false,
  last_payment_error: null,
  latest_charge: null,
  metadata: metadata('att_1'),
  ...over,
})
const session = (status: string, money: string, over: Fields = {}): Fields => ({
  id: 'cs_1',
  object: 'checkout.session',
  mode: 'payment',
  status,
  payment_status: money,
  payment_intent: status === 'complete' ? 'pi_1' : null,
  amount_total: AMOUNT,
  currency: 'eur',
  livemode: false,
  expires_at: 9000,
  client_reference_id: 'pay_1',
  metadata: metadata('att_1'),
  ...over,
})
const refund = (id: string, status: string, amount: number, created: number): Fields => ({
  id,
  object: 'refund',
  status,
  amount,
  created,
  currency: 'eur',
  payment_intent: 'pi_1',
  charge: 'ch_1',
  reason: null,
  failure_reason: status === 'failed' ? 'lost_or_stolen_card' : null,
  metadata: {},
})
const taken = { id: 'txn_2', amount: -AMOUNT, fee: 1500, net: -AMOUNT - 1500, currency: 'eur' }
const givenBack = { id: 'txn_3', amount: AMOUNT, fee: -1500, net: AMOUNT + 1500, currency: 'eur' }
const takenAgain = { ...taken, id: 'txn_4' }
/** Its money as Stripe books it: taken at the chargeback, given back when it is won. */
const dispute = (status: string, movements: readonly Fields[] = [taken]): Fields => ({
  id: 'du_1',
  object: 'dispute',
  status,
  amount: AMOUNT,
  created: 50,
  currency: 'eur',
  payment_intent: 'pi_1',
  charge: 'ch_1',
  reason: 'general',
  balance_transactions: movements,
  metadata: {},
})
const charge = (transaction: unknown): Fields => ({
  id: 'ch_1',
  object: 'charge',
  payment_intent: 'pi_1',
  balance_transaction: transaction,
  metadata: {},
})
const settled = { id: 'txn_1', object: 'balance_transaction', fee: 175, net: AMOUNT - 175, currency: 'eur' }
const declined = {
  code: 'card_declined',
  decline_code: 'insufficient_funds',
  message: 'Your card has insufficient funds.',
}

/** `steps`: second, type, object. */
function history(
  name: string,
  steps: readonly (readonly [number, string, Fields])[],
  attempts = ['att_1'],
): History {
  return {
    name,
    attempts: Object.fromEntries(attempts.map((id, index) => [id, asked(index + 1)])),
    events: steps.map(([created, type, object], index) => ({
      id: `evt_${String(index).padStart(2, '0')}`,
      type,
      apiVersion: '2026-10-28.endive',
      livemode: false,
      account: null,
      created,
      object,
    })),
  }
}

const PAID = [
  [10, 'payment_intent.created', intent('requires_payment_method')],
  [10, 'payment_intent.succeeded', intent('succeeded')],
  [10, 'checkout.session.completed', session('complete', 'paid')],
] as const
const PAID_SHORT = [PAID[1]] as const

export const HISTORIES: readonly History[] = [
  history('paid by card in Checkout', PAID),
  history('paid by card, the fee told seconds later', [
    [10, 'charge.succeeded', charge(null)],
    ...PAID,
    [12, 'charge.updated', charge('txn_1')],
    [13, 'charge.updated', charge(settled)],
  ]),
  history('declined, then paid', [
    [10, 'payment_intent.created', intent('requires_payment_method')],
    [
      10,
      'payment_intent.payment_failed',
      intent('requires_payment_method', { last_payment_error: declined }),
    ],
    [30, 'payment_intent.succeeded', intent('succeeded')],
    [30, 'checkout.session.completed', session('complete', 'paid')],
  ]),
  history('declined, then paid, then refunded in part', [
    [
      10,
      'payment_intent.payment_failed',
      intent('requires_payment_method', { last_payment_error: declined }),
    ],
    [30, 'payment_intent.succeeded', intent('succeeded')],
    [30, 'checkout.session.completed', session('complete', 'paid')],
    [50, 'refund.created', refund('re_1', 'succeeded', 4000, 50)],
  ]),
  history('3-D Secure, refused, then passed', [
    [10, 'payment_intent.created', intent('requires_payment_method')],
    [10, 'payment_intent.requires_action', intent('requires_action')],
    [
      20,
      'payment_intent.payment_failed',
      intent('requires_payment_method', {
        last_payment_error: { code: 'payment_intent_authentication_failure', message: 'no' },
      }),
    ],
    [30, 'payment_intent.requires_action', intent('requires_action')],
    [40, 'payment_intent.succeeded', intent('succeeded')],
    [40, 'checkout.session.completed', session('complete', 'paid')],
  ]),
  history('paid, while a clock that runs ahead dates an older report later', [
    [40, 'payment_intent.requires_action', intent('requires_action')],
    [30, 'payment_intent.succeeded', intent('succeeded')],
    [30, 'checkout.session.completed', session('complete', 'paid')],
  ]),
  history('delayed method that succeeds', [
    [10, 'payment_intent.created', intent('requires_payment_method')],
    [10, 'payment_intent.processing', intent('processing')],
    [10, 'checkout.session.completed', session('complete', 'unpaid')],
    [90, 'payment_intent.succeeded', intent('succeeded')],
    [90, 'checkout.session.async_payment_succeeded', session('complete', 'paid')],
  ]),
  history('delayed method that fails', [
    [10, 'payment_intent.created', intent('requires_payment_method')],
    [10, 'payment_intent.processing', intent('processing')],
    [10, 'checkout.session.completed', session('complete', 'unpaid')],
    [
      90,
      'payment_intent.payment_failed',
      intent('requires_payment_method', { last_payment_error: declined }),
    ],
    [90, 'checkout.session.async_payment_failed', session('complete', 'unpaid')],
  ]),
  history('expired unpaid', [
    [
      10,
      'payment_intent.payment_failed',
      intent('requires_payment_method', { last_payment_error: declined }),
    ],
    [99, 'payment_intent.canceled', intent('canceled')],
    [99, 'checkout.session.expired', session('expired', 'unpaid')],
  ]),
  history(
    'expired, then paid by a second attempt',
    [
      [9, 'checkout.session.expired', session('expired', 'unpaid')],
      [10, 'payment_intent.succeeded', intent('succeeded', { id: 'pi_2', metadata: metadata('att_2') })],
      [
        10,
        'checkout.session.completed',
        session('complete', 'paid', { id: 'cs_2', payment_intent: 'pi_2', metadata: metadata('att_2') }),
      ],
    ],
    ['att_1', 'att_2'],
  ),
  history('authorised, then captured', [
    [10, 'payment_intent.created', intent('requires_payment_method')],
    [10, 'payment_intent.amount_capturable_updated', intent('requires_capture')],
    [60, 'payment_intent.succeeded', intent('succeeded')],
  ]),
  history('authorised, then released', [
    [10, 'payment_intent.created', intent('requires_payment_method')],
    [10, 'payment_intent.amount_capturable_updated', intent('requires_capture')],
    [60, 'payment_intent.canceled', intent('canceled')],
  ]),
  history('refunded in three parts, each reported twice', [
    ...PAID_SHORT,
    [20, 'refund.created', refund('re_1', 'succeeded', 2000, 20)],
    [20, 'refund.updated', refund('re_1', 'succeeded', 2000, 20)],
    [30, 'refund.created', refund('re_2', 'succeeded', 3000, 30)],
    [30, 'refund.updated', refund('re_2', 'succeeded', 3000, 30)],
    [40, 'refund.created', refund('re_3', 'succeeded', 5000, 40)],
    [40, 'refund.updated', refund('re_3', 'succeeded', 5000, 40)],
  ]),
  history('refund pending, then succeeded', [
    ...PAID,
    [20, 'refund.created', refund('re_1', 'pending', AMOUNT, 20)],
    [40, 'refund.updated', refund('re_1', 'succeeded', AMOUNT, 20)],
  ]),
  history('refund that fails after it had succeeded', [
    ...PAID,
    [20, 'refund.created', refund('re_1', 'succeeded', 4000, 20)],
    [70, 'refund.failed', refund('re_1', 'failed', 4000, 20)],
  ]),
  history('disputed and won', [
    ...PAID_SHORT,
    [50, 'charge.dispute.created', dispute('needs_response')],
    [50, 'charge.dispute.funds_withdrawn', dispute('needs_response')],
    [60, 'charge.dispute.updated', dispute('under_review')],
    [70, 'charge.dispute.funds_reinstated', dispute('won', [taken, givenBack])],
    [70, 'charge.dispute.closed', dispute('won', [taken, givenBack])],
  ]),
  history('disputed and won, lost on appeal', [
    ...PAID_SHORT,
    [50, 'charge.dispute.created', dispute('needs_response')],
    [70, 'charge.dispute.closed', dispute('won', [taken, givenBack])],
    [80, 'charge.dispute.updated', dispute('appeal_under_review', [taken, givenBack, takenAgain])],
    [90, 'charge.dispute.closed', dispute('lost', [taken, givenBack, takenAgain])],
  ]),
  history('refunded in part, disputed and lost', [
    ...PAID_SHORT,
    [20, 'refund.created', refund('re_1', 'succeeded', 4000, 20)],
    [50, 'charge.dispute.created', dispute('needs_response')],
    [50, 'charge.dispute.funds_withdrawn', dispute('needs_response')],
    [70, 'charge.dispute.closed', dispute('lost')],
  ]),
  history('inquiry that escalates under a refund', [
    ...PAID_SHORT,
    [50, 'charge.dispute.created', dispute('warning_needs_response', [])],
    [55, 'refund.created', refund('re_1', 'succeeded', AMOUNT, 55)],
    [60, 'charge.dispute.funds_withdrawn', dispute('needs_response')],
    [60, 'refund.failed', refund('re_1', 'failed', AMOUNT, 55)],
  ]),
  history(
    'paid twice, in two tabs',
    [
      [10, 'payment_intent.succeeded', intent('succeeded')],
      [10, 'checkout.session.completed', session('complete', 'paid')],
      [12, 'payment_intent.succeeded', intent('succeeded', { id: 'pi_2', metadata: metadata('att_2') })],
      [
        12,
        'checkout.session.completed',
        session('complete', 'paid', { id: 'cs_2', payment_intent: 'pi_2', metadata: metadata('att_2') }),
      ],
    ],
    ['att_1', 'att_2'],
  ),
  history('paid too little', [
    [10, 'payment_intent.succeeded', intent('succeeded', { amount_received: AMOUNT - 1 })],
    [10, 'checkout.session.completed', session('complete', 'unpaid')],
  ]),
  history('eight events of one long life', [
    [
      10,
      'payment_intent.payment_failed',
      intent('requires_payment_method', { last_payment_error: declined }),
    ],
    [20, 'payment_intent.succeeded', intent('succeeded')],
    [20, 'checkout.session.completed', session('complete', 'paid')],
    [30, 'refund.created', refund('re_1', 'pending', 2000, 30)],
    [35, 'refund.updated', refund('re_1', 'succeeded', 2000, 30)],
    [50, 'charge.dispute.created', dispute('needs_response')],
    [60, 'charge.dispute.closed', dispute('won', [taken, givenBack])],
    [70, 'refund.created', refund('re_2', 'succeeded', 8000, 70)],
  ]),
]
