import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { en } from '../frontend/src/language/messages.en.ts'
import { fr } from '../frontend/src/language/messages.fr.ts'
import type { Messages } from '../frontend/src/language/messages.en.ts'
import { launchBrowser } from './browser.ts'
import { SCENES, newCustomer } from './scenes.ts'
import { startTestStack } from './stack.ts'
import type { TestStack } from './stack.ts'

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

const headingOf = (messages: Messages, name: string): string => {
  const { payment } = messages
  const headings: Readonly<Record<string, string>> = {
    paid: payment.paid.heading,
    disputed: payment.paid.heading,
    processing: payment.processing.heading,
    'requires-action': payment.requiresAction.heading,
    failed: payment.failed.heading,
    'failed-for-now': payment.failed.heading,
    'failed-fraud': payment.failed.heading,
    canceled: payment.canceled.heading,
    released: payment.released.heading,
    expired: payment.expired.heading,
    refunded: payment.refunded.heading,
    'refunded-partly': payment.refunded.partHeading,
    'already-paid': payment.alreadyPaid.heading,
    'booking-lost': payment.bookingLost.heading,
    verifying: payment.verifying.heading,
    unfinished: payment.unfinished.heading,
    slow: payment.slow.heading,
    offline: payment.offline.heading,
    'unknown-link': payment.unknownLink.heading,
    'other-device': payment.otherDevice.heading,
    'paid-by-link': payment.paid.heading,
  }
  return headings[name] ?? assert.fail(`no heading for ${name}`)
}

/** What axe finds on the page, as rule and place. */
async function faultsOf(page: Page): Promise<string[]> {
  return await page.evaluate(async () => {
    type Axe = {
      run: (options: object) => Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }>
    }
    const { axe } = window as unknown as { axe: Axe }
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    const { violations } = await axe.run({ runOnly: tags, resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} ${target.join(' ')}`))
  })
}

describe('the payer’s page, in every state, in both languages and themes', () => {
  let stack: TestStack
  let browser: Browser
  before(async () => {
    stack = await startTestStack({ REFUND_LOST_BOOKINGS: 'off' })
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await stack?.stop()
  })

  for (const { state, name, open } of SCENES)
    it(name, async () => {
      const customer = await newCustomer(browser, stack)
      const errors: string[] = []
      customer.context.on('weberror', (error) => errors.push(error.error().message))
      const page = await open(customer)
      const address = new URL(page.url())
      await page.emulateMedia({ reducedMotion: 'reduce' })
      await page.locator(`[data-state="${state}"]`).waitFor()
      await page.evaluate(AXE)
      for (const [language, messages] of [
        ['en', en],
        ['fr', fr],
      ] as const) {
        if (language === 'fr') await page.getByRole('button', { name: 'Français' }).click()
        const heading = headingOf(messages, name)
        await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()
        assert.equal(await page.title(), `${heading} · Passerelle`)
        assert.equal(await page.locator('html').getAttribute('lang'), language)
        // A step that is still ahead is not read out as if it were done.
        const step = page.locator('.steps [aria-current=step]')
        if ((await step.count()) > 0)
          assert.equal(await step.textContent(), messages.payment.steps.ahead.paid)
        // The live region is told after the paint: it must have been there before its text.
        await page.waitForFunction(
          (start) => document.querySelector('[role=status]')?.textContent?.startsWith(start),
          heading,
        )
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          assert.deepEqual(await faultsOf(page), [], `${language}, ${colorScheme}`)
        }
      }
      // As on a small telephone, or magnified four times: nothing is cut off, nothing scrolls sideways.
      await page.setViewportSize({ width: 320, height: 640 })
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320)
      assert.doesNotMatch(address.href, /cs_test|bkg_|token|secret|session_id|booking_id/)
      const kept = await page.evaluate(() =>
        [localStorage, sessionStorage].map((store) => JSON.stringify(store)).join('\n'),
      )
      assert.doesNotMatch(kept, /token/i)
      assert.deepEqual(errors, [])
      await customer.leave()
    })
})
