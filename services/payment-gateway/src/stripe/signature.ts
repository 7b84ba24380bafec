import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/**
 * Stripe's signature over the raw bytes: `v1 = hex(hmac_sha256(secret, t + "." + body))`, one v1 per active secret
 * (docs.stripe.com/webhooks#verify-manually). Verified here and not by the SDK because the SDK decodes the bytes first,
 * accepts timestamps in the future and throws three kinds of errors on crafted headers.
 */
export type SignatureCheck =
  | { readonly valid: true; readonly signedAt: number }
  | { readonly valid: false; readonly because: SignatureProblem }

export type SignatureProblem = 'missing' | 'malformed' | 'mismatch' | 'too_old' | 'in_the_future'

const TOLERANCE_SECONDS = 300
// A header carries one signature per active secret (two during a roll) and v0; more is not from Stripe.
const SIGNATURES_MAX = 20
const HEADER_CHARACTERS_MAX = 4096
const V1 = /^[0-9a-f]{64}$/

/** Never throws, whatever the header holds. `nowSeconds` is Unix time. */
export function checkSignature(
  body: Buffer,
  header: string | readonly string[] | undefined,
  secrets: readonly string[],
  nowSeconds: number,
): SignatureCheck {
  if (header === undefined || header === '') return { valid: false, because: 'missing' }
  if (typeof header !== 'string' || header.length > HEADER_CHARACTERS_MAX)
    return { valid: false, because: 'malformed' }
  const { timestamp, signatures } = parseHeader(header)
  if (timestamp === null || signatures.length === 0 || signatures.length > SIGNATURES_MAX)
    return { valid: false, because: 'malformed' }
  if (!matchesAny(body, timestamp.text, signatures, secrets)) return { valid: false, because: 'mismatch' }
  const age = nowSeconds - timestamp.seconds
  if (age > TOLERANCE_SECONDS) return { valid: false, because: 'too_old' }
  if (age < -TOLERANCE_SECONDS) return { valid: false, because: 'in_the_future' }
  return { valid: true, signedAt: timestamp.seconds }
}

type ParsedHeader = { timestamp: { text: string; seconds: number } | null; signatures: readonly Buffer[] }

function parseHeader(header: string): ParsedHeader {
  const signatures: Buffer[] = []
  let timestamp: ParsedHeader['timestamp'] = null
  for (const part of header.split(',')) {
    const separator = part.indexOf('=')
    const key = part.slice(0, separator)
    const value = part.slice(separator + 1)
    if (key === 't') timestamp = /^\d{1,12}$/.test(value) ? { text: value, seconds: Number(value) } : null
    else if (key === 'v1' && V1.test(value)) signatures.push(Buffer.from(value, 'hex'))
  }
  return { timestamp, signatures }
}

// Made once: a key given as text is prepared anew for every signature.
const keys = new Map<string, KeyObject>()

function keyOf(secret: string): KeyObject {
  const known = keys.get(secret)
  if (known) return known
  const key = createSecretKey(secret, 'utf8')
  keys.set(secret, key)
  return key
}

function matchesAny(
  body: Buffer,
  timestamp: string,
  signatures: readonly Buffer[],
  secrets: readonly string[],
): boolean {
  let matches = 0
  for (const secret of secrets) {
    const expected = createHmac('sha256', keyOf(secret)).update(`${timestamp}.`).update(body).digest()
    for (const signature of signatures) matches += Number(timingSafeEqual(expected, signature))
  }
  return matches > 0
}
