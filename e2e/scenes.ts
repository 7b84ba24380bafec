// Every state of the payer's page, brought about for real: a booking, a session, and what the payer, the bank or the
// platform do next. Used by the tests of the states and by the screenshots.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { until } from './stack.ts'
import type { TestStack } from './stack.ts'

export type Scene = {
  /** What the page calls the state (`data-state`). */
  readonly state: string
  /** Tells scenes of the same state apart. */
  readonly name: string
  /** Brings the state about and opens the page in it. */
  readonly open: (customer: Customer) => Promise<Page>
}

/** A customer with a browser of their own, and calls made in their name. */
export type Customer = {
  readonly context: BrowserContext
  readonly stack: TestStack
  readonly book: (wish?: Partial<Wish>) => Promise<string>
  readonly startSession: (bookingId: string) => Promise<Session>
  readonly call: (path: string, body: object, bearer?: string) => Promise<Record<string, unknown>>
  readonly visit: (path: string) => Promise<Page>
  readonly leave: () => Promise<void>
}

type Wish = { readonly tourId: string; readonly date: string; readonly seats: number }
export type Session = { readonly sessionId: string; readonly statusToken: string; readonly statusUrl: string }

const WAIT_MS_MAX = 20_000
const SLOW_MS = 13_000
const TOUR = { tourId: 'paris-after-dark', name: 'Paris After Dark', seats: 2, timeZone: 'Europe/Paris' }

// Each booking on a day of its own: there are only so many seats a day.
let days = 0
function nextDay(): string {
  days += 1
  return new Date(Date.UTC(2027, 0, days)).toISOString().slice(0, 10)
}

type Look = { readonly locale?: string; readonly javaScriptEnabled?: boolean }

