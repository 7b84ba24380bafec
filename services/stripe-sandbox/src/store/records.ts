import type Stripe from 'stripe'
import type { Metadata } from '../http/params.ts'
import type {
  CashMovementRecord,
  CouponRecord,
  CustomerRecord,
  DiscountRecord,
  PaymentLinkRecord,
  PayoutRecord,
  PriceRecord,
  ProductRecord,
  PromotionCodeRecord,
  SetupAttemptRecord,
  SetupIntentRecord,
  SourceRecord,
} from './account-records.ts'

// What the sandbox remembers. The builders turn records into Stripe's objects; ids refer to other records.
// Times ending in Ms are sandbox milliseconds, the others whole seconds.

export type PaymentMethodRecord = {
  readonly id: string
  readonly created: number
  readonly type: 'card' | 'customer_balance' | 'sepa_debit'
  /** Which test instrument this is, by name. The card number itself is never kept. */
  readonly instrument: string
  readonly brand: string
  readonly country: string
  readonly funding: string
  readonly last4: string
  readonly expMonth: number
  readonly expYear: number
  readonly customer: string | null
  readonly email: string | null
  readonly name: string | null
  readonly metadata: Metadata
  readonly phone?: string | null
  readonly address?: Stripe.Address | null
  readonly taxId?: string | null
  readonly allowRedisplay?: 'always' | 'limited' | 'unspecified'
  readonly radarSession?: string
}

export type PaymentIntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'requires_capture'
  | 'succeeded'
  | 'canceled'

export type PaymentIntentRecord = {
  readonly id: string
  readonly created: number
  readonly amount: number
  readonly amountCapturable: number
  readonly amountReceived: number
  readonly currency: string
  readonly status: PaymentIntentStatus
  readonly captureMethod: 'automatic' | 'automatic_async' | 'manual'
  readonly confirmationMethod: 'automatic' | 'manual'
  readonly clientSecret: string
  readonly customer: string | null
  readonly description: string | null
  readonly metadata: Metadata
  readonly receiptEmail: string | null
  readonly setupFutureUsage: 'off_session' | 'on_session' | null
  readonly shipping: Stripe.PaymentIntent.Shipping | null
  readonly statementDescriptor: string | null
  readonly statementDescriptorSuffix: string | null
  readonly automaticPaymentMethods: Stripe.PaymentIntent.AutomaticPaymentMethods | null
  readonly allowedTypes: string[] | null
  readonly excludedTypes: string[] | null
  readonly paymentMethodTypes: string[]
  readonly paymentMethod: string | null
  readonly latestCharge: string | null
  readonly lastPaymentError: Stripe.PaymentIntent.LastPaymentError | null
  /** Present while status is requires_action. */
  readonly returnUrl: string | null
  readonly useStripeSdk: boolean
  readonly canceledAt: number | null
  readonly cancellationReason: string | null
  /** The Checkout Session that made it. */
  readonly session: string | null
  readonly transferGroup?: string | null
  /** Whether the merchant wants 3-D Secure although the card does not ask for it. */
  readonly threeDSecure?: 'any' | 'automatic' | 'challenge'
  readonly radarSession?: string
  readonly paymentDetails?: Stripe.PaymentIntent.PaymentDetails
  /** Paid by a bank transfer of that kind, with so much of it arrived. */
  readonly transfer?: { readonly type: string; readonly arrived: number }
}

export type Outcome = {
  readonly type: 'authorized' | 'issuer_declined' | 'blocked' | 'invalid'
  readonly networkStatus: string
  readonly reason: string | null
  readonly adviceCode: string | null
  readonly riskLevel: string
  readonly riskScore: number
  readonly sellerMessage: string
}

export type ChargeRecord = {
  readonly id: string
  readonly created: number
  readonly paymentIntent: string
  readonly paymentMethod: string
  readonly amount: number
  readonly amountCaptured: number
  readonly amountRefunded: number
  readonly currency: string
  readonly status: 'succeeded' | 'pending' | 'failed'
  readonly captured: boolean
  readonly paid: boolean
  readonly disputed: boolean
  /** Set when a hold was released; no refund object exists for it. */
  readonly released: boolean
  readonly balanceTransaction: string | null
  readonly failureBalanceTransaction: string | null
  readonly failureCode: string | null
  readonly failureMessage: string | null
  readonly outcome: Outcome | null
  readonly authenticated: boolean
  readonly captureBefore: number | null
  readonly customer: string | null
  readonly description: string | null
  readonly email: string | null
  readonly name: string | null
  readonly metadata: Metadata
  readonly receiptEmail: string | null
  readonly fraudReport: string | null
  readonly statementDescriptorSuffix: string | null
  readonly statementDescriptor?: string | null
  readonly shipping?: Stripe.PaymentIntent.Shipping | null
  readonly transferGroup?: string | null
  readonly radarSession?: string
  readonly phone?: string | null
  readonly address?: Stripe.Address | null
}

