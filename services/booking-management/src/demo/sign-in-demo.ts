import type { Pool } from '@passerelle/kit/database'
import { newId, newToken } from '@passerelle/kit/id'
import { hashToken } from '@passerelle/kit/secret'
import { COOKIE_LIFE_MS } from './demo-customer.ts'
import type { DemoCustomer, DemoRole } from './demo-customer.ts'
import type { DemoKeys } from './demo-keys.ts'
import { insertDemoCustomer, renewDemoCustomer } from './demo.repository.ts'

export type SignInDemoDeps = { readonly pool: Pool; readonly keys: DemoKeys; readonly now: () => Date }

export type DemoSignedIn = { readonly token: string; readonly customerId: string; readonly cookie: string }

/**
 * Signs in whoever asks: the customer of the cookie if it is known, otherwise a new one. A name or role that is given
 * replaces the customer's own; `cookie` is what the browser has to send to be the same customer again.
 */
export async function signInDemo(
  deps: SignInDemoDeps,
  request: { readonly cookie: string | null; readonly name: string | null; readonly role: DemoRole | null },
): Promise<DemoSignedIn> {
  const now = deps.now()
  const signedIn = (customer: DemoCustomer, cookie: string): Promise<DemoSignedIn> =>
    deps.keys.sign(customer, now).then((token) => ({ token, customerId: customer.id, cookie }))
  const cookieExpiresAt = new Date(now.getTime() + COOKIE_LIFE_MS)
  const { name, role } = request
  if (request.cookie !== null) {
    const renewal = { cookieHash: hashToken(request.cookie), cookieExpiresAt, name, role }
    const known = await renewDemoCustomer(deps.pool, renewal, now)
    if (known) return signedIn(known, request.cookie)
  }
  const cookie = newToken()
  const customer = { id: newId('cus'), name, role: role ?? 'customer' }
  await insertDemoCustomer(deps.pool, customer, {
    cookieHash: hashToken(cookie),
    cookieExpiresAt,
    name,
    role,
  })
  return signedIn(customer, cookie)
}
