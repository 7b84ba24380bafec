// The steps lives are made of.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { at, listAt, textAt } from './json.ts'
import { askGateway, askStripe, control, until } from './world.ts'
import type { Journey } from './world.ts'

export type Opened = { readonly sessionId: string; readonly statusToken: string }

export const CARDS = {
  good: '4242424242424242',
  declined: '4000000000009995',
  secured: '4000002760003184',
  disputed: '4000000000000259',
  inquired: '4000000000001976',
  warned: '4000000000005423',
  refundTakesTime: '4000000000007726',
  refundFails: '4000000000005126',
  debit: 'DE89370400440532013000',
  slowDebit: 'DE08370400440532013003',
  failingDebit: 'DE62370400440532013001',
} as const

/** Opens the payment, with as many clicks at once as the plan says; null when it could not be opened. */
export async function open(journey: Journey): Promise<Opened | null> {
  const clicks = await Promise.all(
    Array.from({ length: journey.plan.clicks }, async () =>
      askGateway(
        journey,
        { kind: 'open', about: 'session' },
        { method: 'POST', path: '/sessions', body: { bookingId: journey.bookingId } },
      ),
    ),
  )
  await sleep(journey.plan.pauseMs)
  // The payer goes on in the tab that was opened last.
  for (const answer of clicks.toReversed()) {
    const sessionId = textAt(answer?.body, 'data', 'sessionId')
    if (sessionId !== '') return { sessionId, statusToken: textAt(answer?.body, 'data', 'statusToken') }
  }
  return null
}

/** Fills in the hosted page; says what came of it. */
export async function pay(
  journey: Journey,
  { sessionId }: Opened,
  card: string,
  authenticate?: 'complete' | 'fail',
): Promise<string> {
  const { world, plan } = journey
  const answer = await control(world, `sessions/${sessionId}/pay`, {
    card,
    email: `${plan.customer}@example.com`,
    ...(authenticate === undefined ? {} : { authenticate }),
  })
  world.history.actions.push({
    kind: 'pay',
    bookingId: journey.bookingId,
    atMs: Date.now(),
    about: sessionId,
    askedMinor: null,
    answered: answer,
  })
  return textAt(answer?.body, 'status')
}

/** The success page: asks once where the session stands. */
export async function comeBack(journey: Journey, { sessionId, statusToken }: Opened): Promise<void> {
  if (!journey.plan.comesBack) return
  await askGateway(
    journey,
    { kind: 'verify', about: sessionId },
    { method: 'GET', path: `/sessions/${sessionId}/verify?token=${encodeURIComponent(statusToken)}` },
  )
}

/** Opens and pays; false when it could not be paid. */
export async function openAndPay(journey: Journey, card: string): Promise<boolean> {
  const opened = await open(journey)
  if (opened === null || (await pay(journey, opened, card)) !== 'complete') return false
  await comeBack(journey, opened)
  return true
}

/** Waits until the gateway says so; it may have to find out first that a webhook was lost. */
export function untilGatewaySays(journey: Journey, statuses: readonly string[]): Promise<boolean> {
  return until(`the status ${statuses.join(' or ')}`, journey, async () => {
    const answer = await askGateway(
      journey,
      { kind: 'verify', about: 'status' },
      { method: 'GET', path: `/payments/${journey.bookingId}/status` },
    )
    return statuses.includes(textAt(answer?.body, 'data', 'status'))
  })
}

/** Every PaymentIntent of the booking that Stripe knows, newest first. */
export async function intentsOf(
  journey: Journey,
): Promise<readonly { id: string; status: string; charge: string }[]> {
  const answer = await askStripe(journey.world, 'GET', 'payment_intents?limit=100')
  return listAt(answer?.body, 'data')
    .filter((intent) => textAt(intent, 'metadata', 'booking_id') === journey.bookingId)
    .map((intent) => ({
      id: textAt(intent, 'id'),
      status: textAt(intent, 'status'),
      charge: textAt(intent, 'latest_charge'),
    }))
}

/** The intent that a session of the booking was paid with. */
export async function paidIntent(journey: Journey, { sessionId }: Opened): Promise<string> {
  let intentId = ''
  await until('its intent', journey, async () => {
    const answer = await askStripe(journey.world, 'GET', `checkout/sessions/${sessionId}`)
    intentId = textAt(answer?.body, 'payment_intent')
    return intentId !== ''
  })
  return intentId
}

/** Waits for the dispute Stripe opens on the intent by itself. */
export async function disputeOf(journey: Journey, intentId: string): Promise<string> {
  let disputeId = ''
  await until('its dispute', journey, async () => {
    const answer = await askStripe(journey.world, 'GET', `disputes?payment_intent=${intentId}`)
    disputeId = textAt(listAt(answer?.body, 'data')[0], 'id')
    return disputeId !== ''
  })
  return disputeId
}

/**
 * Another system of the account, that knows nothing of us but the booking's number, takes money for it. It takes a 500
 * for "nothing happened" and tries again under a new key: where something had, it takes the money twice.
 */
export function payElsewhere(journey: Journey, amountMinor: number): Promise<boolean> {
  return until('its payment elsewhere', journey, async () => {
    const answer = await askStripe(journey.world, 'POST', 'payment_intents', {
      amount: String(amountMinor),
      currency: journey.currency,
      confirm: 'true',
      payment_method: 'pm_card_visa',
      return_url: 'http://localhost:5173/',
      'metadata[booking_id]': journey.bookingId,
    })
    return at(answer?.body, 'status') === 'succeeded'
  })
}

/** A part of the amount that Stripe can give back: three-decimal currencies end in 0. */
export function tenthsOf(journey: Journey, tenths: number): number {
  return Math.max(Math.floor((journey.amountMinor * tenths) / 100) * 10, 10)
}

export function newKey(): string {
  return `refund-${randomUUID()}`
}
