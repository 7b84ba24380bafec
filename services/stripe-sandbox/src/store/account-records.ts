import type Stripe from 'stripe'
import type { Metadata } from '../http/params.ts'
import type { SessionRecord } from './records.ts'

// What an account keeps besides payments. Times are whole seconds.

export type CustomerRecord = {
  readonly id: string
  readonly created: number
  readonly email: string | null
  readonly name: string | null
  readonly phone: string | null
  readonly description: string | null
  readonly metadata: Metadata
  readonly defaultPaymentMethod: string | null
  readonly deleted: boolean
  readonly address?: Stripe.Address | null
  readonly balance?: number
  readonly footer?: string | null
  readonly preferredLocales?: readonly string[]
  readonly shipping?: Stripe.PaymentIntent.Shipping | null
  readonly taxExempt?: 'exempt' | 'none' | 'reverse'
}

export type ProductRecord = {
  readonly id: string
  readonly created: number
  readonly updated: number
  readonly active: boolean
  readonly name: string
  readonly description: string | null
  readonly images: string[]
  readonly metadata: Metadata
  readonly deleted: boolean
  readonly defaultPrice?: string | null
  readonly marketingFeatures?: readonly string[]
  readonly shippable?: boolean | null
  readonly taxCode?: string | null
  readonly unitLabel?: string | null
  readonly url?: string | null
}

export type PriceRecord = {
  readonly id: string
  readonly created: number
  readonly active: boolean
  readonly currency: string
  readonly unitAmount: number
  readonly product: string
  readonly nickname: string | null
  readonly lookupKey: string | null
  readonly metadata: Metadata
  readonly taxBehavior?: 'exclusive' | 'inclusive' | 'unspecified'
  readonly recurring?: {
    readonly interval: 'day' | 'month' | 'week' | 'year'
    readonly intervalCount: number
  }
}

export type CouponRecord = {
  readonly id: string
  readonly created: number
  readonly amountOff: number | null
  readonly percentOff: number | null
  readonly currency: string | null
  readonly duration: 'forever' | 'once' | 'repeating'
  readonly durationInMonths: number | null
  readonly maxRedemptions: number | null
  readonly redeemBy: number | null
  readonly timesRedeemed: number
  readonly name: string | null
  readonly metadata: Metadata
  readonly deleted: boolean
  /** Only these products are discounted; absent for all. */
  readonly appliesTo?: readonly string[]
  /** `amountOff` in other currencies. */
  readonly amountOffByCurrency?: Readonly<Record<string, number>>
}

export type PromotionCodeRecord = {
  readonly id: string
  readonly created: number
  readonly active: boolean
  readonly code: string
  readonly coupon: string
  readonly customer: string | null
  readonly expiresAt: number | null
  readonly maxRedemptions: number | null
  readonly timesRedeemed: number
  readonly firstTimeTransaction: boolean
  readonly minimumAmount: number | null
  readonly minimumAmountCurrency: string | null
  /** `minimumAmount` in other currencies. */
  readonly minimumByCurrency?: Readonly<Record<string, number>>
  readonly metadata: Metadata
}

/** A coupon given to a customer. */
export type DiscountRecord = {
  readonly id: string
  readonly coupon: string
  readonly customer: string
  readonly start: number
  readonly end: number | null
}

export type PaymentLinkRecord = {
  readonly id: string
  readonly created: number
  readonly active: boolean
  readonly lineItems: readonly { readonly id: string; readonly price: string; readonly quantity: number }[]
  readonly afterCompletion: { readonly redirect: string } | { readonly message: string | null }
  readonly allowPromotionCodes: boolean
  readonly inactiveMessage: string | null
  readonly customerCreation: 'always' | 'if_required'
  readonly submitType: 'auto' | 'book' | 'donate' | 'pay' | 'subscribe'
  readonly paymentIntentData?: SessionRecord['paymentIntentData']
  /** So many completed Sessions, and the link is inactive; null for no limit. */
  readonly limit?: number | null
  readonly completed?: number
  readonly types?: readonly string[] | null
  /** What is kept to be shown, or said on the page, and decides nothing. */
  readonly shown?: Partial<Pick<Stripe.PaymentLink, 'custom_text' | 'payment_method_collection'>>
  readonly metadata: Metadata
}

export type SetupIntentRecord = {
  readonly id: string
  readonly created: number
  readonly clientSecret: string
  readonly status:
    | 'requires_payment_method'
    | 'requires_confirmation'
    | 'requires_action'
    | 'succeeded'
    | 'canceled'
  readonly usage: 'off_session' | 'on_session'
  readonly customer: string | null
  readonly description: string | null
  readonly metadata: Metadata
  readonly paymentMethod: string | null
  readonly paymentMethodTypes: string[]
  readonly automatic: boolean
  readonly allowedTypes: string[] | null
  readonly excludedTypes: string[] | null
  readonly latestAttempt: string | null
  /** Set while a decline or a failed authentication is the last thing that happened. */
  readonly lastError: SetupErrorRecord | null
  readonly returnUrl: string | null
  readonly canceledBecause: 'abandoned' | 'duplicate' | 'requested_by_customer' | null
  readonly threeDSecure?: 'any' | 'automatic' | 'challenge'
  readonly useStripeSdk?: boolean
}

export type SetupErrorRecord = {
  readonly code: string
  readonly declineCode: string | null
  readonly message: string
  readonly paymentMethod: string | null
  readonly type: 'card_error' | 'invalid_request_error'
}

export type SetupAttemptRecord = {
  readonly id: string
  readonly created: number
  readonly setupIntent: string
  readonly customer: string | null
  readonly paymentMethod: string
  readonly status: 'failed' | 'requires_action' | 'succeeded'
  readonly usage: 'off_session' | 'on_session'
  readonly error: SetupErrorRecord | null
}

export type PayoutRecord = {
  readonly id: string
  readonly created: number
  readonly amount: number
  readonly currency: string
  readonly arrivalDate: number
  readonly status: 'pending' | 'paid' | 'canceled'
  readonly method: string
  readonly description: string | null
  readonly statementDescriptor: string | null
  readonly metadata: Metadata
  readonly balanceTransaction: string
  readonly failureBalanceTransaction: string | null
}

/** One movement of a customer's cash balance: a transfer that came in, or money put to a payment. */
export type CashMovementRecord = {
  readonly id: string
  readonly created: number
  readonly customer: string
  readonly currency: string
  readonly netAmount: number
  readonly endingBalance: number
  readonly paymentIntent: string | null
}

/** A card kept the old way, as a source of a customer. */
export type SourceRecord = {
  readonly id: string
  readonly created: number
  readonly customer: string
  readonly instrument: string
  readonly name: string | null
  readonly expMonth: number
  readonly expYear: number
  readonly metadata: Metadata
}