export type RefundRecord = {
  readonly id: string
  readonly created: number
  readonly charge: string
  readonly paymentIntent: string
  readonly amount: number
  readonly currency: string
  readonly status: 'pending' | 'requires_action' | 'succeeded' | 'failed' | 'canceled'
  readonly reason: string | null
  readonly metadata: Metadata
  readonly balanceTransaction: string | null
  readonly failureReason: string | null
  readonly failureBalanceTransaction: string | null
  readonly pendingReason: string | null
  readonly reference: string | null
  readonly customer: string | null
  readonly paymentMethod: string | null
  readonly instructionsEmail?: string
}

export type BalanceTransactionRecord = {
  readonly id: string
  readonly created: number
  readonly availableOn: number
  readonly amount: number
  readonly fee: number
  readonly currency: string
  readonly type: string
  readonly reportingCategory: string
  readonly description: string | null
  readonly source: string
}

export type DisputeRecord = {
  readonly id: string
  readonly created: number
  readonly charge: string
  readonly paymentIntent: string
  readonly amount: number
  readonly currency: string
  readonly reason: string
  readonly status: string
  readonly brand: string
  readonly metadata: Metadata
  readonly evidence: Record<string, string>
  readonly submissions: number
  readonly dueBy: number
  readonly balanceTransactions: string[]
  readonly intendedSubmission?: Stripe.Dispute['intended_submission_method']
}

export type WarningRecord = {
  readonly id: string
  readonly created: number
  readonly charge: string
  readonly paymentIntent: string
  readonly fraudType: string
}

export type LineItemRecord = {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly unitAmount: number
  readonly quantity: number
  readonly currency: string
  readonly price: string
  readonly metadata: Metadata
  /** What the Session's discount takes off; absent for nothing. */
  readonly discounted?: number
}

/** A coupon, named by the merchant or through a promotion code, that lowers one Session. */
export type SessionDiscount = {
  readonly id: string
  readonly start: number
  readonly coupon: string
  readonly promotionCode: string | null
  /** What the payer sees of it: the code, or the coupon's name. */
  readonly label: string
}

export type SessionRecord = {
  readonly id: string
  readonly created: number
  readonly expiresAt: number
  readonly status: 'open' | 'complete' | 'expired'
  readonly paymentStatus: 'unpaid' | 'paid' | 'no_payment_required'
  readonly uiMode: string
  readonly currency: string
  readonly lineItems: LineItemRecord[]
  readonly successUrl: string | null
  readonly cancelUrl: string | null
  readonly returnUrl: string | null
  readonly clientReferenceId: string | null
  readonly customer: string | null
  readonly customerCreation: 'always' | 'if_required'
  readonly customerEmail: string | null
  readonly payer: { readonly email: string | null; readonly name: string | null } | null
  readonly metadata: Metadata
  readonly locale: string | null
  readonly submitType: string | null
  readonly allowedTypes: string[] | null
  readonly excludedTypes: string[] | null
  readonly paymentIntent: string | null
  readonly paymentIntentData: {
    readonly metadata: Metadata
    readonly captureMethod: 'automatic' | 'automatic_async' | 'manual'
    readonly description: string | null
    readonly receiptEmail: string | null
    readonly setupFutureUsage: 'off_session' | 'on_session' | null
    readonly statementDescriptor: string | null
    readonly statementDescriptorSuffix: string | null
    readonly shipping?: Stripe.PaymentIntent.Shipping | null
    readonly transferGroup?: string | null
    readonly threeDSecure?: 'any' | 'automatic' | 'challenge'
  }
  /** Form submits already carried out, by the token of the rendered page: a double click is one attempt. */
  readonly submits: Record<string, PaymentOutcome>
  readonly completedEvent: string | null
  /** The payment link that opened it. */
  readonly paymentLink?: string
  /** Whether the payer may type a promotion code; null when nobody said. */
  readonly allowPromotionCodes?: boolean | null
  readonly discount?: SessionDiscount | null
  /** An expired Session leaves an address that opens a copy of it. */
  readonly recovery?: { readonly allowPromotionCodes: boolean; readonly expiresAt: number | null }
  readonly recoveredFrom?: string
  /** What is kept to be shown, or said on the page, and decides nothing. */
  readonly shown?: Partial<
    Pick<
      Stripe.Checkout.Session,
      'branding_settings' | 'custom_text' | 'integration_identifier' | 'origin_context' | 'wallet_options'
    >
  >
  readonly customerUpdate?: { readonly name: boolean }
}

