import { invalidParameter, missingParameter } from '../errors.ts'
import type { Params } from '../http/params.ts'
import {
  changeMetadata,
  choice,
  currency,
  flag,
  integer,
  list,
  metadata,
  object,
  text,
} from '../http/params.ts'
import type { PriceRecord, ProductRecord } from '../store/account-records.ts'

// Products and prices are described in their own routes, inside each other, and inside the lines of a Session.

/** What every place says of a product. */
export const PRODUCT_NAMED = {
  description: text(),
  images: list(text(), 8),
  metadata: metadata(),
  name: text(250),
  tax_code: text(),
  unit_label: text(),
}

export const PRODUCT = {
  ...PRODUCT_NAMED,
  active: flag(),
  marketing_features: list(object({ name: text(80) }), 15),
  shippable: flag(),
  url: text(),
}

export const RECURRING = {
  interval: choice('day', 'month', 'week', 'year'),
  interval_count: integer({ min: 1 }),
}

/** An amount and how it comes about. */
export const PRICED = {
  currency: currency(),
  recurring: object(RECURRING),
  tax_behavior: choice('exclusive', 'inclusive', 'unspecified'),
  unit_amount: integer({ min: 0 }),
  unit_amount_decimal: text(),
}

type ProductAsked = Partial<Params<typeof PRODUCT>>
type PriceAsked = Params<typeof PRICED>

/** The product as asked for; what was not sent stays as it is `before`. */
export function productOf(asked: ProductAsked, before: Partial<ProductRecord> = {}): Partial<ProductRecord> {
  const { marketing_features: features } = asked
  return {
    ...(asked.name ? { name: asked.name } : {}),
    ...(typeof asked.active === 'boolean' ? { active: asked.active } : {}),
    ...(asked.description === undefined ? {} : { description: asked.description }),
    ...(asked.images === undefined ? {} : { images: asked.images ?? [] }),
    ...(features === undefined ? {} : { marketingFeatures: (features ?? []).map(({ name }) => name ?? '') }),
    ...(asked.shippable === undefined ? {} : { shippable: asked.shippable }),
    ...(asked.tax_code === undefined ? {} : { taxCode: asked.tax_code }),
    ...(asked.unit_label === undefined ? {} : { unitLabel: asked.unit_label }),
    ...(asked.url === undefined ? {} : { url: asked.url }),
    metadata: changeMetadata(before.metadata ?? {}, asked.metadata),
  }
}

/** The amount, currency and rhythm of a price, or the 400 that names what is missing; `path` ends before the name. */
export function priceOf(
  asked: PriceAsked,
  at: (name: string) => string,
): Pick<PriceRecord, 'currency' | 'unitAmount'> & Partial<PriceRecord> {
  if (!asked.currency) throw missingParameter(at('currency'))
  return {
    currency: asked.currency,
    unitAmount: unitAmountOf(asked, at),
    ...(asked.tax_behavior ? { taxBehavior: asked.tax_behavior } : {}),
    ...(asked.recurring ? { recurring: recurringOf(asked.recurring, at) } : {}),
  }
}

function unitAmountOf(asked: PriceAsked, at: (name: string) => string): number {
  if (typeof asked.unit_amount === 'number') return asked.unit_amount
  const decimal = asked.unit_amount_decimal
  if (!decimal) throw missingParameter(at('unit_amount'))
  if (!/^\d{1,12}(\.0+)?$/.test(decimal)) {
    throw invalidParameter('The sandbox only takes whole minor units.', { param: at('unit_amount_decimal') })
  }
  return Number(decimal)
}

function recurringOf(
  asked: NonNullable<PriceAsked['recurring']>,
  at: (name: string) => string,
): NonNullable<PriceRecord['recurring']> {
  if (!asked.interval) throw missingParameter(at('recurring[interval]'))
  return { interval: asked.interval, intervalCount: asked.interval_count ?? 1 }
}
