// The payer tries again: after an expiry, a refusal or a changed price, in this tab or in another one.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { Client } from 'pg'
import type { Browser, Page } from 'playwright-core'
import { en } from '../frontend/src/language/messages.en.ts'
import { launchBrowser } from './browser.ts'
import { untilBookingIs } from './payer.ts'
import { gatewayOf, newCustomer, pay, returnPath, stripeCall, untilStatus } from './scenes.ts'
import type { Customer } from './scenes.ts'
import { startTestStack } from './stack.ts'
import type { TestStack } from './stack.ts'

const CARD = '4242424242424242'

const sees = (page: Page, heading: string): Promise<void> =>
  page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()

describe('the payer tries again', () => {
  let stack: TestStack
  let browser: Browser
  let customer: Customer
  before(async () => {
    stack = await startTestStack()
    browser = await launchBrowser()
  })
  beforeEach(async () => {
    customer = await newCustomer(browser, stack)
  })
  afterEach(() => customer.leave())
  after(async () => {
    await browser?.close()
    await stack?.stop()
  })

  const begin = async (): Promise<{ bookingId: string; sessionId: string }> => {
    const bookingId = await customer.book()
    return { bookingId, ...(await customer.startSession(bookingId)) }
  }
  const expire = async (bookingId: string, sessionId: string): Promise<void> => {
    await stripeCall(stack, `/v1/checkout/sessions/${sessionId}/expire`)
    await untilStatus(customer, bookingId, ({ status }) => status === 'expired')
  }
  /** Presses the button that pays, and returns the session whose page that opens. */
  const goPay = async (page: Page, button: string): Promise<string> => {
    await page.getByRole('button', { name: button, exact: true }).click()
    await page.waitForURL((url) => url.origin === stack.plan.urls.sandbox)
    return new URL(page.url()).pathname.split('/').at(-1) ?? ''
  }
  const payOnPage = async (page: Page): Promise<void> => {
    await page.getByLabel('Email').fill('ana@example.com')
    await page.getByLabel('Card number').fill(CARD)
    await page.getByLabel('Expiry').fill('12 / 34')
    await page.getByLabel('CVC').fill('123')
    await page.getByRole('button', { name: /^Pay / }).click()
  }
  const paymentsOf = async (bookingId: string): Promise<number> => {
    const answer = await fetch(`${gatewayOf(stack)}/admin/payments?bookingId=${bookingId}`, {
      headers: { authorization: `Bearer ${stack.secrets.serviceToken}` },
    })
    return new Set((await answer.text()).match(/"pay_\w+"/g)).size
  }

  it('after the session expired: another session of the same payment, which pays', async () => {
    const { bookingId, sessionId } = await begin()
    await expire(bookingId, sessionId)
    const page = await customer.visit(returnPath(bookingId, sessionId))
    await sees(page, en.payment.expired.heading)
    assert.notEqual(await goPay(page, en.payment.tryAgain), sessionId)
    await payOnPage(page)
    await sees(page, en.payment.paid.heading)
    await untilBookingIs(stack, bookingId, 'confirmed')
    assert.equal(await paymentsOf(bookingId), 1)
  })

  it('after a refusal: the same session, still open, and the same payment', async () => {
    const { bookingId, sessionId } = await begin()
    await pay(stack, sessionId, '4000000000000069')
    await untilStatus(customer, bookingId, ({ status }) => status === 'failed')
    const page = await customer.visit(returnPath(bookingId, sessionId))
    await sees(page, en.payment.failed.heading)
    assert.equal(await goPay(page, en.payment.otherCard), sessionId)
    await payOnPage(page)
    await sees(page, en.payment.paid.heading)
    assert.equal(await paymentsOf(bookingId), 1)
  })

  it('in another tab: the first one, looked at again in between, follows to the end by itself', async () => {
    const { bookingId, sessionId } = await begin()
    await expire(bookingId, sessionId)
    const first = await customer.visit(returnPath(bookingId, sessionId))
    await sees(first, en.payment.expired.heading)
    const second = await customer.visit(returnPath(bookingId, sessionId))
    await goPay(second, en.payment.tryAgain)
    await first.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await sees(first, en.payment.verifying.heading)
    await payOnPage(second)
    await sees(second, en.payment.paid.heading)
    // Its own session is not the one that was paid.
    await sees(first, en.payment.alreadyPaid.heading)
  })

  it('after the price changed: resuming leads to the new price, and the old page pays nothing any more', async () => {
    const { bookingId, sessionId } = await begin()
    const page = await customer.visit(`/payment-cancel?booking_id=${bookingId}`)
    await sees(page, en.payment.canceled.heading)
    const client = new Client({ connectionString: stack.databaseUrl })
    await client.connect()
    try {
      await client.query('update booking_management.bookings set amount_minor = 12345 where id = $1', [
        bookingId,
      ])
    } finally {
      await client.end()
    }
    assert.notEqual(await goPay(page, en.payment.resume), sessionId)
    await page.getByRole('button', { name: /^Pay .*123\.45/ }).waitFor()
    const old = await customer.context.newPage()
    await old.goto(`${stack.plan.urls.sandbox}/c/pay/${sessionId}`)
    await sees(old, 'This page has expired')
    await payOnPage(page)
    await sees(page, en.payment.paid.heading)
    assert.equal((await untilBookingIs(stack, bookingId, 'confirmed')).amountMinor, 12_345)
  })

  it('in a browser that lets no site keep anything: the way to the payment page is open all the same', async () => {
    const { bookingId } = await begin()
    await customer.context.addInitScript(() => {
      for (const name of ['sessionStorage', 'localStorage'])
        Object.defineProperty(window, name, {
          get: () => {
            throw new DOMException('denied', 'SecurityError')
          },
        })
    })
    const page = await customer.visit(`/payment-cancel?booking_id=${bookingId}`)
    await goPay(page, en.payment.resume)
  })

  it('without a network for a while: the page says so, and is right once it is back', async () => {
    const { bookingId, sessionId } = await begin()
    const page = await customer.context.newPage()
    // What is open already, the browser would leave open.
    await page.route('**/stream?*', (route) => route.abort())
    await page.goto(stack.plan.urls.frontend + returnPath(bookingId, sessionId))
    await sees(page, en.payment.verifying.heading)
    await customer.context.setOffline(true)
    await pay(stack, sessionId, CARD)
    await untilStatus(customer, bookingId, ({ status }) => status === 'succeeded')
    await sees(page, en.payment.offline.heading)
    await customer.context.setOffline(false)
    await sees(page, en.payment.paid.heading)
  })
})
