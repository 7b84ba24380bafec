// One whole life of a payment, recorded at the sandbox: real payloads, never older than the sandbox itself.
import { setTimeout } from 'node:timers/promises'
import { startSandbox } from '@passerelle/stripe-sandbox/sandbox'

/** An event's JSON as Stripe sends it, with placeholders where each life has values of its own. */
export type LifeEvent = { readonly type: string; readonly template: string }

export const PLACEHOLDER = {
  payment: '{payment}',
  booking: '{booking}',
  attempt: '{attempt}',
  session: '{session}',
  intent: '{intent}',
  charge: '{charge}',
  transaction: '{transaction}',
  event: '{event}',
  created: '{created}',
} as const

export const AMOUNT_MINOR = 12_900
const WAIT_MS_MAX = 15_000
const TYPES = [
  'payment_intent.created',
  'charge.succeeded',
  'payment_intent.succeeded',
  'checkout.session.completed',
  'charge.updated',
]

type StripeEvent = { id: string; type: string; created: number; data: { object: Record<string, unknown> } }

/** The five events of a payment by card in Checkout, in the order in which Stripe makes them. */
export async function recordLife(): Promise<readonly LifeEvent[]> {
  const sandbox = await startSandbox({})
  try {
    const session = await openSession(sandbox.url)
    await fetch(`${sandbox.url}/_sandbox/sessions/${session}/pay`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ card: '4242424242424242', email: 'ana@example.com' }),
    })
    const events = await eventsOf(sandbox.url)
    return TYPES.map((type) => {
      const event = events.find((candidate) => candidate.type === type)
      if (!event) throw new Error(`the sandbox made no ${type}`)
      return { type, template: templateOf(event, events) }
    })
  } finally {
    await sandbox.stop()
  }
}

const headers = { authorization: 'Bearer sk_test_bench' }

async function openSession(url: string): Promise<string> {
  const metadata = {
    payment_id: 'payment_of_life',
    booking_id: 'booking_of_life',
    attempt_id: 'attempt_of_life',
  }
  const body = new URLSearchParams({
    mode: 'payment',
    success_url: 'http://localhost:5173/payment/success?session_id={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://localhost:5173/payment/cancel?booking_id=booking_of_life',
    client_reference_id: metadata.payment_id,
    'line_items[0][quantity]': '1',
    'line_items[0][price_data][currency]': 'eur',
    'line_items[0][price_data][unit_amount]': String(AMOUNT_MINOR),
    'line_items[0][price_data][product_data][name]': 'Kayak in the Calanques',
  })
  for (const [key, value] of Object.entries(metadata)) {
    body.set(`metadata[${key}]`, value)
    body.set(`payment_intent_data[metadata][${key}]`, value)
  }
  const answer = await fetch(`${url}/v1/checkout/sessions`, { method: 'POST', headers, body })
  const { id } = (await answer.json()) as { id?: string }
  if (id === undefined) throw new Error('the sandbox opened no session')
  return id
}

async function eventsOf(url: string): Promise<StripeEvent[]> {
  for (const end = Date.now() + WAIT_MS_MAX; Date.now() < end; await setTimeout(50)) {
    const answer = await fetch(`${url}/v1/events?limit=100`, { headers })
    const { data } = (await answer.json()) as { data: StripeEvent[] }
    if (TYPES.every((type) => data.some((event) => event.type === type))) return data
  }
  throw new Error('the sandbox made no whole life of a payment')
}

function templateOf(event: StripeEvent, events: readonly StripeEvent[]): string {
  const idOf = (type: string): string =>
    String(events.find((other) => other.type === type)?.data.object['id'])
  const transaction = events.find(({ type }) => type === 'charge.updated')?.data.object['balance_transaction']
  const values: readonly (readonly [string, string])[] = [
    ['payment_of_life', PLACEHOLDER.payment],
    ['booking_of_life', PLACEHOLDER.booking],
    ['attempt_of_life', PLACEHOLDER.attempt],
    [idOf('checkout.session.completed'), PLACEHOLDER.session],
    [idOf('payment_intent.succeeded'), PLACEHOLDER.intent],
    [idOf('charge.succeeded'), PLACEHOLDER.charge],
    [String(transaction), PLACEHOLDER.transaction],
    [event.id, PLACEHOLDER.event],
  ]
  // Stripe prints its events with an indent of two.
  const text = JSON.stringify(event, null, 2).replace(
    `"created": ${event.created}`,
    `"created": ${PLACEHOLDER.created}`,
  )
  return values.reduce((all, [from, to]) => all.replaceAll(from, to), text)
}
