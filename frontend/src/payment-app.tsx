import type { ReactNode } from 'react'
import { LanguageProvider } from './language/language-context.tsx'
import { PaymentPage } from './payment/payment.page.tsx'
import { Layout } from './ui/layout.tsx'
import type { Language } from './language/language.ts'
import type { Landing } from './payment/landing.ts'

type Props = {
  readonly landing: Landing
  readonly language: Language
  readonly supportEmail: string | null
}

/** The payer's pages, the same on the server and in the browser. Without the router and the query library: they land here
 * from another site, with a fresh document. */
export function PaymentApp({ landing, language, supportEmail }: Props): ReactNode {
  return (
    <LanguageProvider initial={language}>
      <Layout>
        <PaymentPage landing={landing} supportEmail={supportEmail} />
      </Layout>
    </LanguageProvider>
  )
}
