import type { KeptTour } from './landing.ts'

/** What this tab keeps of a checkout session it opened: which one, and until when. The token is not here. */
export type KeptSession = { readonly sessionId: string; readonly expiresAt: string }

type Store = Pick<Storage, 'getItem' | 'setItem'>

const NO_STORE: Store = { getItem: () => null, setItem: () => undefined }

/** The tab's own store; nothing where the browser lets no site keep anything: paying must go on without. */
export function tabStore(): Store {
  try {
    return window.sessionStorage
  } catch {
    return NO_STORE
  }
}

const keyOf = (bookingId: string): string => `passerelle.session.${bookingId}`

export function keepSession(store: Store, bookingId: string, { sessionId, expiresAt }: KeptSession): void {
  try {
    store.setItem(keyOf(bookingId), JSON.stringify({ sessionId, expiresAt } satisfies KeptSession))
  } catch {
    // Full, or closed to this site: only the booking page's second look is lost.
  }
}

/** The session this tab opened for the booking, or null. Whatever else stands there counts as nothing. */
export function keptSession(store: Store, bookingId: string): KeptSession | null {
  try {
    const text = store.getItem(keyOf(bookingId))
    if (text === null) return null
    const kept = JSON.parse(text) as Partial<KeptSession> | null
    if (!kept?.sessionId || !kept.expiresAt) return null
    return { sessionId: kept.sessionId, expiresAt: kept.expiresAt }
  } catch {
    return null
  }
}

/** What the shop's server keeps of a payment in a cookie that no script can read. */
export type PaymentAccess = {
  readonly bookingId: string
  readonly sessionId: string | null
  readonly statusToken: string
  readonly expiresAt: string | null
  readonly tour: KeptTour | null
}

const KEEP_TIMEOUT_MS = 2000

/** Has the shop's own server keep the access. Paying goes on without: the page then asks as the signed-in customer. */
export async function keepAccess(access: PaymentAccess): Promise<void> {
  try {
    await fetch('/payment-access', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(access),
      signal: AbortSignal.timeout(KEEP_TIMEOUT_MS),
    })
  } catch {
    // Nothing to tell the payer.
  }
}
