import { isRedeemable, isValid, requireCoupon } from '../accounts/coupon.ts'
import { invalidParameter, invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { newId } from '../ids.ts'
import type { PromotionCodeRecord } from '../store/account-records.ts'
import type { SessionRecord } from '../store/records.ts'
import type { Reads, Tx } from '../store/store.ts'
import type { Offer, Refusal } from './discount.ts'
import { discountedItems, refusalOfOffer } from './discount.ts'
import { totalOf } from './session.ts'

type Asked = {
  readonly allow_promotion_codes?: boolean | null
  readonly discounts?:
    | readonly { readonly coupon?: string | null; readonly promotion_code?: string | null }[]
    | null
}

/** The new Session with the discount that the merchant asks for, or the 400 that says why there is none. */
export function withAskedDiscount(tx: Tx, session: SessionRecord, asked: Asked): SessionRecord {
  // Stripe refuses the pair even when one of them is false or empty.
  if (asked.discounts !== undefined && asked.allow_promotion_codes !== undefined) {
    throw invalidParameter(
      'You may only specify one of these parameters: allow_promotion_codes, discounts.',
      { param: 'allow_promotion_codes' },
    )
  }
  const [discount] = asked.discounts ?? []
  if (!discount) return session
  const offer = offerOf(tx, discount)
  const refusal = refusalOfOffer(tx, session, offer)
  if (refusal) {
    const code = { expired: 'coupon_expired', too_small: 'amount_too_small' }[refusal.why as string]
    throw invalidRequest(refusal.message, { ...(code ? { code } : {}), param: 'discounts' })
  }
  return discounted(tx, session, offer)
}

function offerOf(tx: Tx, asked: { coupon?: string | null; promotion_code?: string | null }): Offer {
  if (asked.coupon && asked.promotion_code) {
    throw invalidParameter('You may only specify one of these parameters: coupon, promotion_code.', {
      param: 'discounts[0]',
    })
  }
  if (asked.coupon) return { coupon: requireCoupon(tx, asked.coupon, 'discounts[0][coupon]'), code: null }
  if (!asked.promotion_code) throw missingParameter('discounts[0][coupon]')
  const param = 'discounts[0][promotion_code]'
  const code = tx.get('promotion_codes', asked.promotion_code)
  if (!code) throw noSuch('promotion code', asked.promotion_code, { param, inBody: true })
  return { coupon: requireCoupon(tx, code.coupon, param), code }
}

/** The payer types a code: the Session becomes cheaper, or stays as it is and the reason comes back. */
export function applyPromotionCode(tx: Tx, session: SessionRecord, typed: string): Refusal | null {
  if (session.status !== 'open')
    throw invalidRequest(`This Checkout Session has a status of \`${session.status}\`.`)
  if (!session.allowPromotionCodes)
    throw invalidRequest('This Checkout Session does not take promotion codes.', { param: 'code' })
  const code = promotionCodeOf(tx, typed)
  const coupon = code && tx.get('coupons', code.coupon)
  if (!code || !coupon) return { why: 'elsewhere', message: `No such promotion code: '${typed}'` }
  const refusal = refusalOfOffer(tx, session, { coupon, code })
  if (refusal === null) tx.put('sessions', discounted(tx, session, { coupon, code }))
  return refusal
}

/** The payer takes the code away again. */
export function removePromotionCode(tx: Tx, session: SessionRecord): void {
  if (session.status !== 'open' || !session.allowPromotionCodes) return
  const lineItems = session.lineItems.map(({ discounted: _gone, ...item }) => item)
  tx.put('sessions', priced({ ...session, lineItems, discount: null }))
}

// Of codes that were used up and made again the newest counts.
function promotionCodeOf(reads: Reads, typed: string): PromotionCodeRecord | undefined {
  const wanted = typed.trim().toLowerCase()
  for (const code of reads.table('promotion_codes').newestFirst())
    if (code.code.toLowerCase() === wanted) return code
  return undefined
}

function discounted(tx: Tx, session: SessionRecord, { coupon, code }: Offer): SessionRecord {
  return priced({
    ...session,
    lineItems: discountedItems(tx, session, coupon),
    discount: {
      id: newId('di', 24),
      start: tx.now,
      coupon: coupon.id,
      promotionCode: code?.id ?? null,
      label: code?.code ?? coupon.name ?? coupon.id,
    },
  })
}

function priced(session: SessionRecord): SessionRecord {
  return { ...session, paymentStatus: totalOf(session) === 0 ? 'no_payment_required' : 'unpaid' }
}

/**
 * Why the Session's discount can no longer be redeemed, or null when it can: between its being granted and the payment,
 * another Session may have taken the last use, or its time may have run out.
 */
export function lostDiscount(reads: Reads, { discount }: SessionRecord): string | null {
  if (!discount) return null
  const code = reads.get('promotion_codes', discount.promotionCode ?? '')
  if (code && !isRedeemable(reads, code)) return `This promotion code (${code.id}) is no longer active.`
  const coupon = reads.get('coupons', discount.coupon)
  return coupon && isValid(coupon, reads.nowSeconds()) ? null : `Coupon expired: ${discount.coupon}`
}

/** A completed Session counts as one redemption of its coupon and of its code. */
export function redeem(tx: Tx, { discount }: SessionRecord): void {
  if (!discount) return
  const coupon = tx.get('coupons', discount.coupon)
  if (coupon) tx.put('coupons', { ...coupon, timesRedeemed: coupon.timesRedeemed + 1 })
  const code = tx.get('promotion_codes', discount.promotionCode ?? '')
  if (code) tx.put('promotion_codes', { ...code, timesRedeemed: code.timesRedeemed + 1 })
}
