import { StrictMode } from 'react'
import { renderToString } from 'react-dom/server'
import { PaymentApp } from './payment-app.tsx'
import { MESSAGES } from './language/language-context.tsx'
import { titleOf } from './ui/page-heading.tsx'
import type { Language } from './language/language.ts'
import type { Landing } from './payment/landing.ts'

/** The payment page as HTML, with the title it wants, for the frontend's server. */
export function renderPayment(landing: Landing, language: Language): { html: string; title: string } {
  const html = renderToString(
    <StrictMode>
      <PaymentApp landing={landing} language={language} />
    </StrictMode>,
  )
  // Both are HTML: what stands in the heading may stand in the title.
  const [, heading = ''] = /<h1[^>]*>(.*?)<\/h1>/.exec(html) ?? []
  return { html, title: titleOf(heading, MESSAGES[language].site.name) }
}