export type PaymentOutcome =
  | { readonly kind: 'paid' | 'processing' | 'authorized' }
  | { readonly kind: 'challenge'; readonly paymentIntent: string }
  | {
      readonly kind: 'declined'
      readonly message: string
      readonly code: string
      readonly declineCode: string | null
    }

export type EventRecord = {
  readonly id: string
  readonly created: number
  readonly type: string
  /** As it was then. */
  readonly object: object
  readonly previousAttributes: object | null
  readonly request: { readonly id: string | null; readonly idempotencyKey: string | null }
  readonly endpoints: string[]
}

export type AttemptRecord = {
  readonly at: string
  readonly status: number | null
  readonly error: string | null
  readonly durationMs: number
  readonly trigger: 'automatic' | 'manual' | 'duplicate'
  /** What went over the wire besides the event itself; absent in rows of older journals and where nothing came back. */
  readonly signature?: string | undefined
  readonly answer?: { readonly headers: Record<string, string>; readonly body: string } | undefined
}

export type DeliveryRecord = {
  readonly id: string
  readonly event: string
  readonly endpoint: string
  readonly status: 'pending' | 'delivered' | 'failed' | 'stopped'
  readonly automaticAttempts: number
  /** When the next automatic attempt is due, or null when none will come. */
  readonly nextAttemptMs: number | null
  readonly attempts: readonly AttemptRecord[]
}

export type WebhookEndpointRecord = {
  readonly id: string
  readonly created: number
  readonly url: string
  readonly enabledEvents: string[]
  readonly apiVersion: string | null
  readonly description: string | null
  readonly metadata: Metadata
  readonly status: 'enabled' | 'disabled'
  /** What only the second version of the API knows of it. */
  readonly destination?: {
    readonly name: string
    readonly payload: 'snapshot' | 'thin'
    readonly updated: number
  }
  /** The current secret first; older ones sign too until they expire. */
  readonly secrets: readonly { readonly value: string; readonly expiresAtMs: number | null }[]
}

export type TaskRecord = {
  readonly id: string
  readonly dueMs: number
  readonly kind: string
  readonly subject: string
  readonly note?: string
}

export type IdempotencyRecord = {
  readonly id: string
  readonly createdMs: number
  readonly fingerprint: string
  readonly requestId: string
  readonly status: number
  readonly body: string
}

export type SettingRecord =
  | { readonly id: 'webhooks'; readonly paused: boolean }
  | { readonly id: 'listen'; readonly secret: string }
  | { readonly id: 'clock'; readonly realMs: number; readonly sandboxMs: number; readonly speed: number }

export type Records = {
  payment_methods: PaymentMethodRecord
  payment_intents: PaymentIntentRecord
  charges: ChargeRecord
  refunds: RefundRecord
  balance_transactions: BalanceTransactionRecord
  disputes: DisputeRecord
  early_fraud_warnings: WarningRecord
  sessions: SessionRecord
  customers: CustomerRecord
  products: ProductRecord
  prices: PriceRecord
  coupons: CouponRecord
  promotion_codes: PromotionCodeRecord
  discounts: DiscountRecord
  payment_links: PaymentLinkRecord
  setup_intents: SetupIntentRecord
  setup_attempts: SetupAttemptRecord
  payouts: PayoutRecord
  cash_movements: CashMovementRecord
  sources: SourceRecord
  events: EventRecord
  deliveries: DeliveryRecord
  webhook_endpoints: WebhookEndpointRecord
  listeners: WebhookEndpointRecord
  tasks: TaskRecord
  idempotency: IdempotencyRecord
  settings: SettingRecord
}

export const TABLES = [
  'payment_methods',
  'payment_intents',
  'charges',
  'refunds',
  'balance_transactions',
  'disputes',
  'early_fraud_warnings',
  'sessions',
  'customers',
  'products',
  'prices',
  'coupons',
  'promotion_codes',
  'discounts',
  'payment_links',
  'setup_intents',
  'setup_attempts',
  'payouts',
  'cash_movements',
  'sources',
  'events',
  'deliveries',
  'webhook_endpoints',
  'listeners',
  'tasks',
  'idempotency',
  'settings',
] as const satisfies readonly (keyof Records)[]

export type TableName = (typeof TABLES)[number]
