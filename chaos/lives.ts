// The lives of payments: what a payer, an operator, a bank or another system does, step by step. What has to come of
// it is not said here: the checker reads that from Stripe's own records.
import { setTimeout as sleep } from 'node:timers/promises'
import { textAt } from './json.ts'
import type { Life } from './plan.ts'
import {
  CARDS,
  comeBack,
  disputeOf,
  newKey,
  open,
  openAndPay,
  paidIntent,
  pay,
  payElsewhere,
  tenthsOf,
  untilGatewaySays,
} from './steps.ts'
import { askGateway, askStripe, control, refund, until } from './world.ts'
import type { Journey } from './world.ts'

const PAID = ['succeeded', 'partially_refunded', 'refunded', 'disputed']

export const LIVES: Readonly<Record<Life, (journey: Journey) => Promise<unknown>>> = {
  paid: (journey) => openAndPay(journey, CARDS.good),
  paid_by_intent: payByIntent,
  declined_then_paid: (journey) => payTwice(journey, CARDS.declined),
  secured: (journey) => paySecured(journey, ['complete']),
  secured_refused_then_paid: (journey) => paySecured(journey, ['fail', 'complete']),
  debit: (journey) => payByDebit(journey, journey.plan.seats % 2 === 0 ? CARDS.debit : CARDS.slowDebit),
  debit_fails: (journey) => payByDebit(journey, CARDS.failingDebit),
  abandoned: open,
  expired: expire,
  cancelled: cancel,
  cancelled_while_paying: cancelWhilePaying,
  replaced_while_paying: replaceWhilePaying,
  refunded_in_part: (journey) => refundAfterPaying(journey, [tenthsOf(journey, journey.plan.tenths)]),
  refunded_whole: (journey) => refundAfterPaying(journey, [null]),
  refunded_in_parts: (journey) =>
    refundAfterPaying(journey, [tenthsOf(journey, 2), tenthsOf(journey, 3), null]),
  refund_sent_twice: refundSentTwice,
  refunds_race: refundsRace,
  refund_fails_late: (journey) => refundOfCard(journey, CARDS.refundFails),
  refund_takes_time: (journey) => refundOfCard(journey, CARDS.refundTakesTime),
  refunded_in_dashboard: refundInDashboard,
  dispute_won: (journey) => dispute(journey, CARDS.disputed, ['won']),
  dispute_lost: (journey) => dispute(journey, CARDS.disputed, ['lost']),
  dispute_open: (journey) => dispute(journey, CARDS.disputed, []),
  inquiry_closed: (journey) => dispute(journey, CARDS.inquired, ['warning_closed']),
  inquiry_escalates: inquiryEscalates,
  warned_of_fraud: (journey) => openAndPay(journey, CARDS.warned),
  paid_elsewhere: (journey) => payElsewhere(journey, journey.amountMinor),
  paid_twice: payHereAndElsewhere,
  paid_too_little: (journey) => payElsewhere(journey, journey.amountMinor - 10),
}

async function payByIntent(journey: Journey): Promise<void> {
  const answer = await askGateway(
    journey,
    { kind: 'open', about: 'intent' },
    { method: 'POST', path: '/payments', body: { bookingId: journey.bookingId } },
  )
  const intentId = textAt(answer?.body, 'data', 'paymentIntentId')
  if (intentId === '') return
  await askStripe(journey.world, 'POST', `payment_intents/${intentId}/confirm`, {
    payment_method: 'pm_card_visa',
    return_url: 'http://localhost:5173/',
  })
}

async function payTwice(journey: Journey, firstCard: string): Promise<void> {
  const opened = await open(journey)
  if (opened === null) return
  await pay(journey, opened, firstCard)
  await sleep(journey.plan.pauseMs)
  await pay(journey, opened, CARDS.good)
  await comeBack(journey, opened)
}

async function paySecured(journey: Journey, answers: readonly ('complete' | 'fail')[]): Promise<void> {
  const opened = await open(journey)
  if (opened === null) return
  for (const answer of answers) {
    await pay(journey, opened, CARDS.secured, answer)
    await sleep(journey.plan.pauseMs)
  }
  await comeBack(journey, opened)
}

async function payByDebit(journey: Journey, iban: string): Promise<void> {
  const opened = await open(journey)
  if (opened === null || (await pay(journey, opened, iban)) !== 'complete') return
  await comeBack(journey, opened)
  const intentId = await paidIntent(journey, opened)
  await until('the end of its debit', journey, async () => {
    const answer = await askStripe(journey.world, 'GET', `payment_intents/${intentId}`)
    return !['', 'processing'].includes(textAt(answer?.body, 'status'))
  })
}

/** As by Stripe's clock, or by somebody in the Dashboard. */
async function expire(journey: Journey): Promise<void> {
  const opened = await open(journey)
  if (opened === null) return
  if (journey.plan.seats % 2 === 0) await pay(journey, opened, CARDS.declined)
  await askStripe(journey.world, 'POST', `checkout/sessions/${opened.sessionId}/expire`, {})
}

async function cancel(journey: Journey): Promise<void> {
  const opened = await open(journey)
  if (opened === null) return
  await cancelSession(journey, opened.sessionId)
  // Some come back and pay after all.
  if (journey.plan.comesBack) await openAndPay(journey, CARDS.good)
}

