import { createHmac } from 'node:crypto'

/**
 * The value of `Stripe-Signature`: one v1 per active secret over `t.body`, and the v0 that Stripe sends in test mode
 * and that receivers ignore. `t` is whole seconds.
 */
export function signatureHeader(body: string | Buffer, t: number, secrets: readonly string[]): string {
  const signed = secrets.map((secret) => `v1=${sign(body, t, secret)}`)
  return [`t=${t}`, ...signed, `v0=${sign(body, t, `v0${secrets[0] ?? ''}`)}`].join(',')
}

function sign(body: string | Buffer, t: number, secret: string): string {
  return createHmac('sha256', secret).update(`${t}.`).update(body).digest('hex')
}
