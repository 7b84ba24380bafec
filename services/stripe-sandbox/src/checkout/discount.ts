import { isRedeemable, isValid } from '../accounts/coupon.ts'
import { minimumOf, stepOf, symbolText } from '../money.ts'
import type { CouponRecord, PromotionCodeRecord } from '../store/account-records.ts'
import type { LineItemRecord, SessionRecord } from '../store/records.ts'
import type { Reads } from '../store/store.ts'
import { subtotalOf, totalOf } from './session.ts'

export type Offer = { readonly coupon: CouponRecord; readonly code: PromotionCodeRecord | null }

/** Why a coupon or code does not lower this Session. */
export type Refusal = {
  readonly why: 'expired' | 'elsewhere' | 'minimum' | 'too_small'
  readonly message: string
}

/** The line items with what the coupon takes off each; none is taken below zero, and the parts add up exactly. */
export function discountedItems(
  reads: Reads,
  session: SessionRecord,
  coupon: CouponRecord,
): LineItemRecord[] {
  const amounts = session.lineItems.map((item) =>
    isCovered(reads, item, coupon) ? item.unitAmount * item.quantity : 0,
  )
  const base = amounts.reduce((sum, amount) => sum + amount, 0)
  // In steps, so that no line is left with a part that its currency does not have.
  const step = stepOf(session.currency)
  const parts = shares(
    savingOn(base, coupon, session.currency) / step,
    amounts.map((amount) => amount / step),
  ).map((part) => part * step)
  return session.lineItems.map(({ discounted: _before, ...item }, index) => {
    const part = parts[index] ?? 0
    return part === 0 ? item : { ...item, discounted: part }
  })
}

/** What the coupon takes off `base`; null when it has no amount in that currency. */
function savingOn(base: number, coupon: CouponRecord, currency: string): number {
  const step = stepOf(currency)
  if (coupon.percentOff !== null) return Math.round((base * coupon.percentOff) / 100 / step) * step
  return Math.min(base, amountOffIn(coupon, currency) ?? 0)
}

function amountOffIn(coupon: CouponRecord, currency: string): number | null {
  return coupon.currency === currency ? coupon.amountOff : (coupon.amountOffByCurrency?.[currency] ?? null)
}

/** `whole` split in proportion to the amounts, by largest remainder. */
export function shares(whole: number, amounts: readonly number[]): number[] {
  const base = amounts.reduce((sum, amount) => sum + amount, 0)
  if (base === 0) return amounts.map(() => 0)
  const exact = amounts.map((amount) => (whole / base) * amount)
  const parts = exact.map(Math.floor)
  let rest = whole - parts.reduce((sum, part) => sum + part, 0)
  const byRemainder = [...exact.entries()].toSorted(
    ([a, left], [b, right]) => right - Math.floor(right) - (left - Math.floor(left)) || a - b,
  )
  for (const [index] of byRemainder) {
    if (rest <= 0) break
    if ((parts[index] ?? 0) >= (amounts[index] ?? 0)) continue
    parts[index] = (parts[index] ?? 0) + 1
    rest--
  }
  return parts
}

function isCovered(reads: Reads, item: LineItemRecord, coupon: CouponRecord): boolean {
  if (!coupon.appliesTo) return true
  return coupon.appliesTo.includes(reads.get('prices', item.price)?.product ?? '')
}

/** Why the offer cannot be taken here, or null when it can. */
export function refusalOfOffer(
  reads: Reads,
  session: SessionRecord,
  { coupon, code }: Offer,
): Refusal | null {
  const { currency } = session
  if (!isValid(coupon, reads.nowSeconds())) return { why: 'expired', message: `Coupon expired: ${coupon.id}` }
  if (code && !isRedeemable(reads, code))
    return { why: 'expired', message: `This promotion code (${code.id}) is no longer active.` }
  if (code && code.customer !== null && code.customer !== session.customer)
    return { why: 'elsewhere', message: 'This promotion code belongs to another customer.' }
  if (code?.firstTimeTransaction && hasPaid(reads, session.customer))
    return {
      why: 'elsewhere',
      message: 'This promotion code cannot be redeemed because the customer has prior transactions.',
    }
  const minimum = code && minimumIn(code, currency)
  if (code && minimum === undefined)
    return { why: 'elsewhere', message: `The minimum of this promotion code is not in ${currency}.` }
  if (minimum && subtotalOf(session) < minimum)
    return {
      why: 'minimum',
      message: `This promotion code needs a purchase of at least ${symbolText(minimum, currency)}.`,
    }
  if (coupon.percentOff === null && amountOffIn(coupon, currency) === null)
    return {
      why: 'elsewhere',
      message: `The coupon's currency (${coupon.currency}) is not that of the Checkout Session (${currency}).`,
    }
  return refusalOfResult(reads, session, coupon)
}

function refusalOfResult(reads: Reads, session: SessionRecord, coupon: CouponRecord): Refusal | null {
  if (!session.lineItems.some((item) => isCovered(reads, item, coupon)))
    return { why: 'elsewhere', message: "The coupon does not apply to any of the Session's products." }
  const total = totalOf({ lineItems: discountedItems(reads, session, coupon) })
  const minimum = minimumOf(session.currency)
  if (total === 0 || total >= minimum) return null
  return {
    why: 'too_small',
    message: `The Checkout Session's total amount due must add up to at least ${symbolText(minimum, session.currency)} ${session.currency}`,
  }
}

// null: no minimum; undefined: one, but not in this currency.
function minimumIn(code: PromotionCodeRecord, currency: string): number | null | undefined {
  if (code.minimumAmount === null) return null
  return code.minimumAmountCurrency === currency ? code.minimumAmount : code.minimumByCurrency?.[currency]
}

function hasPaid(reads: Reads, customer: string | null): boolean {
  if (customer === null) return false
  for (const intent of reads.table('payment_intents').newestFirst())
    if (intent.customer === customer && intent.status === 'succeeded') return true
  return false
}
