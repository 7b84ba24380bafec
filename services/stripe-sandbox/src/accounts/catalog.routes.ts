import { invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { LIST, LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import {
  anything,
  changeMetadata,
  choice,
  currency,
  email,
  flag,
  integer,
  list,
  metadata,
  object,
  text,
  unknownParameters,
} from '../http/params.ts'
import { isBefore } from '../http/version.ts'
import { render } from '../resources.ts'
import type { CustomerRecord, PriceRecord, ProductRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { newCustomer, newPrice, newProduct } from './catalog.ts'
import { changeDiscount } from './discount.ts'
import { addSource } from './add-source.ts'

const CUSTOMER = {
  address: anything(),
  balance: integer(),
  /** Before 2025-03-31; now customers have no coupon. */
  coupon: text(),
  description: text(),
  email: email(),
  invoice_settings: object({ custom_fields: anything(), default_payment_method: text(), footer: text() }),
  metadata: metadata(),
  name: text(256),
  phone: text(20),
  preferred_locales: list(text()),
  shipping: anything(),
  source: text(),
  tax_exempt: text(),
}

const PRODUCT = {
  active: flag(),
  description: text(),
  images: list(text(), 8),
  marketing_features: anything(),
  metadata: metadata(),
  name: text(),
  shippable: flag(),
  tax_code: text(),
  unit_label: text(),
  url: text(),
}

const PRICE = {
  active: flag(),
  lookup_key: text(),
  metadata: metadata(),
  nickname: text(),
  tax_behavior: text(),
}

export const catalogOperations: readonly Operation[] = [
  operation('POST /v1/customers', { ...CUSTOMER, payment_method: text() }, (tx, { params, version }) => {
    refuseOldCoupon(params, version)
    const customer = newCustomer(tx, {
      email: params.email ?? null,
      name: params.name ?? null,
      phone: params.phone ?? null,
      description: params.description ?? null,
      metadata: changeMetadata({}, params.metadata),
    })
    emit(tx, 'customer.created', render(tx, 'customers', customer))
    if (params.coupon) changeDiscount(tx, customer.id, params.coupon)
    if (params.source) addSource(tx, customer.id, params.source)
    return render(tx, 'customers', customer)
  }),
  operation('GET /v1/customers', { ...LIST_CREATED, email: text() }, (tx, { params, path }) =>
    listPage(tx, 'customers', {
      url: path,
      params,
      noun: 'customer',
      keep: (row) => !row.deleted && (!params.email || row.email === params.email),
    }),
  ),
  operation('GET /v1/customers/:id', {}, (tx, { id }) => render(tx, 'customers', findCustomer(tx, id))),
  operation('POST /v1/customers/:id', CUSTOMER, (tx, { id, params, version }) => {
    refuseOldCoupon(params, version)
    const customer = findCustomer(tx, id)
    const changed = tx.put('customers', {
      ...customer,
      email: params.email === undefined ? customer.email : params.email,
      name: params.name === undefined ? customer.name : params.name,
      phone: params.phone === undefined ? customer.phone : params.phone,
      description: params.description === undefined ? customer.description : params.description,
      defaultPaymentMethod: params.invoice_settings?.default_payment_method ?? customer.defaultPaymentMethod,
      metadata: changeMetadata(customer.metadata, params.metadata),
    })
    if (params.coupon !== undefined) changeDiscount(tx, id, params.coupon)
    emit(tx, 'customer.updated', render(tx, 'customers', changed), { metadata: customer.metadata })
    return render(tx, 'customers', changed)
  }),
  operation('DELETE /v1/customers/:id', {}, (tx, { id }) => {
    const customer = findCustomer(tx, id)
    // The event shows what was deleted, the answer only that it is.
    emit(tx, 'customer.deleted', render(tx, 'customers', customer))
    return render(tx, 'customers', tx.put('customers', { ...customer, deleted: true }))
  }),
  operation('GET /v1/customers/:id/payment_methods', { ...LIST, type: text() }, (tx, { id, params, path }) =>
    listPage(tx, 'payment_methods', {
      url: path,
      params,
      noun: 'PaymentMethod',
      keep: (row) => row.customer === id,
    }),
  ),
  operation(
    'POST /v1/products',
    { ...PRODUCT, default_price_data: anything(), id: text() },
    (tx, { params }) => {
      if (!params.name) throw missingParameter('name')
      if (params.id && tx.get('products', params.id)) {
        throw invalidRequest('Product already exists.', { code: 'resource_already_exists', param: 'id' })
      }
      const product = newProduct(tx, {
        ...(params.id ? { id: params.id } : {}),
        name: params.name,
        active: params.active ?? true,
        description: params.description ?? null,
        images: params.images ?? [],
        metadata: changeMetadata({}, params.metadata),
      })
      emit(tx, 'product.created', render(tx, 'products', product))
      return render(tx, 'products', product)
    },
  ),
  operation('GET /v1/products', { ...LIST_CREATED, active: flag() }, (tx, { params, path }) =>
    listPage(tx, 'products', {
      url: path,
      params,
      noun: 'product',
      keep: (row) => !row.deleted && (params.active === undefined || row.active === params.active),
    }),
  ),
  operation('GET /v1/products/:id', {}, (tx, { id }) => render(tx, 'products', findProduct(tx, id))),
  operation('POST /v1/products/:id', PRODUCT, (tx, { id, params }) => {
    const product = findProduct(tx, id)
    const changed = tx.put('products', {
      ...product,
      updated: tx.now,
      active: params.active ?? product.active,
      name: params.name ?? product.name,
      description: params.description === undefined ? product.description : params.description,
      metadata: changeMetadata(product.metadata, params.metadata),
    })
    emit(tx, 'product.updated', render(tx, 'products', changed), { updated: product.updated })
    return render(tx, 'products', changed)
  }),
  operation('DELETE /v1/products/:id', {}, (tx, { id }) => {
    const product = findProduct(tx, id)
    const last = { ...render(tx, 'products', product), active: false }
    emit(tx, 'product.deleted', last)
    return render(tx, 'products', tx.put('products', { ...product, deleted: true }))
  }),
  operation(
    'POST /v1/prices',
    {
      ...PRICE,
      currency: currency(),
      product: text(),
      product_data: object({
        active: flag(),
        id: text(),
        metadata: metadata(),
        name: text(),
        unit_label: text(),
      }),
      recurring: object({
        interval: choice('day', 'month', 'week', 'year'),
        interval_count: integer({ min: 1 }),
        meter: anything(),
        trial_period_days: anything(),
        usage_type: choice('licensed'),
      }),
      unit_amount: integer({ min: 0 }),
      unit_amount_decimal: text(),
    },
    (tx, { params }) => {
      if (!params.currency) throw missingParameter('currency')
      const unitAmount = params.unit_amount ?? Number(params.unit_amount_decimal ?? Number.NaN)
      if (!Number.isInteger(unitAmount)) throw missingParameter('unit_amount')
      if (!params.product && !params.product_data?.name) throw missingParameter('product')
      if (params.product && !tx.get('products', params.product)) {
        throw noSuch('product', params.product, { param: 'product', inBody: true })
      }
      const product = params.product ?? newProduct(tx, { name: params.product_data?.name ?? '' }).id
      const price = newPrice(tx, {
        currency: params.currency,
        unitAmount,
        product,
        active: params.active ?? true,
        nickname: params.nickname ?? null,
        lookupKey: params.lookup_key ?? null,
        ...(params.recurring ? { recurring: recurringOf(params.recurring) } : {}),
        metadata: changeMetadata({}, params.metadata),
      })
      emit(tx, 'price.created', render(tx, 'prices', price))
      return render(tx, 'prices', price)
    },
  ),
  operation(
    'GET /v1/prices',
    { ...LIST_CREATED, active: flag(), currency: currency(), product: text(), lookup_keys: list(text(), 10) },
    (tx, { params, path }) =>
      listPage(tx, 'prices', {
        url: path,
        params,
        noun: 'price',
        keep: (row) =>
          (!params.product || row.product === params.product) &&
          (!params.currency || row.currency === params.currency) &&
          (params.active === undefined || row.active === params.active) &&
          (!params.lookup_keys || params.lookup_keys.includes(row.lookupKey ?? '')),
      }),
  ),
  operation('GET /v1/prices/:id', {}, (tx, { id }) => render(tx, 'prices', findPrice(tx, id))),
  operation('POST /v1/prices/:id', PRICE, (tx, { id, params }) => {
    const price = findPrice(tx, id)
    const changed = tx.put('prices', {
      ...price,
      active: params.active ?? price.active,
      nickname: params.nickname === undefined ? price.nickname : params.nickname,
      metadata: changeMetadata(price.metadata, params.metadata),
    })
    emit(tx, 'price.updated', render(tx, 'prices', changed), { metadata: price.metadata })
    return render(tx, 'prices', changed)
  }),
]

function recurringOf(asked: {
  interval?: NonNullable<PriceRecord['recurring']>['interval'] | null
  interval_count?: number | null
}): NonNullable<PriceRecord['recurring']> {
  if (!asked.interval) throw missingParameter('recurring[interval]')
  return { interval: asked.interval, intervalCount: asked.interval_count ?? 1 }
}

function refuseOldCoupon(params: { coupon?: unknown }, version: string): void {
  if (params.coupon !== undefined && !isBefore(version, '2025-03-31')) throw unknownParameters(['coupon'])
}

function findCustomer(tx: Tx, id: string): CustomerRecord {
  const customer = tx.get('customers', id)
  if (!customer) throw noSuch('customer', id, { param: 'id' })
  return customer
}

function findProduct(tx: Tx, id: string): ProductRecord {
  const product = tx.get('products', id)
  if (!product) throw noSuch('product', id, { param: 'id' })
  return product
}

function findPrice(tx: Tx, id: string): PriceRecord {
  const price = tx.get('prices', id)
  if (!price) throw noSuch('price', id, { param: 'price' })
  return price
}
