import type Stripe from 'stripe'
import { invalidRequest, noSuch } from '../errors.ts'
import type { CouponRecord, DiscountRecord, PromotionCodeRecord } from '../store/account-records.ts'
import type { Reads } from '../store/store.ts'

export function renderCoupon(record: CouponRecord, now: number): Stripe.Coupon | Stripe.DeletedCoupon {
  if (record.deleted) return { id: record.id, object: 'coupon', deleted: true }
  return {
    id: record.id,
    object: 'coupon',
    amount_off: record.amountOff,
    created: record.created,
    currency: record.currency,
    duration: record.duration,
    duration_in_months: record.durationInMonths,
    livemode: false,
    max_redemptions: record.maxRedemptions,
    metadata: record.metadata,
    name: record.name,
    percent_off: record.percentOff,
    redeem_by: record.redeemBy,
    times_redeemed: record.timesRedeemed,
    valid: isValid(record, now),
  }
}

export function renderPromotionCode(reads: Reads, record: PromotionCodeRecord): Stripe.PromotionCode {
  const { minimumByCurrency } = record
  return {
    id: record.id,
    object: 'promotion_code',
    active: isRedeemable(reads, record),
    code: record.code,
    created: record.created,
    customer: record.customer,
    customer_account: null,
    expires_at: record.expiresAt,
    livemode: false,
    max_redemptions: record.maxRedemptions,
    metadata: record.metadata,
    promotion: { coupon: record.coupon, type: 'coupon' },
    restrictions: {
      first_time_transaction: record.firstTimeTransaction,
      minimum_amount: record.minimumAmount,
      minimum_amount_currency: record.minimumAmountCurrency,
      ...(minimumByCurrency === undefined
        ? {}
        : { currency_options: mapped(minimumByCurrency, (amount) => ({ minimum_amount: amount })) }),
    },
    times_redeemed: record.timesRedeemed,
  }
}

export function renderDiscount(record: DiscountRecord): Stripe.Discount {
  return {
    id: record.id,
    object: 'discount',
    checkout_session: null,
    customer: record.customer,
    customer_account: null,
    end: record.end,
    invoice: null,
    invoice_item: null,
    promotion_code: null,
    source: { coupon: record.coupon, type: 'coupon' },
    start: record.start,
    subscription: null,
    subscription_item: null,
  }
}

function mapped<T>(
  amounts: Readonly<Record<string, number>>,
  shown: (amount: number) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(amounts).map(([code, amount]) => [code, shown(amount)]))
}

/** What expanding `applies_to` and `currency_options` of a coupon adds. */
export function couponDetail(record: CouponRecord, field: 'applies_to' | 'currency_options'): object | null {
  if (field === 'applies_to') return record.appliesTo ? { products: record.appliesTo } : null
  const others = record.amountOffByCurrency
  return others ? mapped(others, (amount) => ({ amount_off: amount })) : null
}

/** Whether anybody can still redeem the code: Stripe shows it inactive otherwise. */
export function isRedeemable(reads: Reads, code: PromotionCodeRecord): boolean {
  const now = reads.nowSeconds()
  const coupon = reads.get('coupons', code.coupon)
  if (!code.active || !coupon || !isValid(coupon, now)) return false
  if (code.expiresAt !== null && code.expiresAt <= now) return false
  return code.maxRedemptions === null || code.timesRedeemed < code.maxRedemptions
}

/** Whether the coupon can still be redeemed. */
export function isValid(record: CouponRecord, now: number): boolean {
  if (record.deleted || (record.redeemBy !== null && record.redeemBy <= now)) return false
  return record.maxRedemptions === null || record.timesRedeemed < record.maxRedemptions
}

/** The coupon of that id, or the 400 that a parameter naming another gets. */
export function requireCoupon(reads: Reads, id: string, param: string): CouponRecord {
  const coupon = reads.get('coupons', id)
  if (!coupon || coupon.deleted) throw noSuch('coupon', id, { param, inBody: true })
  if (!isValid(coupon, reads.nowSeconds())) {
    throw invalidRequest(`Coupon expired: ${id}`, { code: 'coupon_expired', param })
  }
  return coupon
}

export function discountOf(reads: Reads, customer: string): DiscountRecord | undefined {
  for (const discount of reads.table('discounts').newestFirst()) {
    if (discount.customer === customer) return discount
  }
  return undefined
}
