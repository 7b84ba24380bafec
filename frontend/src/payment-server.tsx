import { StrictMode } from 'react'
import { renderToString } from 'react-dom/server'
import { PaymentApp } from './payment-app.tsx'
import type { Language } from './language/language.ts'
import type { Landing } from './payment/landing.ts'

/** The payment page as HTML, with the title it wants, for the frontend's server. */
export function renderPayment(landing: Landing, language: Language): { html: string; title: string } {
  const text = renderToString(
    <StrictMode>
      <PaymentApp landing={landing} language={language} />
    </StrictMode>,
  )
  const [tag = '', title = ''] = /<title>(.*?)<\/title>/.exec(text) ?? []
  return { html: text.replace(tag, ''), title }
}
