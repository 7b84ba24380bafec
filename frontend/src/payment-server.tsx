import { StrictMode } from 'react'
import type { ReactNode } from 'react'
import { renderToString } from 'react-dom/server'
import { PaymentApp } from './payment-app.tsx'
import { LanguageProvider, MESSAGES } from './language/language-context.tsx'
import { paths } from './paths.ts'
import { PaymentMark } from './payment/payment-mark.tsx'
import { Brand } from './ui/icons.tsx'
import { PageHeading, titleOf } from './ui/page-heading.tsx'
import type { Language } from './language/language.ts'
import type { Landing } from './payment/landing.ts'

/** A page as HTML, with the title it wants, for the frontend's server. */
export type Rendered = { readonly html: string; readonly title: string }

export function renderPayment(landing: Landing, language: Language, supportEmail: string | null): Rendered {
  return rendered(<PaymentApp landing={landing} language={language} supportEmail={supportEmail} />, language)
}

/** What stands there while nobody knows which payment a link leads to: without a script, and without what needs one. */
export function renderUnreadable(language: Language): Rendered {
  const { site, payment } = MESSAGES[language]
  const page = (
    <LanguageProvider initial={language}>
      <header className="site-header">
        <a className="brand" href={paths.tours()} aria-label={site.home}>
          <Brand />
          <span>{site.name}</span>
        </a>
      </header>
      <main id="content">
        <article className="payment tone-wait" data-state="unreadable">
          <div className="payment-status">
            <PaymentMark kind="slow" />
            <PageHeading>{payment.unreadable.heading}</PageHeading>
            <p className="lead">{payment.unreadable.text}</p>
          </div>
        </article>
      </main>
    </LanguageProvider>
  )
  return rendered(page, language)
}

function rendered(page: ReactNode, language: Language): Rendered {
  const html = renderToString(<StrictMode>{page}</StrictMode>)
  // Both are HTML: what stands in the heading may stand in the title.
  const [, heading = ''] = /<h1[^>]*>(.*?)<\/h1>/.exec(html) ?? []
  return { html, title: titleOf(heading, MESSAGES[language].site.name) }
}
