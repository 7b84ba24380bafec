import { invalidRequest } from './errors.ts'
import type { Fee } from './payments/balance.ts'

export const API_VERSION = '2026-10-28.endive'

/** How the sandbox behaves; every delay is in sandbox milliseconds. */
export type Settings = {
  /** Where a payer's browser reaches the sandbox, without a trailing slash. */
  publicUrl: string
  readonly fee: Fee
  readonly disputeFee: number
  /** `charge.updated` with the balance transaction, after `charge.succeeded`. */
  readonly chargeUpdatedDelayMs: number
  /** `refund.updated` with the card reference, after `charge.refunded`. */
  readonly refundUpdatedDelayMs: number
  /** Pending refunds succeed, and failing refunds fail, after this. */
  readonly refundSettledDelayMs: number
  readonly disputeOpenedDelayMs: number
  readonly disputeDecidedDelayMs: number
  /** SEPA debits of the accounts that settle at once, and of those that take their time. */
  readonly debitDelayMs: number
  readonly slowDebitDelayMs: number
  /** Real milliseconds the hosted page waits for the 2xx to checkout.session.completed. */
  readonly redirectWaitMs: number
  /** Real milliseconds before a delivery attempt is given up. */
  readonly deliveryTimeoutMs: number
  /** Delays before the second, third, … attempt of a delivery; after the last it has failed. */
  readonly retryDelaysMs: readonly number[]
  /** Until a new object can be searched for; Stripe says less than a minute. */
  readonly searchLagMs: number
  /** Real milliseconds every API call takes before it runs. */
  readonly apiLatencyMs: number
  readonly assume: Assumptions
}

/**
 * What Stripe's documentation leaves open: each is a switch, the default the likelier answer. Whoever consumes Stripe
 * has to be right for every one of them.
 */