function cancelSession(journey: Journey, sessionId: string) {
  return askGateway(
    journey,
    { kind: 'cancel', about: sessionId },
    { method: 'POST', path: `/sessions/${sessionId}/cancel`, body: {} },
  )
}

async function cancelWhilePaying(journey: Journey): Promise<void> {
  const opened = await open(journey)
  if (opened === null) return
  await Promise.all([
    pay(journey, opened, CARDS.good),
    sleep(journey.plan.pauseMs / 40).then(() => cancelSession(journey, opened.sessionId)),
  ])
}

/** Two tabs: one pays on the hosted page while the other opens Stripe Elements for the same booking, and pays there too. */
async function replaceWhilePaying(journey: Journey): Promise<void> {
  const opened = await open(journey)
  if (opened === null) return
  await Promise.all([
    sleep(journey.plan.pauseMs / 20).then(() => pay(journey, opened, CARDS.good)),
    payByIntent(journey),
  ])
}

/** Null gives back all that is left. */
async function refundAfterPaying(journey: Journey, amounts: readonly (number | null)[]): Promise<void> {
  if (!(await openAndPay(journey, CARDS.good)) || !(await untilGatewaySays(journey, PAID))) return
  for (const amount of amounts) {
    await refund(journey, newKey(), amount)
    await sleep(journey.plan.pauseMs)
  }
}

async function refundSentTwice(journey: Journey): Promise<void> {
  if (!(await openAndPay(journey, CARDS.good)) || !(await untilGatewaySays(journey, PAID))) return
  const key = newKey()
  const amount = tenthsOf(journey, journey.plan.tenths)
  await Promise.all([1, 2, 3].map(() => refund(journey, key, amount)))
}

/** Together they would give back more than there is. */
async function refundsRace(journey: Journey): Promise<void> {
  if (!(await openAndPay(journey, CARDS.good)) || !(await untilGatewaySays(journey, PAID))) return
  const amount = tenthsOf(journey, 6)
  await Promise.all([1, 2, 3].map(() => refund(journey, newKey(), amount)))
}

async function refundOfCard(journey: Journey, card: string): Promise<void> {
  if (!(await openAndPay(journey, card)) || !(await untilGatewaySays(journey, PAID))) return
  const answer = await refund(journey, newKey(), tenthsOf(journey, journey.plan.tenths))
  const refundId = textAt(answer?.body, 'data', 'refundId')
  if (refundId === '') return
  const last = card === CARDS.refundFails ? 'failed' : 'succeeded'
  await until(`its refund's end`, journey, async () => {
    const found = await askStripe(journey.world, 'GET', `refunds/${refundId}`)
    return textAt(found?.body, 'status') === last
  })
  // The money is back with us: it can be given back another way, once more.
  if (card === CARDS.refundFails && journey.plan.comesBack)
    await refund(journey, newKey(), tenthsOf(journey, 1))
}

async function refundInDashboard(journey: Journey): Promise<void> {
  const opened = await open(journey)
  if (opened === null) return
  // Of those whose first card is refused, the payment and its refund may be heard of together, after the refusal.
  if (journey.plan.seats % 2 === 0) await pay(journey, opened, CARDS.declined)
  if ((await pay(journey, opened, CARDS.good)) !== 'complete') return
  const intentId = await paidIntent(journey, opened)
  await askStripe(journey.world, 'POST', 'refunds', {
    payment_intent: intentId,
    amount: String(tenthsOf(journey, journey.plan.tenths)),
  })
  // And the rest through the gateway, which may not have heard of the first yet.
  if (journey.plan.comesBack && (await untilGatewaySays(journey, PAID))) await refund(journey, newKey(), null)
}

async function dispute(journey: Journey, card: string, verdicts: readonly string[]): Promise<void> {
  const opened = await open(journey)
  if (opened === null || (await pay(journey, opened, card)) !== 'complete') return
  const disputeId = await disputeOf(journey, await paidIntent(journey, opened))
  for (const verdict of verdicts) {
    await sleep(journey.plan.pauseMs)
    await control(journey.world, `disputes/${disputeId}/decide`, { verdict })
  }
}

/** A refund made while the bank only asks fails when the bank takes the money all the same. */
async function inquiryEscalates(journey: Journey): Promise<void> {
  const opened = await open(journey)
  if (opened === null || (await pay(journey, opened, CARDS.inquired)) !== 'complete') return
  const disputeId = await disputeOf(journey, await paidIntent(journey, opened))
  if (await untilGatewaySays(journey, PAID))
    await refund(journey, newKey(), tenthsOf(journey, journey.plan.tenths))
  for (const verdict of ['escalate', journey.plan.comesBack ? 'won' : 'lost']) {
    await sleep(journey.plan.pauseMs)
    await control(journey.world, `disputes/${disputeId}/decide`, { verdict })
  }
}

async function payHereAndElsewhere(journey: Journey): Promise<void> {
  const opened = await open(journey)
  if (opened === null) return
  const both = [() => pay(journey, opened, CARDS.good), () => payElsewhere(journey, journey.amountMinor)]
  if (journey.plan.comesBack) both.reverse()
  for (const payment of both) {
    await payment()
    await sleep(journey.plan.pauseMs)
  }
}
