// The sandbox's own pages in a real browser: paid by keyboard alone, clean for a screen reader, live for a developer.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, describe, it } from 'node:test'
import { startSandbox } from '@passerelle/stripe-sandbox/sandbox'
import type { Sandbox } from '@passerelle/stripe-sandbox/sandbox'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import Stripe from 'stripe'
import { checkSent } from '../tools/stripe-schema/sent.ts'
import { launchBrowser } from './browser.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PHONE = { width: 360, height: 740 }
const checked = checkSent()

let browser: Browser
let sandbox: Sandbox
let stripe: Stripe
before(async () => {
  sandbox = await startSandbox({ ...checked, settings: { chargeUpdatedDelayMs: 50, redirectWaitMs: 500 } })
  stripe = new Stripe('sk_test_pages', {
    host: '127.0.0.1',
    port: sandbox.port,
    protocol: 'http',
    telemetry: false,
  })
  browser = await launchBrowser()
})
after(async () => {
  await browser.close()
  await sandbox.stop()
})

/** An open Session that comes back to the dashboard, so that no page outside is needed. */
function newSession(
  over: Partial<Stripe.Checkout.SessionCreateParams> = {},
): Promise<Stripe.Checkout.Session> {
  return stripe.checkout.sessions.create({
    mode: 'payment',
    success_url: `${sandbox.url}/_sandbox/events?type={CHECKOUT_SESSION_ID}`,
    cancel_url: `${sandbox.url}/_sandbox/objects`,
    line_items: [
      {
        quantity: 1,
        price_data: { currency: 'eur', unit_amount: 12_900, product_data: { name: 'Kayak at dawn' } },
      },
    ],
    ...over,
  })
}

async function visit<T>(
  path: string,
  options: BrowserContextOptions,
  work: (page: Page) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  page.on('console', (message) => {
    // A refused button is an answer of 400, which the browser also writes down.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      errors.push(message.text())
  })
  try {
    await page.goto(sandbox.url + path)
    const result = await work(page)
    assert.deepEqual(errors, [])
    return result
  } finally {
    await context.close()
  }
}

/** What axe finds wrong, light and dark, and whether the page is wider than its window. */
async function faultsOf(page: Page): Promise<string[]> {
  // The page's policy lets no script in from outside; evaluated as the debugger does it may run.
  await page.evaluate(AXE)
  const found = await violationsOf(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  found.push(...(await violationsOf(page, ['color-contrast'])))
  await page.emulateMedia({ colorScheme: 'light' })
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  )
  const hidden = await page
    .locator('nav a')
    .evaluateAll((links) =>
      links.filter((link) => link.getBoundingClientRect().right > innerWidth).map((link) => link.textContent),
    )
  found.push(...hidden.map((link) => `${link} is beyond the edge`))
  return wide ? [...found, 'wider than its window'] : found
}

async function violationsOf(page: Page, rules?: readonly string[]): Promise<string[]> {
  return page.evaluate(async (only) => {
    const { axe } = globalThis as unknown as {
      axe: {
        run: (options: object) => Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }>
      }
    }
    const { violations } = await axe.run(only === undefined ? {} : { runOnly: only })
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
    )
  }, rules)
}

