import { invalidRequest, missingParameter, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { ADDRESS, addressOf, shippingOf } from '../http/address.ts'
import { LIST, LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import type { MetadataChange, Params } from '../http/params.ts'
import {
  changeMetadata,
  choice,
  currency,
  email,
  flag,
  integer,
  list,
  metadata,
  object,
  only,
  sentOr,
  text,
  unknownParameters,
} from '../http/params.ts'
import { isBefore } from '../http/version.ts'
import { render } from '../resources.ts'
import type { CustomerRecord, PriceRecord, ProductRecord } from '../store/account-records.ts'
import type { Tx } from '../store/store.ts'
import { resolvePaymentMethod } from '../payments/payment-method.ts'
import { newCustomer, newPrice, newProduct } from './catalog.ts'
import { priceOf, PRICED, PRODUCT, RECURRING, productOf } from './catalog-params.ts'
import { changeDiscount } from './discount.ts'
import { addSource } from './add-source.ts'

const CUSTOMER = {
  address: ADDRESS,
  balance: integer(),
  /** Before 2025-03-31; now customers have no coupon. */
  coupon: text(),
  description: text(),
  email: email(),
  invoice_settings: object({ default_payment_method: text(), footer: text() }),
  metadata: metadata(),
  name: text(256),
  phone: text(20),
  preferred_locales: list(text()),
  shipping: object({ address: ADDRESS, name: text(), phone: text() }),
  source: text(),
  tax_exempt: choice('exempt', 'none', 'reverse'),
}

const PRICE = {
  active: flag(),
  lookup_key: text(),
  metadata: metadata(),
  nickname: text(),
}

export const catalogOperations: readonly Operation[] = [
  operation('POST /v1/customers', { ...CUSTOMER, payment_method: text() }, (tx, { params, version }) => {
    refuseOldCoupon(params, version)
    const customer = newCustomer(tx, customerOf(tx, params, {}))
    emit(tx, 'customer.created', render(tx, 'customers', customer))
    if (params.coupon) changeDiscount(tx, customer.id, params.coupon)
    if (params.source) addSource(tx, customer.id, params.source)
    if (params.payment_method) attachTo(tx, params.payment_method, customer.id)
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
    const changed = tx.put('customers', { ...customer, ...customerOf(tx, params, customer) })
    if (params.source) addSource(tx, id, params.source)
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
  operation(
    'GET /v1/customers/:id/payment_methods',
    { ...LIST, type: text() },
    (tx, { id, params, path }) => {
      if (!tx.get('customers', id)) throw noSuch('customer', id, { param: 'customer' })
      return listPage(tx, 'payment_methods', {
        url: path,
        params,
        noun: 'PaymentMethod',
        keep: (row) => row.customer === id && (!params.type || row.type === params.type),
      })
    },
  ),
  operation(
    'POST /v1/products',
    { ...PRODUCT, default_price_data: object({ ...PRICED, metadata: metadata() }), id: text() },
    (tx, { params }) => {
      if (!params.name) throw missingParameter('name')
      if (params.id && tx.get('products', params.id)) {
        throw invalidRequest('Product already exists.', { code: 'resource_already_exists', param: 'id' })
      }
      const asked = { ...productOf(params), ...(params.id ? { id: params.id } : {}) }
      const product = withDefaultPrice(tx, newProduct(tx, { ...asked, name: params.name }), params)
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
    const changed = tx.put('products', { ...product, ...productOf(params, product), updated: tx.now })
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
      ...PRICED,
      recurring: object({ ...RECURRING, usage_type: only(text(), 'licensed') }),
      product: text(),
      product_data: object({
        active: flag(),
        id: text(),
        metadata: metadata(),
        name: text(250),
        unit_label: text(),
      }),
    },
    (tx, { params }) => {
      const asked = priceOf(params, (name) => name)
      const price = newPrice(tx, {
        ...asked,
        product: productOfPrice(tx, params),
        active: params.active ?? true,
        nickname: params.nickname ?? null,
        lookupKey: params.lookup_key ?? null,
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
  operation('POST /v1/prices/:id', { ...PRICE, tax_behavior: PRICED.tax_behavior }, (tx, { id, params }) => {
    const price = findPrice(tx, id)
    const changed = tx.put('prices', {
      ...price,
      active: params.active ?? price.active,
      lookupKey: sentOr(params.lookup_key, price.lookupKey),
      nickname: sentOr(params.nickname, price.nickname),
      ...(params.tax_behavior ? { taxBehavior: params.tax_behavior } : {}),
      metadata: changeMetadata(price.metadata, params.metadata),
    })
    emit(tx, 'price.updated', render(tx, 'prices', changed), { metadata: price.metadata })
    return render(tx, 'prices', changed)
  }),
]

type CustomerParams = Params<typeof CUSTOMER> & { readonly payment_method?: string | null }

/** What was sent of a customer; the rest stays as it is `before`. */
function customerOf(
  tx: Tx,
  params: CustomerParams,
  before: Partial<CustomerRecord>,
): Partial<CustomerRecord> {
  const { shipping, invoice_settings: invoices } = params
  const method = invoices?.default_payment_method
  if (method && !tx.get('payment_methods', method)) {
    const param = 'invoice_settings[default_payment_method]'
    throw noSuch('PaymentMethod', method, { param, inBody: true })
  }
  return {
    ...(params.address === undefined ? {} : { address: addressOf(params.address) }),
    ...(params.balance === undefined ? {} : { balance: params.balance ?? 0 }),
    email: sentOr(params.email, before.email ?? null),
    name: sentOr(params.name, before.name ?? null),
    phone: sentOr(params.phone, before.phone ?? null),
    description: sentOr(params.description, before.description ?? null),
    ...(invoices?.footer === undefined ? {} : { footer: invoices.footer }),
    defaultPaymentMethod: sentOr(method, before.defaultPaymentMethod ?? null),
    ...(params.preferred_locales === undefined ? {} : { preferredLocales: params.preferred_locales ?? [] }),
    ...(shipping === undefined ? {} : { shipping: shippingOf(shipping) }),
    ...(params.tax_exempt === undefined ? {} : { taxExempt: params.tax_exempt ?? 'none' }),
    metadata: changeMetadata(before.metadata ?? {}, params.metadata),
  }
}

function attachTo(tx: Tx, id: string, customer: string): void {
  const method = resolvePaymentMethod(tx, id, {})
  const attached = tx.put('payment_methods', { ...method, customer })
  emit(tx, 'payment_method.attached', render(tx, 'payment_methods', attached))
}

function withDefaultPrice(
  tx: Tx,
  product: ProductRecord,
  params: {
    readonly default_price_data?: (Params<typeof PRICED> & { metadata?: MetadataChange | null }) | null
  },
): ProductRecord {
  const data = params.default_price_data
  if (!data) return product
  const asked = priceOf(data, (name) => `default_price_data[${name}]`)
  const price = newPrice(tx, {
    ...asked,
    product: product.id,
    metadata: changeMetadata({}, data.metadata),
  })
  emit(tx, 'price.created', render(tx, 'prices', price))
  return tx.put('products', { ...product, defaultPrice: price.id })
}

function productOfPrice(
  tx: Tx,
  params: {
    readonly product?: string | null
    readonly product_data?: (Partial<Params<typeof PRODUCT>> & { readonly id?: string | null }) | null
  },
): string {
  if (params.product) {
    if (tx.get('products', params.product)) return params.product
    throw noSuch('product', params.product, { param: 'product', inBody: true })
  }
  const data = params.product_data
  if (!data?.name) throw missingParameter('product')
  if (data.id && tx.get('products', data.id)) {
    throw invalidRequest('Product already exists.', {
      code: 'resource_already_exists',
      param: 'product_data[id]',
    })
  }
  return newProduct(tx, { ...productOf(data), ...(data.id ? { id: data.id } : {}), name: data.name }).id
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
