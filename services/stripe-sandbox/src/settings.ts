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
  /** Real milliseconds every API call takes before it runs. */
  readonly apiLatencyMs: number
  readonly assume: Assumptions
}

/** What Stripe's documentation leaves open: each is a switch, the default the likelier answer. */
export type Assumptions = {
  /** An expiring Session cancels the PaymentIntent that a failed attempt left. */
  readonly expiryCancelsPaymentIntent: boolean
  /** `amount_refunded` goes down again when a refund fails. */
  readonly failedRefundLowersAmountRefunded: boolean
  /** The second attempt in one Session uses the PaymentIntent of the first. */
  readonly sessionKeepsPaymentIntent: boolean
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
  retryDelaysMs: [5000, 30_000, 120_000, 600_000, 3_600_000, 3 * 3_600_000],
  apiLatencyMs: 0,
  assume: {
    expiryCancelsPaymentIntent: true,
    failedRefundLowersAmountRefunded: true,
    sessionKeepsPaymentIntent: true,
  },
}
