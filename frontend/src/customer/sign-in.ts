import { ApiError, requestData } from '@passerelle/client/request'
import { siteConfig } from '../api/site-config.ts'

type SignedIn = { readonly token: string; readonly customerId: string }

// In memory only: a script that got into the page could read localStorage at any later time. The booking service's
// HttpOnly cookie brings the same customer back after a reload.
let current: Promise<SignedIn> | null = null

/** The customer's JWT, signing in silently when there is none yet or `isFresh` is asked for. */
export async function customerJwt({ isFresh }: { isFresh: boolean } = { isFresh: false }): Promise<string> {
  if (isFresh || current === null) current = signIn()
  return (await current).token
}

/** The demo's sign-in: the cookie's customer again, or a new one. */
function signIn(): Promise<SignedIn> {
  const attempt = requestData<SignedIn>(`${siteConfig.bookingUrl}/api/v1/auth/demo`, {
    method: 'POST',
    body: {},
    credentials: 'include',
  })
  attempt.catch(() => {
    if (current === attempt) current = null
  })
  return attempt
}

/** Makes a call as the customer, and once more with a fresh JWT when the first one has run out. */
export async function asCustomer<T>(call: (jwt: string) => Promise<T>): Promise<T> {
  try {
    return await call(await customerJwt())
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error
    return await call(await customerJwt({ isFresh: true }))
  }
}
