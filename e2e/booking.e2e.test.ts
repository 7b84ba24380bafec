import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { en } from '../frontend/src/language/messages.en.ts'
import { launchBrowser } from './browser.ts'
import { CARDS, bookingOf, newPayer, untilBookingIs } from './payer.ts'
import type { Payer } from './payer.ts'
import { startTestStack, until } from './stack.ts'
import type { TestStack } from './stack.ts'

const LOG_LINES_SHOWN = 60

describe('a payer books a tour', () => {
  let stack: TestStack
  let browser: Browser
  let payer: Payer

  before(async () => {
    stack = await startTestStack()
    browser = await launchBrowser()
  })
  beforeEach(async () => {
    payer = await newPayer(browser, stack)
  })
  afterEach(async (test) => {
    const { strangers, scriptErrors } = payer
    await payer.leave()
    if ('passed' in test && !test.passed)
      process.stderr.write(`${stack.lines.slice(-LOG_LINES_SHOWN).join('\n')}\n`)
    assert.deepEqual({ strangers, scriptErrors }, { strangers: [], scriptErrors: [] })
  })
  after(async () => {
    await browser?.close()
    await stack?.stop()
  })

  const startPaying = async (): Promise<string> => {
    const bookingId = await payer.book()
    await payer.openPaymentPage()
    return bookingId
  }

  it('and pays: the page says so, the booking service has it confirmed with the payment, and a reload says the same', async () => {
    const bookingId = await startPaying()
    await payer.payWith(CARDS.paid)
    await payer.sees(en.payment.paid.heading)
    const booking = await untilBookingIs(stack, bookingId, 'confirmed')
    assert.match(booking.paymentIntentId ?? '', /^pi_/)
    await payer.page.reload()
    await payer.sees(en.payment.paid.heading)
    await payer.page.getByRole('link', { name: en.payment.viewBooking }).click()
    await payer.page.getByText(en.booking.status.confirmed, { exact: true }).waitFor()
  })

  it('whose bank refuses the first card: nothing is confirmed, and another card on the same page pays', async () => {
    const bookingId = await startPaying()
    await payer.payWith(CARDS.declined)
    await payer.page
      .getByText(/declined/i)
      .first()
      .waitFor()
    assert.equal((await bookingOf(stack, bookingId)).status, 'pending')
    await payer.payWith(CARDS.paid)
    await payer.sees(en.payment.paid.heading)
    await untilBookingIs(stack, bookingId, 'confirmed')
  })

  it('whose bank asks who is paying: confirmed after 3-D Secure, not before', async () => {
    const bookingId = await startPaying()
    await payer.payWith(CARDS.threeDSecure)
    const pass = payer.page.getByRole('button', { name: 'Complete authentication' })
    await pass.waitFor()
    assert.equal((await bookingOf(stack, bookingId)).status, 'pending')
    await pass.click()
    await payer.sees(en.payment.paid.heading)
    await untilBookingIs(stack, bookingId, 'confirmed')
  })

  it('and turns back from the payment page: nothing is charged, and the payment can be resumed', async () => {
    const bookingId = await startPaying()
    await payer.page.getByRole('link', { name: 'Back' }).click()
    await payer.sees(en.payment.canceled.heading)
    assert.equal((await bookingOf(stack, bookingId)).status, 'pending')
    await payer.page.getByRole('button', { name: en.payment.resume }).click()
    await payer.payWith(CARDS.paid)
    await payer.sees(en.payment.paid.heading)
    await untilBookingIs(stack, bookingId, 'confirmed')
  })

  it('and gives it up: the session is dead at Stripe and the booking is released', async () => {
    const bookingId = await startPaying()
    const paymentPage = payer.page.url()
    await payer.page.getByRole('link', { name: 'Back' }).click()
    await payer.sees(en.payment.canceled.heading)
    await payer.page.getByRole('button', { name: en.payment.giveUp }).click()
    await payer.sees(en.payment.released.heading)
    await untilBookingIs(stack, bookingId, 'cancelled')
    await payer.page.goto(paymentPage)
    await payer.sees('This page has expired')
  })

  it('and closes the browser right after paying: the booking is confirmed all the same', async () => {
    const bookingId = await startPaying()
    const paid = payer.page.waitForRequest((request) => request.url().includes('/payment-success'))
    await payer.page.route('**/payment-success**', (route) => route.abort())
    await payer.payWith(CARDS.paid)
    await paid
    await payer.leave()
    await untilBookingIs(stack, bookingId, 'confirmed')
  })

  it('while no webhook arrives: the return to the shop alone confirms, and the late webhook changes nothing', async () => {
    await stack.sandbox('webhooks/pause')
    try {
      const bookingId = await startPaying()
      await payer.payWith(CARDS.paid)
      await payer.sees(en.payment.paid.heading)
      const booking = await untilBookingIs(stack, bookingId, 'confirmed')
      await stack.sandbox('webhooks/resume')
      await until('the late webhooks are delivered', () => allDelivered(stack))
      assert.deepEqual(await bookingOf(stack, bookingId), booking)
    } finally {
      await stack.sandbox('webhooks/resume')
    }
  })

  it('while the booking service is down: the payer learns that the money arrived, the booking is confirmed later', async () => {
    const bookingId = await startPaying()
    await stack.part('booking').stop()
    try {
      await payer.payWith(CARDS.paid)
      await payer.sees(en.payment.paid.heading)
    } finally {
      await stack.part('booking').start()
    }
    await untilBookingIs(stack, bookingId, 'confirmed')
  })

  it('while the gateway is killed: started again, it hears of the payment and confirms', async () => {
    const bookingId = await startPaying()
    const crashed = stack.part('gateway').crash()
    await payer.payWith(CARDS.paid)
    await crashed
    await payer.sees(en.payment.paid.heading)
    await untilBookingIs(stack, bookingId, 'confirmed')
  })
})

async function allDelivered(stack: TestStack): Promise<boolean> {
  const answer = await fetch(`${stack.plan.urls.sandbox}/_sandbox/deliveries?limit=1000`)
  const { deliveries } = (await answer.json()) as {
    deliveries: { status: string; nextAttemptAt: string | null }[]
  }
  return deliveries.every(({ nextAttemptAt }) => nextAttemptAt === null)
}
