import { createHash, timingSafeEqual } from 'node:crypto'

/** SHA-256 in hex: how a token is kept at rest. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Whether `given` is one of the secrets, in a time that depends on neither its content nor its length. */
export function isOneOf(given: string, secrets: readonly string[]): boolean {
  const digest = createHash('sha256').update(given).digest()
  let matches = 0
  for (const secret of secrets) {
    matches += Number(timingSafeEqual(digest, createHash('sha256').update(secret).digest()))
  }
  return matches > 0
}
