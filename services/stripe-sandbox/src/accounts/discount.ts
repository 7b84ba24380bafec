import { emit } from '../events/event.ts'
import { newId } from '../ids.ts'
import type { DiscountRecord } from '../store/account-records.ts'
import type { Tx } from '../store/store.ts'
import { discountOf, renderDiscount, requireCoupon } from './coupon.ts'

const MONTH_S = 30 * 86_400

/** Gives the customer that coupon, another one instead of the present, or none when `couponId` is null. */
export function changeDiscount(tx: Tx, customer: string, couponId: string | null): void {
  const before = discountOf(tx, customer)
  if (couponId === null) {
    if (before) takeDiscount(tx, before)
    return
  }
  const coupon = requireCoupon(tx, couponId, 'coupon')
  const months = coupon.duration === 'repeating' ? (coupon.durationInMonths ?? 0) : null
  if (before) tx.remove('discounts', before.id)
  const discount = tx.put('discounts', {
    id: newId('di', 24),
    coupon: coupon.id,
    customer,
    start: tx.now,
    end: months === null ? null : tx.now + months * MONTH_S,
  })
  tx.put('coupons', { ...coupon, timesRedeemed: coupon.timesRedeemed + 1 })
  if (before) {
    emit(tx, 'customer.discount.updated', renderDiscount(discount), {
      id: before.id,
      source: { coupon: before.coupon, type: 'coupon' },
    })
  } else {
    emit(tx, 'customer.discount.created', renderDiscount(discount))
  }
}

/** Takes a customer's discount away and tells so. */
export function takeDiscount(tx: Tx, discount: DiscountRecord): void {
  tx.remove('discounts', discount.id)
  emit(tx, 'customer.discount.deleted', renderDiscount(discount))
}
