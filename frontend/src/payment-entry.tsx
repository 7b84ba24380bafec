import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { LanguageProvider } from './language/language-context.tsx'
import { readLanding } from './payment/landing.ts'
import { PaymentPage } from './payment/payment.page.tsx'
import { Layout } from './ui/layout.tsx'

// The payer lands here from another site, with a fresh document: without the router and the query library these pages
// weigh 83 KB instead of more than 100.
const { landing, cleanAddress } = readLanding(window.location, window.history.state)
window.history.replaceState(landing, '', cleanAddress)

const root = document.querySelector('#root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <LanguageProvider>
        <Layout>
          <PaymentPage landing={landing} />
        </Layout>
      </LanguageProvider>
    </StrictMode>,
  )
