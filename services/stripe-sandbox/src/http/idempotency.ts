import { hash } from 'node:crypto'
import { ApiError, invalidParameter } from '../errors.ts'
import type { IdempotencyRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import type { FormObject, FormValue } from './form.ts'

const KEPT_MS = 24 * 3_600_000
const MAX_KEY_LENGTH = 255

/** What makes two requests the same: the route and every parameter. */
export function fingerprint(method: string, path: string, form: FormObject): string {
  return hash('sha256', `${method} ${path}\n${sorted(form)}`)
}

// The order in which a caller writes its parameters means nothing.
function sorted(value: FormValue): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`
  const keys = Object.keys(value)
  if (keys.length > 1) keys.sort()
  return `[${keys.map((key) => `[${JSON.stringify(key)},${sorted(value[key] ?? '')}]`).join()}]`
}

/** Keys of requests that are running now. Memory only: a killed request was never answered. */
export type InFlight = Set<string>

/**
 * The stored answer to replay, or undefined when the request may run. Throws the 400 of a key used for something
 * else and the 409 of a key whose first request still runs.
 */
export function recall(
  reads: Reads,
  running: InFlight,
  key: string,
  print: string,
): IdempotencyRecord | undefined {
  if (key.length > MAX_KEY_LENGTH) {
    throw invalidParameter(`Your idempotency key must be at most ${MAX_KEY_LENGTH} characters.`)
  }
  if (running.has(key)) throw inProgress(key)
  const stored = reads.get('idempotency', key)
  if (!stored || stored.createdMs + KEPT_MS <= reads.nowSeconds() * 1000) return undefined
  if (stored.fingerprint !== print) throw otherParameters(key)
  return stored
}

/** Keeps the first answer to a key. */
export function store(tx: Tx, record: Omit<IdempotencyRecord, 'createdMs'>): void {
  tx.put('idempotency', { ...record, createdMs: tx.nowMs })
}

/** Drops keys that are too old to matter. */
export function forgetOldKeys(tx: Tx): void {
  for (const { id, createdMs } of tx.table('idempotency').oldestFirst()) {
    if (createdMs + KEPT_MS <= tx.nowMs) tx.remove('idempotency', id)
  }
}

/** Somebody else's request under the same key still runs. */
export function inProgress(key: string): ApiError {
  return new ApiError(
    409,
    {
      code: 'idempotency_key_in_use',
      message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
      type: 'idempotency_error',
    },
    { beforeExecution: true },
  )
}

function otherParameters(key: string): ApiError {
  return new ApiError(
    400,
    {
      message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      type: 'idempotency_error',
    },
    { beforeExecution: true },
  )
}
