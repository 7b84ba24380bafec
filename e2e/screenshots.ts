// `npm run screenshots`: every state of the payer's page, both themes, on a telephone and on a desktop, into screenshots/.
// With arguments: those scenes only.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { SCENES, newCustomer } from './scenes.ts'
import type { Scene } from './scenes.ts'
import { ROOT, startTestStack } from './stack.ts'

const PAGES: readonly Scene[] = [
  ...SCENES,
  {
    state: 'ready',
    name: 'card',
    open: async (customer) => {
      const page = await customer.visit(`/bookings/${await customer.book()}/card`)
      await page.frameLocator('.card-frame iframe').getByRole('textbox').first().waitFor()
      return page
    },
  },
]
const FOLDER = join(ROOT, 'screenshots')
const SIZES = { phone: { width: 390, height: 760 }, desktop: { width: 1280, height: 800 } } as const
const wanted = process.argv.slice(2)

async function shoot(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES))
    for (const theme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
      writeFileSync(join(FOLDER, `${name}.${size}.${theme}.png`), await page.screenshot({ fullPage: true }))
    }
}

mkdirSync(FOLDER, { recursive: true })
const stack = await startTestStack({ REFUND_LOST_BOOKINGS: 'off' })
const browser = await launchBrowser()
try {
  for (const [index, scene] of PAGES.entries()) {
    if (wanted.length > 0 && !wanted.some((name) => scene.name.includes(name))) continue
    const customer = await newCustomer(browser, stack, { locale: index % 2 === 0 ? 'fr-FR' : 'en-GB' })
    const page = await scene.open(customer)
    await page.locator(`[data-state="${scene.state}"]`).waitFor()
    // What its owner's receipt adds comes a moment after the first paint.
    const hasReceipt = (await page.locator('.ticket').count()) > 0 && scene.name !== 'paid-by-link'
    if (hasReceipt) await page.locator('a.keepsake').waitFor()
    await shoot(page, scene.name)
    process.stdout.write(`${scene.name}\n`)
    await customer.leave()
  }
} finally {
  await browser.close()
  await stack.stop()
}
