// Ids as they are in the field: ours sort by time, Stripe's begin with the time too, session ids are random.
import { createHash } from 'node:crypto'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PAYMENTS_PER_SECOND = 2300

/** A row's name: ten characters, so that ids have the length of real ones. */
export function tagOf(row: number): string {
  return `b${String(row).padStart(9, '0')}`
}

export const own = (prefix: string, tag: string, index: number): string =>
  `${prefix}_${tag}${String(index).padStart(22, '0')}`

export const paymentId = (tag: string, index: number): string => own('pay', tag, index)
export const bookingId = (tag: string, index: number): string => own('bkg', tag, index)
export const attemptId = (tag: string, index: number): string => own('att', tag, index)
/** The index in one of the ids above. */
export const indexOf = (id: string): number => Number(id.slice(-22))

/** The same id as the SQL of seed.ts makes. */
export function sessionId(tag: string, index: number): string {
  const half = (text: string): string => createHash('md5').update(text).digest('hex')
  return `cs_test_a1${half(`${tag}${index}`)}${half(`${index}${tag}`).slice(0, 24)}`
}

/** Like pi_3MtwBwLkdIwHu7ix28a3tqPa: the second, the account, something random. */
export function stripeId(prefix: string, second: number, index: number): string {
  let random = ''
  for (let left = 8; left > 0; left -= 1) random += DIGITS[Math.floor(Math.random() * 62)]
  return `${prefix}_3${base62(second + Math.floor(index / PAYMENTS_PER_SECOND))}LkdIwHu7ix${random}`
}

function base62(value: number): string {
  let text = ''
  for (let rest = value; rest > 0; rest = Math.floor(rest / 62)) text = (DIGITS[rest % 62] ?? '') + text
  return text
}
