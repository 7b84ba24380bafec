import type { KeyObject } from 'node:crypto'
import { createHmac, createSecretKey, hash } from 'node:crypto'

const MAX_KEYS_KEPT = 1000

/**
 * The value of `Stripe-Signature`: one v1 per active secret over `t.body`, and the v0 that Stripe sends in test mode
 * and that receivers ignore. `t` is whole seconds.
 */
export function signatureHeader(body: string | Buffer, t: number, secrets: readonly string[]): string {
  const signed = secrets.map((secret) => `v1=${sign(body, t, secret)}`)
  // Nobody can check it: its shape is all there is to it.
  const v0 = hash('sha256', `v0 ${signed[0] ?? ''}`)
  return [`t=${t}`, ...signed, `v0=${v0}`].join(',')
}

function sign(body: string | Buffer, t: number, secret: string): string {
  return createHmac('sha256', keyOf(secret)).update(`${t}.`).update(body).digest('hex')
}

// Preparing a secret costs a quarter of signing with it.
const keys = new Map<string, KeyObject>()

function keyOf(secret: string): KeyObject {
  const known = keys.get(secret)
  if (known) return known
  const key = createSecretKey(secret, 'utf8')
  if (keys.size >= MAX_KEYS_KEPT) keys.clear()
  keys.set(secret, key)
  return key
}
