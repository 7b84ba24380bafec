import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { en } from '../frontend/src/language/messages.en.ts'
import { fr } from '../frontend/src/language/messages.fr.ts'
import { launchBrowser } from './browser.ts'
import { CARDS, newPayer, untilBookingIs } from './payer.ts'
import { gatewayOf, newCustomer, pay, payUnheard, returnPath, untilStatus } from './scenes.ts'
import type { Customer } from './scenes.ts'
import { startTestStack, until } from './stack.ts'
import type { TestStack } from './stack.ts'

const LOG_LINES_SHOWN = 15
const CARD = '4242424242424242'

const sees = (page: Page, heading: string): Promise<void> =>
  page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()

let stack: TestStack
let browser: Browser
let customer: Customer
before(async () => {
  stack = await startTestStack({ SUPPORT_EMAIL: 'help@example.com' })
  browser = await launchBrowser()
})
beforeEach(async () => {
  customer = await newCustomer(browser, stack)
})
afterEach(async (test) => {
  await customer.leave()
  if ('passed' in test && !test.passed)
    process.stderr.write(`${stack.lines.slice(-LOG_LINES_SHOWN).join('\n')}\n`)
})
after(async () => {
  await browser?.close()
  await stack?.stop()
})

describe('the payer returns', () => {
  const begin = async (): Promise<{ bookingId: string; sessionId: string; statusUrl: string }> => {
    const bookingId = await customer.book()
    return { bookingId, ...(await customer.startSession(bookingId)) }
  }
  const isPaid = (payment: Record<string, unknown>): boolean => payment['status'] === 'succeeded'

  it('the webhook was before the redirect: the first paint says paid, where no script runs too', async () => {
    const { bookingId, sessionId } = await begin()
    await pay(stack, sessionId, CARD)
    await untilStatus(customer, bookingId, isPaid)
    const response = await customer.context.request.get(
      stack.plan.urls.frontend + returnPath(bookingId, sessionId),
      { headers: { 'accept-language': 'fr-FR,fr;q=0.9,en;q=0.5' } },
    )
    const html = await response.text()
    assert.match(html, new RegExp(`<h1[^>]*>${fr.payment.paid.heading}</h1>`))
    assert.match(html, new RegExp(`<title>${fr.payment.paid.heading}`))
    assert.match(html, /99,00/)
    assert.match(response.url(), /\/payment-success\?ref=[0-9a-f]{12}$/)
    assert.doesNotMatch(html, /http-equiv="refresh"/)
  })

  it('the first paint is the last: nothing on the page changes once the script runs', async () => {
    const { bookingId, sessionId } = await begin()
    await pay(stack, sessionId, CARD)
    await untilStatus(customer, bookingId, isPaid)
    const page = await customer.context.newPage()
    await page.addInitScript(() => {
      const seen: string[] = []
      Object.assign(window, { seen })
      new MutationObserver(() => {
        const state = document.querySelector('[data-state]')?.getAttribute('data-state')
        if (state && seen.at(-1) !== state) seen.push(state)
      }).observe(document, { subtree: true, childList: true, attributes: true })
    })
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(stack.plan.urls.frontend + returnPath(bookingId, sessionId))
    await sees(page, en.payment.paid.heading)
    await page.getByRole('button', { name: en.payment.print }).waitFor()
    assert.deepEqual(await page.evaluate(() => (window as unknown as { seen: string[] }).seen), ['paid'])
    // The payment is settled: nothing more is asked about it but what the owner's receipt adds.
    assert.deepEqual(
      asked.filter((url) => url.startsWith(stack.plan.urls.gateway) && !url.endsWith('/receipt')),
      [],
    )
    const focused = await page.evaluate(() => document.activeElement?.tagName)
    assert.equal(focused, 'H1')
  })

  it('the webhook comes after the redirect: the open page follows by itself', async () => {
    const { bookingId, sessionId } = await begin()
    const page = await customer.visit(returnPath(bookingId, sessionId))
    await sees(page, en.payment.verifying.heading)
    await pay(stack, sessionId, CARD)
    await sees(page, en.payment.paid.heading)
  })

  it('no webhook ever comes: the return alone finds out, before the first paint', async () => {
    await stack.sandbox('webhooks/pause')
    try {
      const { bookingId, sessionId } = await begin()
      await payUnheard(stack, sessionId, CARD)
      const page = await customer.visit(returnPath(bookingId, sessionId))
      await sees(page, en.payment.paid.heading)
    } finally {
      await stack.sandbox('webhooks/resume')
    }
  })

  it('while the page waits the gateway restarts: the page follows on', async () => {
    const { bookingId, sessionId } = await begin()
    const page = await customer.visit(returnPath(bookingId, sessionId))
    await sees(page, en.payment.verifying.heading)
    await stack.part('gateway').stop()
    await stack.part('gateway').start()
    await pay(stack, sessionId, CARD)
    await sees(page, en.payment.paid.heading)
  })

  it('a proxy holds the stream back: polling takes over', async () => {
    const { bookingId, sessionId } = await begin()
    const page = await customer.context.newPage()
    let polls = 0
    await page.route('**/stream?*', () => undefined)
    page.on('request', (request) => {
      if (request.url().includes('/status?')) polls += 1
    })
    // The page's own limit for the first byte passes without being waited for.
    await page.clock.install()
    await page.goto(stack.plan.urls.frontend + returnPath(bookingId, sessionId))
    await sees(page, en.payment.verifying.heading)
    await pay(stack, sessionId, CARD)
    await until('polling sees it', async () => {
      await page.clock.runFor(1000)
      return await page.locator('[data-state="paid"]').isVisible()
    })
    assert.ok(polls > 0)
  })

  it('the tab was asleep: on waking it is right at once', async () => {
    const { bookingId, sessionId } = await begin()
    const page = await customer.context.newPage()
    await page.route('**/stream?*', (route) => route.abort())
    await page.goto(stack.plan.urls.frontend + returnPath(bookingId, sessionId))
    await sees(page, en.payment.verifying.heading)
    const show = (state: string): Promise<void> =>
      page.evaluate((visibility) => {
        Object.defineProperty(document, 'visibilityState', { get: () => visibility, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      }, state)
    await show('hidden')
    await pay(stack, sessionId, CARD)
    await untilStatus(customer, bookingId, isPaid)
    await show('visible')
    await sees(page, en.payment.paid.heading)
  })

  it('two tabs pay at once: one booking, paid once, and both tabs say so', async () => {
    const { bookingId, sessionId } = await begin()
    const [first, second] = await Promise.all([customer.context.newPage(), customer.context.newPage()])
    const path = `${stack.plan.urls.sandbox}/c/pay/${sessionId}`
    const fill = async (page: Page): Promise<void> => {
      await page.goto(path)
      await page.getByLabel('Email').fill('ana@example.com')
      await page.getByLabel('Card number').fill(CARD)
      await page.getByLabel('Expiry').fill('12 / 34')
      await page.getByLabel('CVC').fill('123')
    }
    await Promise.all([fill(first), fill(second)])
    const press = (page: Page): Promise<void> => page.getByRole('button', { name: /^Pay / }).click()
    await Promise.all([press(first), press(second)])
    await Promise.race([first, second].map((page) => sees(page, en.payment.paid.heading)))
    for (const page of [first, second])
      await page.goto(stack.plan.urls.frontend + returnPath(bookingId, sessionId))
    for (const page of [first, second]) await sees(page, en.payment.paid.heading)
    const answer = await fetch(`${gatewayOf(stack)}/admin/incidents`, {
      headers: { authorization: `Bearer ${stack.secrets.serviceToken}` },
    })
    assert.doesNotMatch(await answer.text(), new RegExp(`duplicate_payment[^}]*${bookingId}`))
  })

  it('Back from the success page pays nothing again', async () => {
    const payer = await newPayer(browser, stack)
    try {
      const bookingId = await payer.book()
      await payer.openPaymentPage()
      await payer.payWith(CARDS.paid)
      await payer.sees(en.payment.paid.heading)
      const booking = await untilBookingIs(stack, bookingId, 'confirmed')
      await payer.page.goBack()
      await payer.sees('You have already completed this payment')
      await payer.page.goBack()
      await payer.page.getByText(en.booking.status.confirmed, { exact: true }).waitFor()
      assert.equal(await payer.page.getByRole('button', { name: en.booking.pay, exact: true }).count(), 0)
      assert.deepEqual(await untilBookingIs(stack, bookingId, 'confirmed'), booking)
    } finally {
      await payer.leave()
    }
  })

  it('opens the status link on another device, logged out: the state is there, the details are not', async () => {
    const { bookingId, sessionId, statusUrl } = await begin()
    await pay(stack, sessionId, CARD)
    await untilStatus(customer, bookingId, isPaid)
    const other = await browser.newContext({ locale: 'fr-FR' })
    const page = await other.newPage()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(statusUrl)
    await sees(page, fr.payment.paid.heading)
    assert.match(page.url(), /\/payment-status\?ref=[0-9a-f]{12}$/)
    const text = (await page.locator('main').textContent()) ?? ''
    assert.doesNotMatch(text, new RegExp(`Paris After Dark|ana@|Visa|4242|${bookingId}`))
    assert.equal(await page.getByRole('link', { name: fr.payment.stripeReceipt }).count(), 0)
    const address = await page.getByRole('link', { name: 'help@example.com' }).getAttribute('href')
    assert.match(address ?? '', /subject=R%C3%A9servation%20BK-[0-9A-F]{4}-[0-9A-F]{4}$/)
    assert.match(text, /BK-[0-9A-F]{4}-[0-9A-F]{4}/)
    // No account is made for somebody who only looks.
    assert.deepEqual(
      asked.filter((url) => url.includes('/auth/')),
      [],
    )
    await other.close()
  })

  it('refused: what the bank advises is said, and is what the button offers', async () => {
    const { decline, payment } = en
    for (const [card, sentence, button] of [
      ['4000000000000002', decline.refused_for_now, payment.tryLater],
      ['4000000000000069', decline.expired_card, payment.otherCard],
      ['4000000000000127', decline.incorrect_cvc, payment.tryAgain],
      // Stolen: the bank's "never again" is not passed on.
      ['4000000000009979', decline.generic, payment.otherCard],
    ] as const) {
      const { bookingId, sessionId } = await begin()
      await pay(stack, sessionId, card)
      await untilStatus(customer, bookingId, ({ status }) => status === 'failed')
      const page = await customer.visit(returnPath(bookingId, sessionId))
      await page.getByText(sentence, { exact: true }).and(page.locator('.advice')).waitFor()
      await page.getByRole('button', { name: button, exact: true }).waitFor()
      const address = await page.getByRole('link', { name: 'help@example.com' }).getAttribute('href')
      assert.match(
        address ?? '',
        new RegExp(`^mailto:help@example\\.com\\?subject=Booking%20BK-.*${bookingId}`),
      )
    }
  })

  it('tells its owner which card paid, and leads to Stripe’s own receipt', async () => {
    const { bookingId, sessionId } = await begin()
    await pay(stack, sessionId, CARD)
    await untilStatus(customer, bookingId, isPaid)
    const page = await customer.visit(returnPath(bookingId, sessionId))
    const row = page.locator('.ticket dd', { hasText: 'Visa' })
    assert.equal(await row.textContent(), `Visa ••••${en.payment.endingIn} 4242`)
    const opened = customer.context.waitForEvent('page')
    await page.getByRole('link', { name: en.payment.stripeReceipt }).click()
    const receipt = await opened
    await receipt.getByRole('heading', { level: 1, name: 'Receipt' }).waitFor()
    assert.equal(await receipt.evaluate(() => window.opener), null)
  })

  it('without JavaScript: the state is told, what cannot work is not offered, and it looks again by itself', async () => {
    const silent = await newCustomer(browser, stack, { javaScriptEnabled: false, locale: 'fr-FR' })
    try {
      const bookingId = await silent.book()
      const { sessionId } = await silent.startSession(bookingId)
      const page = await silent.visit(`/payment-cancel?booking_id=${bookingId}`)
      await sees(page, fr.payment.canceled.heading)
      const note = page.locator('body > noscript')
      assert.ok(await note.isVisible())
      assert.equal(await note.innerText(), `${fr.payment.noScript} ${fr.payment.noScriptLooks}`)
      assert.equal(await page.getByRole('button').count(), 0)
      assert.equal(await page.locator('meta[http-equiv="refresh"]').count(), 1)
      await pay(stack, sessionId, CARD)
      await untilStatus(silent, bookingId, isPaid)
      await page.reload()
      await sees(page, fr.payment.alreadyPaid.heading)
      assert.equal(await page.locator('meta[http-equiv="refresh"]').count(), 0)
      await page.getByRole('link', { name: fr.payment.viewBooking }).waitFor()
    } finally {
      await silent.leave()
    }
  })

  it('pressed twice before the page can answer: one session, one way to Stripe', async () => {
    const { bookingId } = await begin()
    const page = await customer.visit(`/payment-cancel?booking_id=${bookingId}`)
    const resume = page.getByRole('button', { name: en.payment.resume })
    await resume.waitFor()
    let sessions = 0
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/sessions')) sessions += 1
    })
    await resume.evaluate((button) => {
      for (const _ of [1, 2, 3]) if (button instanceof HTMLElement) button.click()
    })
    await page.waitForURL((url) => url.origin === stack.plan.urls.sandbox)
    assert.equal(sessions, 1)
  })

  it('cancels: the session really ends at Stripe, from the keyboard alone', async () => {
    const { bookingId, sessionId } = await begin()
    const page = await customer.visit(`/payment-cancel?booking_id=${bookingId}`)
    await sees(page, en.payment.canceled.heading)
    // The hour of the venue, with its zone named, not the reader's in New York.
    assert.match((await page.locator('.lead').textContent()) ?? '', /held for you until .* CES?T\.$/)
    const giveUp = page.getByRole('button', { name: en.payment.giveUp })
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press('Tab')
      if (await giveUp.evaluate((button) => button === document.activeElement)) break
    }
    await page.keyboard.press('Enter')
    await sees(page, en.payment.released.heading)
    const answer = await fetch(`${stack.plan.urls.sandbox}/v1/checkout/sessions/${sessionId}`, {
      headers: { authorization: 'Bearer sk_test_scenes' },
    })
    assert.equal(((await answer.json()) as { status: string }).status, 'expired')
    await untilBookingIs(stack, bookingId, 'cancelled')
  })

  it('takes the day along as a calendar file', async () => {
    const { bookingId, sessionId } = await begin()
    await pay(stack, sessionId, CARD)
    await untilStatus(customer, bookingId, isPaid)
    const page = await customer.visit(returnPath(bookingId, sessionId))
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: en.payment.calendar }).click()
    const file = await saved
    const [day = ''] = file.suggestedFilename().split('.ics')
    assert.match(day, /^2027-\d\d-\d\d$/)
    const stream = await file.createReadStream()
    const text = (await stream.toArray()).join('')
    assert.match(text, new RegExp(`UID:${bookingId}@passerelle\r\n`))
    assert.match(text, new RegExp(`DTSTART;VALUE=DATE:${day.replaceAll('-', '')}\r\n`))
  })
})

