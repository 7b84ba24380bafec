import type { Html } from '../pages/html.ts'
import { html } from '../pages/html.ts'
import { shownMeans } from '../payments/instruments.ts'
import { render } from '../resources.ts'
import type { ChargeRecord, DisputeRecord, RefundRecord } from '../store/records.ts'
import type { Reads } from '../store/store.ts'
import { eventRow } from './home-page.ts'
import type { PaymentStory } from './payment-story.ts'
import { eventsOfPayment, standingOf } from './payment-story.ts'
import { action, choice, json, listPanel, money, pill, timeOf } from './shell.ts'

const CLOSED = new Set(['won', 'lost', 'warning_closed'])

/** One payment: where it stands, what can be provoked, what happened, and every object as the API shows it. */
export function paymentPage(reads: Reads, story: PaymentStory): Html {
  const { word, tone } = standingOf(story)
  const events = eventsOfPayment(reads, story).map((event) => eventRow(reads, event))
  return html`<div data-live="title">
      <div class="head">
        <div>
          <h1>${story.title}</h1>
          <div class="big">${money(story.amount, story.currency)}</div>
        </div>
        ${pill(word, tone)}
      </div>
    </div>
    <div class="split">
      <div class="stack">
        <section class="panel" aria-labelledby="provoke">
          <h2 id="provoke">Make something happen</h2>
          <div class="inside" data-live="provoke">${provocations(story)}</div>
        </section>
        ${listPanel('events', 'What happened', events, 'Nothing yet: a Session that nobody paid has no events.')}
      </div>
      <div class="stack">
        <section class="panel" aria-labelledby="facts">
          <h2 id="facts">Facts</h2>
          <div class="inside" data-live="facts">${facts(reads, story)}</div>
        </section>
        <section class="panel" aria-labelledby="objects">
          <h2 id="objects">Objects</h2>
          <div class="inside" data-live="objects">${objects(reads, story)}</div>
        </section>
      </div>
    </div>`
}

function provocations(story: PaymentStory): Html {
  const { intent, session, charges, refunds, disputes } = story
  const groups = [
    session?.status === 'open' ? openSession(session.id, intent?.status === 'requires_action') : null,
    intent?.status === 'requires_action' ? challenge(intent.id) : null,
    intent?.status === 'processing' ? debit(intent.id) : null,
    intent?.status === 'requires_capture' ? hold(intent.id) : null,
    ...charges.filter(({ captured }) => captured).map((charge) => ofCharge(charge, disputes)),
    ...refunds.filter(({ status }) => status !== 'failed' && status !== 'canceled').map(ofRefund),
    ...disputes.filter(({ status }) => !CLOSED.has(status)).map(ofDispute),
  ].filter((group) => group !== null)
  return groups.length === 0
    ? html`<p class="hint">Nothing more can happen to this payment.</p>`
    : html`${groups}`
}

function group(title: string, text: string, actions: readonly Html[]): Html {
  return html`<div class="group">
    <h3>${title}</h3>
    <p>${text}</p>
    <div class="acts">${actions}</div>
  </div>`
}

function openSession(id: string, isChallenged: boolean): Html {
  const pay = (label: string, card: string): Html =>
    action({ route: `sessions/${id}/pay`, label, fields: { card, email: 'ana@example.com' } })
  return group('The payer', 'The Session is open: pay it yourself, or let it be paid.', [
    html`<a class="btn strong" href="/c/pay/${id}">Open the payment page</a>`,
    ...(isChallenged
      ? []
      : [
          pay('Pay with 4242…', '4242424242424242'),
          pay('Pay with 3-D Secure', '4000002500003155'),
          pay('Be declined', '4000000000000002'),
          pay('Pay by SEPA', 'FR1420041010050500013M02606'),
        ]),
    action({ route: `sessions/${id}/expire`, label: 'Expire it', kind: 'danger' }),
  ])
}

function challenge(id: string): Html {
  const answer = (label: string, result: string): Html =>
    action({ route: `payment_intents/${id}/authenticate`, label, fields: { result } })
  return group('3-D Secure', "The payer's bank asks who they are.", [
    answer('Complete authentication', 'complete'),
    answer('Fail authentication', 'fail'),
  ])
}

function debit(id: string): Html {
  const settle = (label: string, result: string): Html =>
    action({ route: `payment_intents/${id}/settle`, label, fields: { result } })
  return group('The debit is processing', 'It ends by itself in a while, or now:', [
    settle('Settle it: paid', 'paid'),
    settle('Let it fail', 'failed'),
  ])
}

