import { randomBytes, randomUUIDv7 } from 'node:crypto'

/** A new id that sorts by time of creation: `pay_018f…` (UUIDv7 in hex without dashes). */
export function newId(prefix: string): string {
  return `${prefix}_${randomUUIDv7().replaceAll('-', '')}`
}

/** 256 random bits as URL-safe text, for tokens that must not be guessed. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}