export type Assumptions = {
  /** An expiring Session cancels the PaymentIntent that a failed attempt left. */
  readonly expiryCancelsPaymentIntent: boolean
  /** `amount_refunded` goes down again when a refund fails. */
  readonly failedRefundLowersAmountRefunded: boolean
  /** The second attempt in one Session uses the PaymentIntent of the first. */
  readonly sessionKeepsPaymentIntent: boolean
  /** What `checkout.session.completed` says of money that is only held. */
  readonly heldSessionPaymentStatus: 'unpaid' | 'paid'
  /** Releasing a hold also tells `charge.refunded`. */
  readonly releaseTellsChargeRefunded: boolean
  /** In Checkout with a debit: the PaymentIntent's events before `checkout.session.completed`, or after it. */
  readonly debitToldFirst: 'payment_intent' | 'session'
  /** The code of the 400 when a Session is created with the removed `payment_method_types`; '' for none. */
  readonly removedSessionParameterCode: string
  /** Metadata changed on a PaymentIntent after its charge was made shows on the charge too. */
  readonly laterMetadataReachesCharge: boolean
  /** A failed 3-D Secure leaves a failed charge, told by `charge.failed`. */
  readonly failedAuthenticationMakesCharge: boolean
  /** An endpoint that fails every attempt for this long is disabled; 0 for never. Sandbox milliseconds. */
  readonly endpointDisabledAfterMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/**
 * Delays before the second, third, … attempt. Stripe says "three times over the course of a few hours" for its test mode
 * and "up to three days with an exponential back off" for live mode, and publishes no intervals. `quick` is the
 * default: a person is waiting.
 *
 *   test    5 min   1 h   3 h
 *   live    5 min, doubling, 12 h at most, for three days
 */
export const RETRY_SCHEDULES = {
  quick: [5000, 30_000, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS],
  test: [5 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS],
  live: liveSchedule(),
} as const satisfies Record<string, readonly number[]>

function liveSchedule(): readonly number[] {
  const delays: number[] = []
  let passedMs = 0
  for (
    let delayMs = 5 * MINUTE_MS;
    passedMs + delayMs <= 3 * DAY_MS;
    delayMs = Math.min(delayMs * 2, 12 * HOUR_MS)
  ) {
    delays.push(delayMs)
    passedMs += delayMs
  }
  return delays
}

export const DEFAULT_SETTINGS: Settings = {
  publicUrl: '',
  fee: { basisPoints: 150, fixed: 25 },
  disputeFee: 1500,
  chargeUpdatedDelayMs: 2000,
  refundUpdatedDelayMs: 500,
  refundSettledDelayMs: 5000,
  disputeOpenedDelayMs: 500,
  disputeDecidedDelayMs: 5000,
  debitDelayMs: 3000,
  slowDebitDelayMs: 180_000,
  redirectWaitMs: 10_000,
  deliveryTimeoutMs: 10_000,
  retryDelaysMs: RETRY_SCHEDULES.quick,
  searchLagMs: 0,
  apiLatencyMs: 0,
  assume: {
    expiryCancelsPaymentIntent: true,
    failedRefundLowersAmountRefunded: true,
    sessionKeepsPaymentIntent: true,
    heldSessionPaymentStatus: 'unpaid',
    releaseTellsChargeRefunded: false,
    debitToldFirst: 'payment_intent',
    removedSessionParameterCode: 'parameter_unknown',
    laterMetadataReachesCharge: false,
    failedAuthenticationMakesCharge: false,
    endpointDisabledAfterMs: 0,
  },
}

export type SettingsChange = Omit<Partial<Settings>, 'assume'> & { readonly assume?: Partial<Assumptions> }

/** The settings with the change in them. */
export function changedSettings(before: Settings, change: SettingsChange): Settings {
  return { ...before, ...change, assume: { ...before.assume, ...change.assume } }
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  heldSessionPaymentStatus: ['unpaid', 'paid'],
  debitToldFirst: ['payment_intent', 'session'],
}

/** Reads a change as somebody wrote it in JSON, or says which setting is wrong. `retries` names a schedule. */
export function readSettings(value: unknown): SettingsChange {
  const { retries, ...given } = recordOf(value, 'settings')
  const change = readLike(given, DEFAULT_SETTINGS, '')
  if (retries === undefined) return change
  const schedule = Object.entries(RETRY_SCHEDULES).find(([name]) => name === retries)?.[1]
  if (!schedule) throw invalidRequest(`retries must be one of ${Object.keys(RETRY_SCHEDULES).join(', ')}.`)
  return { ...change, retryDelaysMs: schedule }
}

// Whatever a default looks like, its replacement must look like.
function readLike(given: Readonly<Record<string, unknown>>, like: object, path: string): SettingsChange {
  const known = Object.entries(like)
  const read = Object.entries(given).map(([name, value]) => {
    const at = path + name
    const example: unknown = known.find(([each]) => each === name)?.[1]
    if (example === undefined) {
      const names = known.map(([each]) => path + each).join(', ')
      throw invalidRequest(`There is no setting ${at}. There are: ${names}.`, { param: at })
    }
    return [name, readOne(value, example, at)]
  })
  return Object.fromEntries(read) as SettingsChange
}

function readOne(value: unknown, example: unknown, at: string): unknown {
  if (Array.isArray(example)) {
    if (Array.isArray(value) && value.every((each) => isDelay(each))) return value
    throw invalidRequest(`${at} must be a list of milliseconds.`, { param: at })
  }
  if (typeof example === 'object' && example !== null) return readLike(recordOf(value, at), example, `${at}.`)
  const choices = CHOICES[at.replace('assume.', '')]
  if (choices && !choices.some((choice) => choice === value))
    throw invalidRequest(`${at} must be one of ${choices.join(', ')}.`, { param: at })
  if (typeof value !== typeof example || (typeof value === 'number' && !isDelay(value)))
    throw invalidRequest(`${at} must be a ${typeof example}, such as ${JSON.stringify(example)}.`, {
      param: at,
    })
  return value
}

function isDelay(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function recordOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw invalidRequest(`${name} must be an object.`, { param: name })
}
