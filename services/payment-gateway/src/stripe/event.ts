import { isDeeperThan } from '@passerelle/kit/json-depth'

/** An event as it came out of a verified body: only its frame is checked, its object is still unknown. */
export type StripeEvent = {
  readonly id: string
  readonly type: string
  readonly apiVersion: string | null
  readonly livemode: boolean
  /** The connected account (Connect) it happened on; null for our own. */
  readonly account: string | null
  /** Unix seconds. */
  readonly created: number
  readonly object: StripeObject
}

/** A Stripe object nobody has looked into yet. Only facts.ts reads its fields. */
export type StripeObject = { readonly [field: string]: unknown }

// Stripe documents ids of up to 255 characters and promises nothing about their prefixes.
const ID_CHARACTERS_MAX = 255
const TYPE_CHARACTERS_MAX = 200
// Stripe's deepest objects have some 15 levels. JSON.parse takes a million, but showing such an event to an operator
// would fail at 5,000. So high that no usual event (6 kB) is long enough to be looked through for it.
const DEPTH_MAX = 3000

/** The event in a verified body, or null when the body is no JSON or no event. */
export function parseEvent(body: Buffer): StripeEvent | null {
  if (isDeeperThan(body, DEPTH_MAX)) return null
  let json: unknown
  try {
    json = JSON.parse(body.toString('utf8'))
  } catch {
    return null
  }
  if (!isObject(json) || json['object'] !== 'event') return null
  const { id, type, api_version: apiVersion, livemode, account, created, data } = json
  const object = isObject(data) ? data['object'] : undefined
  if (!isText(id, ID_CHARACTERS_MAX) || !isText(type, TYPE_CHARACTERS_MAX)) return null
  if (typeof livemode !== 'boolean' || !isUnixSecond(created) || !isObject(object)) return null
  return {
    id,
    type,
    apiVersion: typeof apiVersion === 'string' ? apiVersion : null,
    livemode,
    account: typeof account === 'string' ? account : null,
    created,
    object,
  }
}

// The last second of the year 9999: later ones fit neither a JavaScript date nor a timestamp column.
const SECOND_MAX = 253_402_300_799

export function isUnixSecond(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= SECOND_MAX
}

export function isObject(value: unknown): value is StripeObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// PostgreSQL's text holds no NUL; an id or a type with one is not Stripe's.
function isText(value: unknown, charactersMax: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= charactersMax && !value.includes('\0')
}
