import type { CheckoutSessionView } from '@passerelle/contracts/payment'

/** What this tab keeps of a checkout session it opened: enough to look at this one payment, not to change anything. */
export type KeptSession = Pick<CheckoutSessionView, 'sessionId' | 'statusToken' | 'expiresAt'>

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

const keyOf = (bookingId: string): string => `passerelle.session.${bookingId}`

export function keepSession(store: Store, bookingId: string, session: CheckoutSessionView): void {
  const { sessionId, statusToken, expiresAt } = session
  store.setItem(keyOf(bookingId), JSON.stringify({ sessionId, statusToken, expiresAt } satisfies KeptSession))
}

/** The session this tab opened for the booking, or null. Whatever else stands there counts as nothing. */
export function keptSession(store: Store, bookingId: string): KeptSession | null {
  const text = store.getItem(keyOf(bookingId))
  if (text === null) return null
  try {
    const kept = JSON.parse(text) as Partial<KeptSession> | null
    if (!kept?.sessionId || !kept.statusToken || !kept.expiresAt) return null
    return { sessionId: kept.sessionId, statusToken: kept.statusToken, expiresAt: kept.expiresAt }
  } catch {
    return null
  }
}
