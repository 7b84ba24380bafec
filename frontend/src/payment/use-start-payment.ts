import { useEffect } from 'react'
import { checkoutAddress, createSession } from '../api/gateway.client.ts'
import { useAction } from '../ui/use-action.ts'
import { keepAccess, keepSession, tabStore } from './kept-session.ts'
import { readTour } from './use-tour-of.ts'
import type { Language } from '../language/language.ts'

export type StartPayment = { readonly start: () => void; readonly isBusy: boolean; readonly error: unknown }

/** Sends the browser to the booking's payment page: a new one, or the one that is still open. */
export function useStartPayment(bookingId: string, language: Language): StartPayment {
  const { state, run, reset } = useAction((id: string) => openPaymentPage(id, language))

  // The browser may keep this page and show it again on "back": the button must work then.
  useEffect(() => {
    const onShow = (event: PageTransitionEvent): void => {
      if (event.persisted) reset()
    }
    window.addEventListener('pageshow', onShow)
    return () => window.removeEventListener('pageshow', onShow)
  }, [reset])

  return {
    start: () => run(bookingId),
    // Once it is done, the browser is on its way.
    isBusy: state.kind === 'busy' || state.kind === 'done',
    error: state.kind === 'failed' ? state.error : null,
  }
}

async function openPaymentPage(bookingId: string, language: Language): Promise<void> {
  const [session, tour] = await Promise.all([createSession(bookingId, language), readTour(bookingId)])
  const { sessionId, statusToken, expiresAt } = session
  keepSession(tabStore(), bookingId, session)
  await keepAccess({ bookingId, sessionId, statusToken, expiresAt, tour })
  window.location.assign(checkoutAddress(session))
}