describe('the payer pays by card on the site', () => {
  const openCard = async (): Promise<{ page: Page; bookingId: string; posted: string[] }> => {
    const bookingId = await customer.book()
    const page = await customer.context.newPage()
    const posted: string[] = []
    page.on('request', (request) => {
      if (new URL(request.url()).origin === stack.plan.urls.sandbox) return
      posted.push(`${request.url()} ${request.postData() ?? ''}`)
    })
    await page.goto(`${stack.plan.urls.frontend}/bookings/${bookingId}/card`)
    return { page, bookingId, posted }
  }
  const payWith = async (page: Page, card: string): Promise<void> => {
    const frame = page.frameLocator('.card-frame iframe')
    await frame.getByLabel('Card number').fill(card)
    await frame.getByLabel('Expiry').fill('12 / 34')
    await frame.getByLabel('CVC').fill('737')
    await page.getByRole('button', { name: /^Pay / }).click()
  }

  it('paid: confirmed, and the card’s number never reaches this site', async () => {
    const { page, bookingId, posted } = await openCard()
    await payWith(page, CARD)
    await sees(page, en.payment.paid.heading)
    await untilBookingIs(stack, bookingId, 'confirmed')
    assert.doesNotMatch(page.url(), /secret|pi_|bkg_/)
    assert.ok(posted.length > 0)
    const withoutGaps = posted.map((line) => line.replaceAll(/%20|[\s+-]/g, ''))
    assert.deepEqual(
      withoutGaps.filter((line) => line.includes(CARD)),
      [],
    )
  })

  it('refused, then another card on the same payment: the cause is told only where the payer can act on it', async () => {
    const { page, bookingId } = await openCard()
    await payWith(page, '4000000000009987')
    await page.getByRole('alert').filter({ hasText: en.decline.generic }).waitFor()
    await payWith(page, '4000000000009995')
    await page.getByRole('alert').filter({ hasText: en.decline.insufficient_funds }).waitFor()
    await payWith(page, CARD)
    await sees(page, en.payment.paid.heading)
    await untilBookingIs(stack, bookingId, 'confirmed')
  })

  it('asked by the bank who is paying: the return from 3-D Secure leaves no secret in the address', async () => {
    const { page, bookingId } = await openCard()
    await payWith(page, '4000002760003184')
    await page.getByRole('button', { name: 'Complete authentication' }).click()
    await sees(page, en.payment.paid.heading)
    assert.match(page.url(), /\/payment-success\?ref=[0-9a-f]{12}$/)
    await untilBookingIs(stack, bookingId, 'confirmed')
    await page.goto(`${stack.plan.urls.frontend}/bookings/${bookingId}/card`)
    await sees(page, en.payment.paid.heading)
  })

  it('a card number that cannot be: said beside the field, nothing is sent', async () => {
    const { page } = await openCard()
    await payWith(page, '4242')
    await page.frameLocator('.card-frame iframe').getByText('Your card number is incomplete.').waitFor()
    assert.equal(await page.locator('[data-state="ready"]').count(), 1)
  })
})
