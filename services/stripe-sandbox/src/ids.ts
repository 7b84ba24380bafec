import { randomFillSync } from 'node:crypto'

const ALPHABET = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
const MAX_LENGTH = 64
const draft = Buffer.alloc(MAX_LENGTH)

// Asking the system for a few bytes costs as much as asking for many.
const pool = Buffer.alloc(8192)
let used = pool.length

function randomByte(): number {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  return pool[used++] ?? 0
}

/** `length` random letters and digits, 64 at most, without modulo bias. */
export function randomText(length: number): string {
  // Letter by letter would make a rope, which every first look-up of the id has to flatten.
  for (let written = 0; written < length;) {
    const byte = randomByte()
    if (byte < 248) draft[written++] = ALPHABET[byte % 62] ?? 0
  }
  return draft.toString('latin1', 0, length)
}

/** A new id such as `cus_…`. Ids are opaque: their length imitates Stripe's, nothing reads them. */
export function newId(prefix: string, length = 24): string {
  return `${prefix}_${randomText(length)}`
}

/** A new id in the shape of Stripe's younger objects, such as `pm_1…`. */
export function newNumberedId(prefix: string): string {
  return `${prefix}_1${randomText(23)}`
}

/** As Stripe does, a payment's charge, refunds, balance rows and events share the stem of its PaymentIntent. */
export function newStem(): string {
  return `3${randomText(16)}`
}

export function stemmedId(prefix: string, stem: string): string {
  return `${prefix}_${stem}${randomText(8)}`
}

export function stemOf(id: string): string {
  return id.slice(id.indexOf('_') + 1).slice(0, 17)
}
