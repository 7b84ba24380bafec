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

// What stands in examples and templates until somebody sets a real one.
const PLACEHOLDER =
  /^(?:\d+|(?:whsec_)?(?:change[-_ ]?(?:me|it|this)\w*|(?:my|your|some|super|default)?[-_ ]?(?:secret|password|token)[-_ ]?(?:key|here)?|passw0rd|default|example|placeholder|none|null|undefined|x+|\.{3,}|…|your[-_ ].*|<.*>|\$\{.*\}))$/i
const DISTINCT_CHARACTERS_MIN = 5

/** Why a secret is none ("is a placeholder"), or null when it will do. Never says anything of its content. */
export function secretWeakness(secret: string, charactersMin: number): string | null {
  if (PLACEHOLDER.test(secret)) return 'is a placeholder'
  if (secret.length < charactersMin) return `is shorter than ${charactersMin} characters`
  if (new Set(secret).size < DISTINCT_CHARACTERS_MIN) return 'repeats a few characters'
  return null
}
