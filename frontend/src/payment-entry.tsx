import { StrictMode } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { supportEmail } from './api/site-config.ts'
import { chosenLanguage } from './language/language-context.tsx'
import { PaymentApp } from './payment-app.tsx'
import { keptSession, tabStore } from './payment/kept-session.ts'
import { readLanding } from './payment/landing.ts'
import { takeServedLanding } from './payment/served-landing.ts'
import type { Landing } from './payment/landing.ts'

const served = takeServedLanding(document)
const landing = served ?? landingOfAddress()
const root = document.querySelector('#root')
const page = (
  <StrictMode>
    <PaymentApp landing={landing} language={chosenLanguage(served !== null)} supportEmail={supportEmail()} />
  </StrictMode>
)
if (root && served) hydrateRoot(root, page)
else if (root) createRoot(root).render(page)

/** For a browser that brings no cookie of ours: the address tells what to ask for, and is cleaned at once. */
function landingOfAddress(): Landing {
  const { landing, cleanAddress, kept } = readLanding(window.location, window.history.state)
  window.history.replaceState(kept, '', cleanAddress)
  const session = landing.bookingId ? keptSession(tabStore(), landing.bookingId) : null
  return {
    ...landing,
    sessionId: landing.sessionId ?? session?.sessionId ?? null,
    expiresAt: session?.expiresAt ?? null,
  }
}