function hold(id: string): Html {
  return group('The money is held', 'It is released by itself after seven days.', [
    action({ route: `payment_intents/${id}/capture`, label: 'Capture', kind: 'strong' }),
    action({ route: `payment_intents/${id}/cancel`, label: 'Cancel', kind: 'danger' }),
  ])
}

function ofCharge(charge: ChargeRecord, disputes: readonly DisputeRecord[]): Html {
  const left = charge.amount - charge.amountRefunded
  const isDisputed = disputes.some(({ charge: id, status }) => id === charge.id && !CLOSED.has(status))
  const actions = [
    left > 0 && !isDisputed
      ? action({
          route: `charges/${charge.id}/refund`,
          label: 'Refund',
          inputs: html`<label
            >Minor units <input name="amount" value="${left}" inputmode="numeric" autocomplete="off"
          /></label>`,
        })
      : null,
    isDisputed
      ? null
      : action({
          route: `charges/${charge.id}/dispute`,
          label: 'Dispute this charge',
          inputs: choice('Reason', 'reason', [
            'fraudulent',
            'product_not_received',
            'inquiry',
            'duplicate',
            'general',
          ]),
        }),
    action({ route: `charges/${charge.id}/warn`, label: 'Warn of fraud' }),
  ].filter((each) => each !== null)
  return group(
    'The charge',
    `${money(charge.amountCaptured, charge.currency)} captured, ${charge.id}`,
    actions,
  )
}

function ofRefund(refund: RefundRecord): Html {
  return group('A refund', `${money(refund.amount, refund.currency)}, ${refund.status}, ${refund.id}`, [
    ...(refund.status === 'pending'
      ? [action({ route: `refunds/${refund.id}/settle`, label: 'Settle it' })]
      : []),
    action({
      route: `refunds/${refund.id}/fail`,
      label: 'Fail that refund',
      kind: 'danger',
      inputs: choice('Reason', 'reason', [
        'expired_or_canceled_card',
        'lost_or_stolen_card',
        'insufficient_funds',
        'declined',
        'unknown',
      ]),
    }),
  ])
}

function ofDispute(dispute: DisputeRecord): Html {
  const decide = (label: string, verdict: string): Html =>
    action({ route: `disputes/${dispute.id}/decide`, label, fields: { verdict } })
  const isInquiry = dispute.status.startsWith('warning')
  return group(
    isInquiry ? 'An inquiry' : 'A dispute',
    `${money(dispute.amount, dispute.currency)}, ${dispute.reason}, ${dispute.status}, ${dispute.id}`,
    isInquiry
      ? [decide('Escalate', 'escalate'), decide('Close the inquiry', 'warning_closed')]
      : [decide('Decide: won', 'won'), decide('Decide: lost', 'lost')],
  )
}

function facts(reads: Reads, story: PaymentStory): Html {
  const { session, intent, method, charges } = story
  const fee = reads.get('balance_transactions', charges[0]?.balanceTransaction ?? '')
  const rows: [string, Html | string | null | undefined][] = [
    ['Created', timeOf(story.created)],
    ['Session', session && `${session.id} (${session.status}, ${session.paymentStatus})`],
    ['PaymentIntent', intent && `${intent.id} (${intent.status})`],
    ['Charge', charges[0] && `${charges[0].id} (${charges[0].status})`],
    ['Paid with', method && shownMeans(method)],
    ['Email', session?.customerEmail ?? session?.payer?.email ?? intent?.receiptEmail],
    ['Reference', session?.clientReferenceId],
    ['Last error', intent?.lastPaymentError?.message],
    ['Fee, net', fee && `${money(fee.fee, fee.currency)}, ${money(fee.amount - fee.fee, fee.currency)}`],
  ]
  const known = rows.filter(([, value]) => value !== null && value !== undefined)
  return html`<dl class="facts">
    ${known.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`
}

function objects(reads: Reads, story: PaymentStory): Html {
  const { session, intent, charges, refunds, disputes } = story
  return html`${session ? json('o-session', 'checkout.session', render(reads, 'sessions', session)) : null}
  ${intent ? json('o-intent', 'payment_intent', render(reads, 'payment_intents', intent)) : null}
  ${charges.map((charge) => json(`o-${charge.id}`, `charge (${charge.status})`, render(reads, 'charges', charge)))}
  ${refunds.map((refund) => json(`o-${refund.id}`, `refund (${refund.status})`, render(reads, 'refunds', refund)))}
  ${disputes.map((dispute) => json(`o-${dispute.id}`, `dispute (${dispute.status})`, render(reads, 'disputes', dispute)))}`
}
