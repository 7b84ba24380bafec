import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { CardPage } from './card/card.page.tsx'
import { LanguageProvider } from './language/language-context.tsx'
import { Layout } from './ui/layout.tsx'

// A document of its own: the only one whose policy lets Stripe's script in.
const [, , bookingId = ''] = window.location.pathname.split('/')
const root = document.querySelector('#root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <LanguageProvider>
        <Layout>
          <CardPage bookingId={decodeURIComponent(bookingId)} />
        </Layout>
      </LanguageProvider>
    </StrictMode>,
  )
