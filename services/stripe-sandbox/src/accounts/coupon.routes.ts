import { invalidParameter, invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import type { Params } from '../http/params.ts'
import {
  byCurrency,
  changeMetadata,
  choice,
  currency,
  decimal,
  flag,
  integer,
  list,
  metadata,
  object,
  text,
  unknownParameters,
} from '../http/params.ts'
import { isBefore } from '../http/version.ts'
import { newId, newNumberedId, randomText } from '../ids.ts'
import { requireStep } from '../money.ts'
import { render } from '../resources.ts'
import type { CouponRecord, DiscountRecord, PromotionCodeRecord } from '../store/account-records.ts'
import type { Reads, Tx } from '../store/store.ts'
import { discountOf, isRedeemable, requireCoupon } from './coupon.ts'
import { takeDiscount } from './discount.ts'

const AMOUNTS_OFF = byCurrency({ amount_off: integer({ min: 1 }) })
const MINIMUMS = byCurrency({ minimum_amount: integer({ min: 1 }) })

const COUPON = {
  amount_off: integer({ min: 1 }),
  applies_to: object({ products: list(text()) }),
  currency: currency(),
  currency_options: AMOUNTS_OFF,
  duration: choice('forever', 'once', 'repeating'),
  duration_in_months: integer({ min: 1 }),
  id: text(500),
  max_redemptions: integer({ min: 1 }),
  metadata: metadata(),
  name: text(40),
  percent_off: decimal({ above: 0, max: 100 }),
  redeem_by: integer(),
}

const PROMOTION_CODE = {
  active: flag(),
  code: text(500),
  /** Before 2025-09-30; now `promotion`. */
  coupon: text(),
  customer: text(),
  expires_at: integer(),
  max_redemptions: integer({ min: 1 }),
  metadata: metadata(),
  promotion: object({ coupon: text(), type: choice('coupon') }),
  restrictions: object({
    currency_options: MINIMUMS,
    first_time_transaction: flag(),
    minimum_amount: integer({ min: 1 }),
    minimum_amount_currency: currency(),
  }),
}

export const couponOperations: readonly Operation[] = [
  operation('POST /v1/coupons', COUPON, (tx, { params }) => {
    const coupon = tx.put('coupons', newCoupon(tx, params))
    emit(tx, 'coupon.created', render(tx, 'coupons', coupon))
    return render(tx, 'coupons', coupon)
  }),
  operation('GET /v1/coupons', LIST_CREATED, (tx, { params, path }) =>
    listPage(tx, 'coupons', { url: path, params, noun: 'coupon', keep: (row) => !row.deleted }),
  ),
  operation('GET /v1/coupons/:id', {}, (tx, { id }) => render(tx, 'coupons', findCoupon(tx, id))),
  operation(
    'POST /v1/coupons/:id',
    { currency_options: AMOUNTS_OFF, metadata: metadata(), name: text(40) },
    (tx, { id, params }) => {
      const coupon = findCoupon(tx, id)
      const others = amountsOf(params.currency_options, 'amount_off')
      const changed = tx.put('coupons', {
        ...coupon,
        ...(others ? { amountOffByCurrency: { ...coupon.amountOffByCurrency, ...others } } : {}),
        name: params.name === undefined ? coupon.name : params.name,
        metadata: changeMetadata(coupon.metadata, params.metadata),
      })
      emit(tx, 'coupon.updated', render(tx, 'coupons', changed), { metadata: coupon.metadata })
      return render(tx, 'coupons', changed)
    },
  ),
  operation('DELETE /v1/coupons/:id', {}, (tx, { id }) => {
    const coupon = findCoupon(tx, id)
    // The event shows what was deleted, the answer only that it is.
    const last = { ...render(tx, 'coupons', coupon), valid: false }
    emit(tx, 'coupon.deleted', last)
    return render(tx, 'coupons', tx.put('coupons', { ...coupon, deleted: true }))
  }),
  operation('POST /v1/promotion_codes', PROMOTION_CODE, (tx, { params, version }) => {
    if (params.coupon !== undefined && !isBefore(version, '2025-09-30')) throw unknownParameters(['coupon'])
    const code = tx.put('promotion_codes', newPromotionCode(tx, params))
    emit(tx, 'promotion_code.created', render(tx, 'promotion_codes', code))
    return render(tx, 'promotion_codes', code)
  }),
  operation(
    'GET /v1/promotion_codes',
    { ...LIST_CREATED, active: flag(), code: text(), coupon: text(), customer: text() },
    (tx, { params, path }) =>
      listPage(tx, 'promotion_codes', {
        url: path,
        params,
        noun: 'promotion code',
        keep: (row) =>
          (params.active === undefined || isRedeemable(tx, row) === params.active) &&
          (!params.code || row.code.toLowerCase() === params.code.toLowerCase()) &&
          (!params.coupon || row.coupon === params.coupon) &&
          (!params.customer || row.customer === params.customer),
      }),
  ),
  operation('GET /v1/promotion_codes/:id', {}, (tx, { id }) =>
    render(tx, 'promotion_codes', findPromotionCode(tx, id)),
  ),
  operation(
    'POST /v1/promotion_codes/:id',
    {
      active: flag(),
      metadata: metadata(),
      restrictions: object({ currency_options: MINIMUMS }),
    },
    (tx, { id, params }) => {
      const code = findPromotionCode(tx, id)
      const others = amountsOf(params.restrictions?.currency_options, 'minimum_amount')
      const changed = tx.put('promotion_codes', {
        ...code,
        ...(others ? { minimumByCurrency: { ...code.minimumByCurrency, ...others } } : {}),
        active: params.active ?? code.active,
        metadata: changeMetadata(code.metadata, params.metadata),
      })
      emit(tx, 'promotion_code.updated', render(tx, 'promotion_codes', changed), {
        active: code.active,
        metadata: code.metadata,
      })
      return render(tx, 'promotion_codes', changed)
    },
  ),
  operation('GET /v1/customers/:id/discount', {}, (tx, { id }) =>
    render(tx, 'discounts', requireDiscount(tx, id)),
  ),
  operation('DELETE /v1/customers/:id/discount', {}, (tx, { id }) => {
    const discount = requireDiscount(tx, id)
    takeDiscount(tx, discount)
    return { ...render(tx, 'discounts', discount), deleted: true }
  }),
]

function newCoupon(tx: Tx, params: Params<typeof COUPON>): CouponRecord {
  const { percent_off: percent, amount_off: amount } = params
  if (!percent === !amount) {
    throw invalidParameter('You must pass either percent_off or amount_off, and not both.')
  }
  if (amount && !params.currency) throw missingParameter('currency')
  if (amount && params.currency) requireStep(amount, params.currency, 'amount_off')
  if (params.duration === 'repeating' && !params.duration_in_months)
    throw missingParameter('duration_in_months')
  const products = params.applies_to?.products
  for (const [index, product] of (products ?? []).entries()) {
    if (tx.get('products', product)) continue
    throw noSuch('product', product, { param: `applies_to[products][${index}]`, inBody: true })
  }
  const others = amountsOf(params.currency_options, 'amount_off')
  const id = params.id ?? randomText(8)
  const taken = tx.get('coupons', id)
  if (taken && !taken.deleted) {
    throw invalidRequest('Coupon already exists.', { code: 'resource_already_exists', param: 'id' })
  }
  return {
    id,
    created: tx.now,
    amountOff: amount ?? null,
    percentOff: percent ?? null,
    currency: params.currency ?? null,
    duration: params.duration ?? 'once',
    durationInMonths: params.duration_in_months ?? null,
    maxRedemptions: params.max_redemptions ?? null,
    redeemBy: params.redeem_by ?? null,
    timesRedeemed: 0,
    name: params.name ?? null,
    metadata: changeMetadata({}, params.metadata),
    deleted: false,
    ...(products ? { appliesTo: products } : {}),
    ...(others ? { amountOffByCurrency: others } : {}),
  }
}

function amountsOf<K extends string>(
  options: Readonly<Record<string, { readonly [N in K]?: number | null }>> | null | undefined,
  field: K,
): Record<string, number> | undefined {
  if (!options) return undefined
  const amounts = Object.entries(options).map(([code, option]): [string, number] => {
    const amount = option[field]
    if (amount === undefined || amount === null) throw missingParameter(`currency_options[${code}][${field}]`)
    requireStep(amount, code, `currency_options[${code}][${field}]`)
    return [code, amount]
  })
  return Object.fromEntries(amounts)
}

function newPromotionCode(tx: Tx, params: Params<typeof PROMOTION_CODE>): PromotionCodeRecord {
  const param = params.coupon === undefined ? 'promotion[coupon]' : 'coupon'
  const couponId = params.coupon ?? params.promotion?.coupon
  if (!couponId) throw missingParameter(param)
  const coupon = requireCoupon(tx, couponId, param)
  const code = params.code ?? newId('', 8).slice(1).toUpperCase()
  for (const row of tx.table('promotion_codes').newestFirst()) {
    if (isRedeemable(tx, row) && row.code.toLowerCase() === code.toLowerCase()) {
      throw invalidRequest('An active promotion code with this code already exists.', {
        code: 'resource_already_exists',
        param: 'code',
      })
    }
  }
  if (params.customer && !tx.get('customers', params.customer))
    throw noSuch('customer', params.customer, { param: 'customer', inBody: true })
  const minimums = amountsOf(params.restrictions?.currency_options, 'minimum_amount')
  if (params.restrictions?.minimum_amount && !params.restrictions.minimum_amount_currency)
    throw missingParameter('restrictions[minimum_amount_currency]')
  return {
    id: newNumberedId('promo'),
    created: tx.now,
    active: params.active ?? true,
    code,
    coupon: coupon.id,
    customer: params.customer ?? null,
    expiresAt: params.expires_at ?? null,
    maxRedemptions: params.max_redemptions ?? null,
    timesRedeemed: 0,
    firstTimeTransaction: params.restrictions?.first_time_transaction ?? false,
    minimumAmount: params.restrictions?.minimum_amount ?? null,
    minimumAmountCurrency: params.restrictions?.minimum_amount_currency ?? null,
    ...(minimums ? { minimumByCurrency: minimums } : {}),
    metadata: changeMetadata({}, params.metadata),
  }
}

function findCoupon(reads: Reads, id: string): CouponRecord {
  const coupon = reads.get('coupons', id)
  if (!coupon || coupon.deleted) throw noSuch('coupon', id, { param: 'coupon' })
  return coupon
}

function findPromotionCode(reads: Reads, id: string): PromotionCodeRecord {
  const code = reads.get('promotion_codes', id)
  if (!code) throw noSuch('promotion code', id, { param: 'promotion_code' })
  return code
}

function requireDiscount(reads: Reads, customer: string): DiscountRecord {
  const discount = discountOf(reads, customer)
  if (!discount) throw noSuch('discount for customer', customer, { param: 'customer' })
  return discount
}
