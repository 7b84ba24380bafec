import { createHash } from 'node:crypto'
import { cookieOf } from '../src/language/language.ts'
import type { PaymentAccess } from '../src/payment/kept-session.ts'

/** The access as the cookie keeps it. Masked: it came with a link, and this browser is not the one that paid. */
export type KeptAccess = PaymentAccess & { readonly isMasked: boolean }

// As long as the token itself opens anything.
const LIFE_SECONDS = 30 * 24 * 60 * 60
// Each weighs half a kilobyte, and a browser sends all of them with every request for a page.
const KEPT_MAX = 4
const NAME = 'passerelle-pay-'
const KEY = /^[0-9a-f]{12}$/

/** Names a booking in an address without saying which one it is. */
export function keyOf(bookingId: string): string {
  return createHash('sha256').update(bookingId).digest('hex').slice(0, 12)
}

/** The access kept under a key, or null; whatever else stands in the cookie counts as nothing. */
export function readAccess(cookies: string | undefined, key: string, isSecure: boolean): KeptAccess | null {
  if (!cookies || !KEY.test(key)) return null
  const value = cookieOf(cookies, nameOf(key, isSecure))
  if (value === null) return null
  try {
    const access = JSON.parse(Buffer.from(value, 'base64url').toString()) as Partial<KeptAccess> | null
    if (typeof access?.bookingId !== 'string' || typeof access.statusToken !== 'string') return null
    if (keyOf(access.bookingId) !== key) return null
    return {
      bookingId: access.bookingId,
      statusToken: access.statusToken,
      sessionId: access.sessionId ?? null,
      expiresAt: access.expiresAt ?? null,
      tour: access.tour ?? null,
      isMasked: access.isMasked !== false,
    }
  } catch {
    return null
  }
}

/** The Set-Cookie lines that keep this access, and let the oldest go when there are too many. */
export function keepAccessLines(
  cookies: string | undefined,
  access: KeptAccess,
  isSecure: boolean,
): string[] {
  const key = keyOf(access.bookingId)
  const value = Buffer.from(JSON.stringify(access)).toString('base64url')
  const others = keysIn(cookies ?? '', isSecure).filter((other) => other !== key)
  // Browsers send the oldest cookies first.
  const surplus = others.slice(0, Math.max(0, others.length + 1 - KEPT_MAX))
  return [
    `${nameOf(key, isSecure)}=${value}; ${attributes(isSecure)}; Max-Age=${LIFE_SECONDS}`,
    ...surplus.map((other) => `${nameOf(other, isSecure)}=; ${attributes(isSecure)}; Max-Age=0`),
  ]
}

function keysIn(cookies: string, isSecure: boolean): string[] {
  const prefix = nameOf('', isSecure)
  return cookies
    .split(';')
    .map((pair) => pair.trim().split('=')[0] ?? '')
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
}

// The prefix makes the browser itself refuse the cookie from anybody but this host over https.
function nameOf(key: string, isSecure: boolean): string {
  return `${isSecure ? '__Host-' : ''}${NAME}${key}`
}

// Lax: the payer comes back from Stripe's page by a link, and must be known then.
function attributes(isSecure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
}
