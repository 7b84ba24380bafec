export type DemoRole = 'customer' | 'operator'
export type DemoCustomer = { readonly id: string; readonly name: string | null; readonly role: DemoRole }

const COOKIE_NAME = 'passerelle_demo'
const COOKIE_PATH = '/api/v1/auth'
export const COOKIE_LIFE_MS = 30 * 24 * 60 * 60 * 1000

/** The token of the demo cookie in a `Cookie` header, or null. */
export function readDemoCookie(header: string | undefined): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [name, value] = pair.split('=', 2)
    if (name?.trim() === COOKIE_NAME && value !== undefined) return value.trim()
  }
  return null
}

/** A `Set-Cookie` header that keeps the token for COOKIE_LIFE_MS, or, given null, forgets it. */
export function demoCookie(token: string | null, options: { readonly secure: boolean }): string {
  return [
    `${COOKIE_NAME}=${token ?? ''}`,
    `Path=${COOKIE_PATH}`,
    `Max-Age=${token === null ? 0 : COOKIE_LIFE_MS / 1000}`,
    'HttpOnly',
    'SameSite=Lax',
    ...(options.secure ? ['Secure'] : []),
  ].join('; ')
}
