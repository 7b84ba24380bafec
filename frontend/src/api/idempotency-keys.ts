const KEY_BYTES = 16

/** A function that gives the same wish the same random key, and every other wish another. */
export function idempotencyKeys(): (wish: string) => string {
  const keys = new Map<string, string>()
  return (wish) => {
    const key = keys.get(wish) ?? newKey()
    keys.set(wish, key)
    return key
  }
}

// Not randomUUID: browsers offer that one on https and localhost only.
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