export async function newCustomer(browser: Browser, stack: TestStack, look: Look = {}): Promise<Customer> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'America/New_York', ...look })
  context.setDefaultTimeout(WAIT_MS_MAX)
  const { urls } = stack.plan
  // Signed in by the cookie that the shop's own pages use.
  const signIn = await context.request.post(`${urls.booking}/api/v1/auth/demo`, {
    headers: { origin: urls.frontend },
    data: {},
  })
  const jwt = ((await signIn.json()) as { data: { token: string } }).data.token

  const call: Customer['call'] = async (url, body, bearer = jwt) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: JSON.stringify(body),
    })
    const result = (await answer.json()) as { data?: Record<string, unknown> }
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${JSON.stringify(result)}`)
    return result.data ?? {}
  }
  const dates = new Map<string, string>()
  const book: Customer['book'] = async (wish) => {
    const { tourId, seats } = TOUR
    const date = wish?.date ?? nextDay()
    const booking = await call(`${urls.booking}/api/v1/bookings`, { tourId, seats, date, ...wish })
    dates.set(String(booking['id']), date)
    return String(booking['id'])
  }

  return {
    context,
    stack,
    call,
    book,
    startSession: async (bookingId) => {
      const data = await call(`${gatewayOf(stack)}/sessions`, { bookingId })
      const session = data as Session & { expiresAt: string }
      await keepAccess(context, stack, {
        bookingId,
        sessionId: session.sessionId,
        statusToken: session.statusToken,
        expiresAt: session.expiresAt,
        tour: {
          name: TOUR.name,
          date: dates.get(bookingId),
          seats: TOUR.seats,
          timeZone: TOUR.timeZone,
        },
      })
      return session
    },
    visit: async (path) => {
      const page = await context.newPage()
      await page.goto(urls.frontend + path)
      return page
    },
    leave: () => context.close(),
  }
}

/** As the shop's page does before it sends the payer to Stripe. */
async function keepAccess(context: BrowserContext, stack: TestStack, access: object): Promise<void> {
  const answer = await context.request.post(`${stack.plan.urls.frontend}/payment-access`, {
    headers: { 'sec-fetch-site': 'same-origin' },
    data: access,
  })
  if (answer.status() !== 204) throw new Error(`the access was not kept: ${answer.status()}`)
}

export function gatewayOf(stack: TestStack): string {
  return `${stack.plan.urls.gateway}/api/v1/payment-gateway`
}

export function returnPath(bookingId: string, sessionId: string): string {
  return `/payment-success?session_id=${sessionId}&booking_id=${bookingId}`
}

/** Pays a session at the sandbox as its page does: with a card number, an IBAN or a `pm_card_…`. */
export async function pay(
  stack: TestStack,
  sessionId: string,
  card: string,
  more: object = {},
): Promise<void> {
  await sandboxCall(stack, `/_sandbox/sessions/${sessionId}/pay`, { card, email: 'ana@example.com', ...more })
}

/** Pays while no webhook is delivered: without waiting, as Stripe's page does, for a shop that cannot hear of it. */
export async function payUnheard(stack: TestStack, sessionId: string, card: string): Promise<void> {
  void pay(stack, sessionId, card).catch(() => undefined)
  await until(`session ${sessionId} is paid`, async () => {
    const answer = await fetch(`${stack.plan.urls.sandbox}/v1/checkout/sessions/${sessionId}`, {
      headers: { authorization: 'Bearer sk_test_scenes' },
    })
    return ((await answer.json()) as { payment_status: string }).payment_status === 'paid'
  })
}

async function sandboxCall(stack: TestStack, path: string, body: object): Promise<unknown> {
  const answer = await fetch(stack.plan.urls.sandbox + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
  return await answer.json()
}

/** What only Stripe's own API does: expiring a session, confirming an intent. */
export async function stripeCall(
  stack: TestStack,
  path: string,
  form: Record<string, string> = {},
): Promise<void> {
  const answer = await fetch(stack.plan.urls.sandbox + path, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_scenes' },
    body: new URLSearchParams(form),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
}

/** Waits until the gateway says this of the payment. */
export async function untilStatus(
  customer: Customer,
  bookingId: string,
  fits: (payment: Record<string, unknown>) => boolean,
): Promise<void> {
  const { stack } = customer
  await until(`payment of ${bookingId}`, async () => {
    const answer = await fetch(`${gatewayOf(stack)}/payments/${bookingId}/status`, {
      headers: { authorization: `Bearer ${stack.secrets.serviceToken}` },
    })
    const { data } = (await answer.json()) as { data?: Record<string, unknown> }
    return data !== undefined && fits(data)
  })
}

type Began = Session & { readonly bookingId: string }

async function begin(customer: Customer): Promise<Began> {
  const bookingId = await customer.book()
  return { bookingId, ...(await customer.startSession(bookingId)) }
}

/** Pays with this card and comes back as Stripe's page would lead. */
function paidWith(card: string, status: string) {
  return async (customer: Customer): Promise<Page> => {
    const { bookingId, sessionId } = await begin(customer)
    await pay(customer.stack, sessionId, card)
    if (status !== '') await untilStatus(customer, bookingId, (payment) => payment['status'] === status)
    return await customer.visit(returnPath(bookingId, sessionId))
  }
}

async function refunded(customer: Customer, amountMinor: number | null): Promise<Page> {
  const { bookingId, sessionId } = await begin(customer)
  await pay(customer.stack, sessionId, '4242424242424242')
  await untilStatus(customer, bookingId, (payment) => payment['status'] === 'succeeded')
  const body = amountMinor === null ? {} : { amountMinor }
  const { serviceToken } = customer.stack.secrets
  await customer.call(`${gatewayOf(customer.stack)}/payments/${bookingId}/refunds`, body, serviceToken)
  await untilStatus(customer, bookingId, (payment) => Number(payment['refundedAmountMinor']) > 0)
  return await customer.visit(returnPath(bookingId, sessionId))
}

async function bookingLost(customer: Customer): Promise<Page> {
  const { stack } = customer
  const wish = { tourId: 'chamonix-glacier-walk', date: '2027-02-03', seats: 6 }
  const bookingId = await customer.book(wish)
  const { sessionId } = await customer.startSession(bookingId)
  await customer.call(`${stack.plan.urls.booking}/api/v1/bookings/${bookingId}/cancel`, {})
  await customer.book(wish)
  await pay(stack, sessionId, '4242424242424242')
  await untilStatus(customer, bookingId, (payment) => payment['bookingLost'] === true)
  return await customer.visit(returnPath(bookingId, sessionId))
}

/** The session was replaced by a card payment on the site, which then paid. */
async function alreadyPaid(customer: Customer): Promise<Page> {
  const { bookingId, sessionId } = await begin(customer)
  const intent = await customer.call(`${gatewayOf(customer.stack)}/payments`, { bookingId })
  await stripeCall(customer.stack, `/v1/payment_intents/${String(intent['paymentIntentId'])}/confirm`, {
    payment_method: 'pm_card_visa',
  })
  await untilStatus(customer, bookingId, (payment) => payment['status'] === 'succeeded')
  return await customer.visit(returnPath(bookingId, sessionId))
}

async function givenUp(customer: Customer): Promise<Page> {
  const { bookingId, sessionId } = await begin(customer)
  await customer.call(`${gatewayOf(customer.stack)}/sessions/${sessionId}/cancel`, {})
  return await customer.visit(`/payment-cancel?booking_id=${bookingId}`)
}

async function expired(customer: Customer): Promise<Page> {
  const { bookingId, sessionId } = await begin(customer)
  await stripeCall(customer.stack, `/v1/checkout/sessions/${sessionId}/expire`)
  await untilStatus(customer, bookingId, (payment) => payment['status'] === 'expired')
  return await customer.visit(returnPath(bookingId, sessionId))
}

/** Back without having paid: nothing but time tells whether the payer is late or the payment is. */
async function waiting(customer: Customer, ms: number): Promise<Page> {
  const { bookingId, sessionId } = await begin(customer)
  const page = await customer.context.newPage()
  await page.clock.install()
  await page.goto(customer.stack.plan.urls.frontend + returnPath(bookingId, sessionId))
  await page.locator('[data-state]').waitFor()
  await page.clock.runFor(ms)
  return page
}

/** A page whose gateway does not answer, in a browser that brings no cookie of ours. */
async function cutOff(customer: Customer, isOffline: boolean): Promise<Page> {
  const { bookingId, sessionId } = await begin(customer)
  await customer.context.clearCookies({ name: /^passerelle-pay-/ })
  const page = await customer.context.newPage()
  await page.clock.install()
  await page.route(`${customer.stack.plan.urls.gateway}/**`, (route) => route.abort())
  await page.goto(customer.stack.plan.urls.frontend + returnPath(bookingId, sessionId))
  await page.locator('[data-state]').waitFor()
  if (isOffline) {
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'onLine', { get: () => false })
      window.dispatchEvent(new Event('online'))
    })
    await page.clock.runFor(2000)
  } else await page.clock.runFor(SLOW_MS)
  return page
}

async function otherDevice(customer: Customer): Promise<Page> {
  const { bookingId, sessionId } = await begin(customer)
  await customer.context.clearCookies()
  return await customer.visit(returnPath(bookingId, sessionId))
}

async function byLink(customer: Customer): Promise<Page> {
  const { bookingId, sessionId, statusUrl } = await begin(customer)
  await pay(customer.stack, sessionId, '4242424242424242')
  await untilStatus(customer, bookingId, (payment) => payment['status'] === 'succeeded')
  await customer.context.clearCookies()
  return await customer.visit(new URL(statusUrl).pathname)
}

/** The last ones forget who the customer is. */
export const SCENES: readonly Scene[] = [
  { state: 'paid', name: 'paid', open: paidWith('4242424242424242', 'succeeded') },
  { state: 'paid', name: 'disputed', open: paidWith('4000000000000259', 'disputed') },
  { state: 'processing', name: 'processing', open: paidWith('FR3020041010050500013M02609', 'processing') },
  { state: 'requires_action', name: 'requires-action', open: paidWith('4000002760003184', '') },
  { state: 'failed', name: 'failed', open: paidWith('4000000000009995', 'failed') },
  { state: 'failed', name: 'failed-for-now', open: paidWith('4000000000000002', 'failed') },
  { state: 'failed', name: 'failed-fraud', open: paidWith('4100000000000019', 'failed') },
  {
    state: 'canceled',
    name: 'canceled',
    open: async (customer) => {
      const { bookingId } = await begin(customer)
      return await customer.visit(`/payment-cancel?booking_id=${bookingId}`)
    },
  },
  { state: 'released', name: 'released', open: givenUp },
  { state: 'expired', name: 'expired', open: expired },
  { state: 'refunded', name: 'refunded', open: (customer) => refunded(customer, null) },
  { state: 'refunded', name: 'refunded-partly', open: (customer) => refunded(customer, 2500) },
  { state: 'already_paid', name: 'already-paid', open: alreadyPaid },
  { state: 'booking_lost', name: 'booking-lost', open: bookingLost },
  { state: 'verifying', name: 'verifying', open: (customer) => waiting(customer, 0) },
  { state: 'unfinished', name: 'unfinished', open: (customer) => waiting(customer, SLOW_MS) },
  { state: 'slow', name: 'slow', open: (customer) => cutOff(customer, false) },
  { state: 'offline', name: 'offline', open: (customer) => cutOff(customer, true) },
  { state: 'unknown_link', name: 'unknown-link', open: (customer) => customer.visit(`/p/${'x'.repeat(43)}`) },
  { state: 'other_device', name: 'other-device', open: otherDevice },
  { state: 'paid', name: 'paid-by-link', open: byLink },
]
