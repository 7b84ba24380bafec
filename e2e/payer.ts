// A payer at the browser: what people do on the shop's pages and on the payment page, by the words they read there.
import type { Browser, Page } from 'playwright-core'
import { en } from '../frontend/src/language/messages.en.ts'
import { until } from './stack.ts'
import type { TestStack } from './stack.ts'

export const CARDS = {
  paid: '4242 4242 4242 4242',
  declined: '4000 0000 0000 0002',
  threeDSecure: '4000 0025 0000 3155',
} as const

export type Payer = {
  readonly page: Page
  /** Books the first tour of the shop and returns the booking's id. */
  readonly book: () => Promise<string>
  /** From the booking's page to the hosted payment page. */
  readonly openPaymentPage: () => Promise<void>
  /** Fills in a card on the payment page and pays. */
  readonly payWith: (card: string) => Promise<void>
  /** Waits for a page with this heading. */
  readonly sees: (heading: string) => Promise<void>
  /** What the browser asked of hosts other than this machine. */
  readonly strangers: readonly string[]
  /** Errors that scripts of the shop's pages threw. */
  readonly scriptErrors: readonly string[]
  /** Closes the browser's window without a goodbye. */
  readonly leave: () => Promise<void>
}

const WAIT_MS_MAX = 20_000

/** A new customer: a browser without any memory. */
export async function newPayer(browser: Browser, stack: TestStack): Promise<Payer> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Paris' })
  context.setDefaultTimeout(WAIT_MS_MAX)
  const page = await context.newPage()
  const strangers: string[] = []
  const scriptErrors: string[] = []
  page.on('request', (request) => {
    if (!/^(?:data:|http:\/\/localhost:)/.test(request.url())) strangers.push(request.url())
  })
  page.on('pageerror', (error) => scriptErrors.push(error.message))
  return {
    page,
    strangers,
    scriptErrors,
    book: async () => {
      await page.goto(stack.plan.urls.frontend)
      await page
        .getByRole('link', { name: new RegExp(`^${en.tours.book}`) })
        .first()
        .click()
      await page.getByLabel(en.tour.email).fill('ana@example.com')
      await page.getByRole('button', { name: en.tour.book }).click()
      await page.waitForURL(/\/bookings\/[^/]+$/)
      return new URL(page.url()).pathname.split('/').at(-1) ?? ''
    },
    openPaymentPage: async () => {
      await page.getByRole('button', { name: en.booking.pay, exact: true }).click()
      await page.waitForURL((url) => url.origin === stack.plan.urls.sandbox)
    },
    payWith: async (card) => {
      await page.getByLabel('Card number').fill(card)
      await page.getByLabel('Expiry').fill('12 / 34')
      await page.getByLabel('CVC').fill('123')
      await page.getByRole('button', { name: /^(?:Pay|Book) / }).click()
    },
    sees: async (heading) => {
      await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    },
    leave: () => context.close(),
  }
}

type Booking = {
  readonly status: string
  readonly paymentIntentId: string | null
  readonly paymentVersion: number | null
  readonly amountMinor: number
}

/** What the booking service knows, asked as the gateway would. */
export async function bookingOf(stack: TestStack, bookingId: string): Promise<Booking> {
  const answer = await fetch(`${stack.plan.urls.booking}/api/v1/bookings/${bookingId}`, {
    headers: { authorization: `Bearer ${stack.secrets.serviceToken}` },
  })
  const body = (await answer.json()) as { data: Booking }
  return body.data
}

export async function untilBookingIs(stack: TestStack, bookingId: string, status: string): Promise<Booking> {
  return await until(`booking ${bookingId} is ${status}`, async () => {
    const booking = await bookingOf(stack, bookingId)
    return booking.status === status && booking
  })
}