const pay = async (id: string, card: string): Promise<{ redirect?: string }> => {
  const answer = await fetch(`${sandbox.url}/_sandbox/sessions/${id}/pay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ card, email: 'ana@example.com' }),
  })
  return (await answer.json()) as { redirect?: string }
}

describe('the payer’s pages', () => {
  for (const locale of ['en-GB', 'fr-FR']) {
    it(`are clean for axe and fit a phone, in ${locale}, light and dark`, async () => {
      const open = await newSession()
      const paid = await newSession()
      await pay(paid.id, '4242424242424242')
      const expired = await newSession()
      await stripe.checkout.sessions.expire(expired.id)
      const challenged = new URL((await pay((await newSession()).id, '4000002500003155')).redirect ?? '')
      const charge = (await stripe.charges.list({ limit: 1 })).data[0]?.id
      const paths = [
        `/c/pay/${open.id}`,
        `/c/pay/${paid.id}`,
        `/c/pay/${expired.id}`,
        challenged.pathname + challenged.search,
        `/c/receipt/${charge}`,
        '/c/pay/cs_test_unknown',
      ]
      for (const path of paths)
        assert.deepEqual(await visit(path, { locale, viewport: PHONE }, faultsOf), [], path)
      const declined = await visit(`/c/pay/${open.id}`, { locale, viewport: PHONE }, async (page) => {
        await page.getByRole('button', { name: '4000 0000 0000 0002' }).click()
        await page.locator('#pay').click()
        await page.locator('#declined:not(:empty)').waitFor()
        return faultsOf(page)
      })
      assert.deepEqual(declined, [])
    })
  }

  it('let a person pay with the keyboard alone, through a decline and 3-D Secure', async () => {
    const { id } = await newSession()
    await visit(`/c/pay/${id}`, {}, async (page) => {
      const type = async (text: string): Promise<void> => {
        await page.keyboard.press('Tab')
        await page.keyboard.type(text)
      }
      await page.getByLabel('Email').focus()
      await page.keyboard.type('ana@example.com')
      await page.keyboard.press('Tab')
      await type('4000000000000002')
      await type('1234')
      await type('123')
      await page.keyboard.press('Enter')
      const alert = page.getByRole('alert').filter({ hasText: 'Your card was declined.' })
      await alert.waitFor()
      assert.equal(
        await page.evaluate(() => document.activeElement?.id),
        'declined',
        'the reason is read out',
      )
      await page.getByLabel('Card number').focus()
      await page.keyboard.press('ControlOrMeta+a')
      await page.keyboard.type('4000002500003155')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Confirm it is you' }).waitFor()
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.waitForURL(`**/_sandbox/events?type=${id}`)
    })
    assert.equal((await stripe.checkout.sessions.retrieve(id)).payment_status, 'paid')
  })

  it('say why after a 3-D Secure that failed, where the keyboard goes on', async () => {
    const { id } = await newSession()
    await visit(`/c/pay/${id}`, {}, async (page) => {
      await page.getByRole('button', { name: '4000 0025 0000 3155' }).click()
      await page.keyboard.press('Enter')
      await page.getByText('Visa ···· 3155').waitFor()
      await page.getByRole('button', { name: 'Fail authentication' }).press('Enter')
      const alert = page.getByRole('alert').filter({ hasText: 'unable to authenticate' })
      await alert.waitFor()
      await page.waitForFunction(() => document.activeElement?.id === 'declined')
      await page.getByRole('button', { name: '4242 4242 4242 4242' }).press('Enter')
      await page.keyboard.press('Enter')
      await page.waitForURL(`**/_sandbox/events?type=${id}`)
    })
    assert.equal((await stripe.checkout.sessions.retrieve(id)).payment_status, 'paid')
  })

  it('pay with one click on a test card and one on Pay, also without any script', async () => {
    for (const javaScriptEnabled of [true, false]) {
      const { id } = await newSession()
      await visit(`/c/pay/${id}`, { javaScriptEnabled }, async (page) => {
        await page.getByRole('button', { name: '4242 4242 4242 4242' }).click()
        await page.getByRole('button', { name: 'Pay €129.00' }).click()
        await page.waitForURL(`**/_sandbox/events?type=${id}`)
      })
      assert.equal((await stripe.checkout.sessions.retrieve(id)).payment_status, 'paid')
    }
  })

  it('take a SEPA debit, in French', async () => {
    const { id } = await newSession()
    await visit(`/c/pay/${id}`, { locale: 'fr-FR' }, async (page) => {
      await page.getByText('Prélèvement SEPA').click()
      await page.getByRole('button', { name: 'FR14 2004 1010 0505 0001 3M02 606' }).click()
      await page.getByRole('button', { name: 'Payer 129,00 €' }).click()
      await page.waitForURL(`**/_sandbox/events?type=${id}`)
    })
    const session = await stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] })
    assert.equal(session.status, 'complete')
    assert.equal(session.payment_status, 'unpaid')
  })
})

describe('the dashboard', () => {
  it('is clean for axe and fits a phone, on every page, light and dark', async () => {
    const { id } = await newSession()
    await pay(id, '4000000000000259')
    const event = (await stripe.events.list({ limit: 1 })).data[0]?.id
    const pages = [
      '',
      '/events',
      `/events/${event}`,
      `/payments/${id}`,
      '/endpoints',
      '/objects',
      '/controls',
      '/events/evt_none',
    ]
    for (const path of pages)
      for (const colorScheme of ['light', 'dark'] as const)
        assert.deepEqual(
          await visit(`/_sandbox${path}`, { viewport: PHONE, colorScheme }, faultsOf),
          [],
          path,
        )
  })

  it('shows by itself what happens elsewhere', async () => {
    await visit('/_sandbox', {}, async (page) => {
      await page.locator('.live[data-on]').waitFor()
      const { id } = await newSession({
        line_items: [
          {
            quantity: 1,
            price_data: { currency: 'eur', unit_amount: 4200, product_data: { name: 'Sailing' } },
          },
        ],
      })
      const row = page.locator(`a[href="/_sandbox/payments/${id}"]`)
      await row.getByText('Open').waitFor()
      await pay(id, '4242424242424242')
      await row.getByText('Paid').waitFor()
    })
  })

  it('refunds, disputes and decides at the click of a button, and says why when it cannot', async () => {
    const { id } = await newSession()
    await pay(id, '4242424242424242')
    await visit(`/_sandbox/payments/${id}`, {}, async (page) => {
      await page.locator('.live[data-on]').waitFor()
      await page.getByLabel('Minor units').fill('99999')
      await page.getByRole('button', { name: 'Refund', exact: true }).click()
      await page.getByRole('status').filter({ hasText: 'greater than unrefunded amount' }).waitFor()
      await page.getByLabel('Minor units').fill('2900')
      await page.getByRole('button', { name: 'Refund', exact: true }).click()
      await page.locator('.head .pill').getByText('Partly refunded').waitFor()
      await page.getByRole('button', { name: 'Fail that refund' }).click()
      await page.locator('.head .pill').getByText('Paid').waitFor()
      await page.getByRole('button', { name: 'Dispute this charge' }).click()
      await page.locator('.head .pill').getByText('Disputed').waitFor()
      await page.getByRole('button', { name: 'Decide: lost' }).click()
      await page.locator('.head .pill').getByText('Dispute lost').waitFor()
    })
    const types = (await stripe.events.list({ limit: 20 })).data.map(({ type }) => type)
    for (const type of ['refund.failed', 'charge.dispute.created', 'charge.dispute.closed'] as const)
      assert.ok(types.includes(type), type)
  })

  it('works without any script: a button posts and comes back', async () => {
    await visit('/_sandbox/controls', { javaScriptEnabled: false }, async (page) => {
      await page.getByRole('button', { name: 'Drop the next three' }).click()
      await page.getByText('1 fault armed').waitFor()
      assert.equal(new URL(page.url()).pathname, '/_sandbox/controls')
      await page.getByRole('button', { name: 'Switch all off' }).click()
      await page.getByText('No faults').waitFor()
    })
  })
})
