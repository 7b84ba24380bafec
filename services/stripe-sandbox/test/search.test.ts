// Stripe's search: its query language, what it finds, and what it says of a query that it cannot read.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type Stripe from 'stripe'
import type { World } from './merchant.ts'
import { control, failure, startWorld } from './merchant.ts'

let world: World
let stripe: Stripe
before(async () => {
  world = await startWorld()
  stripe = world.stripe
})
after(() => world.stop())

const pay = (amount: number, metadata: Record<string, string>, currency = 'eur') =>
  stripe.paymentIntents.create({ amount, currency, metadata, payment_method: 'pm_card_visa', confirm: true })
const found = async (query: string): Promise<number[]> => {
  const { data } = await stripe.paymentIntents.search({ query, limit: 100 })
  return data.map(({ amount }) => amount).toSorted((one, other) => one - other)
}

describe('a search', () => {
  before(async () => {
    await pay(1000, { order: "it's 7" })
    await pay(2000, { order: 'Eight', gift: 'yes' })
    await pay(3000, { order: 'eighteen' }, 'usd')
    await stripe.paymentIntents.create({ amount: 4000, currency: 'usd' })
  })

  test('finds by field and by metadata, exactly, in part, by size, absent, not, and any of several', async () => {
    assert.deepEqual(await found("status:'succeeded'"), [1000, 2000, 3000])
    assert.deepEqual(await found('status:\'succeeded\' AND currency:"USD"'), [3000])
    assert.deepEqual(await found("metadata['order']:'eight'"), [2000])
    assert.deepEqual(await found(String.raw`metadata['order']:'it\'s 7'`), [1000])
    assert.deepEqual(await found("metadata['order']~'eigh'"), [2000, 3000])
    assert.deepEqual(await found('amount>1000 and amount<=3000'), [2000, 3000])
    assert.deepEqual(await found('amount:4000 OR amount:1000'), [1000, 4000])
    assert.deepEqual(await found("-metadata['gift']:null"), [2000])
    assert.deepEqual(await found("metadata['gift']:null AND -currency:'usd'"), [1000])
    assert.deepEqual(await found('created>4000000000'), [])
  })

  test('comes page by page, and expands what it finds', async () => {
    const first = await stripe.paymentIntents.search({
      query: 'amount>0',
      limit: 3,
      expand: ['data.latest_charge'],
    })
    assert.deepEqual([first.object, first.has_more, first.data.length], ['search_result', true, 3])
    assert.ok(first.data.some(({ latest_charge: charge }) => typeof charge === 'object' && charge?.paid))
    const all: number[] = []
    for await (const { amount } of stripe.paymentIntents.search({ query: 'amount>0', limit: 3 }))
      all.push(amount)
    assert.deepEqual(all, [4000, 3000, 2000, 1000])
  })

  test('finds charges by card, customers by e-mail, products and prices, and nothing that was deleted', async () => {
    const charges = await stripe.charges.search({
      query: "payment_method_details.card.last4:'4242' AND refunded:'false' AND amount>2500",
    })
    assert.deepEqual(
      charges.data.map(({ amount }) => amount),
      [3000],
    )
    const ana = await stripe.customers.create({ email: 'Ana@example.com' })
    const gone = await stripe.customers.create({ email: 'ana@example.com' })
    await stripe.customers.del(gone.id)
    const customers = await stripe.customers.search({ query: "email:'ana@EXAMPLE.com'" })
    assert.deepEqual(
      customers.data.map(({ id }) => id),
      [ana.id],
    )
    const product = await stripe.products.create({ name: 'Kayak for two' })
    const price = await stripe.prices.create({ product: product.id, currency: 'eur', unit_amount: 5 })
    assert.equal((await stripe.products.search({ query: "name~'kayak'" })).data[0]?.id, product.id)
    const prices = await stripe.prices.search({ query: `product:'${product.id}' AND active:'true'` })
    assert.equal(prices.data[0]?.id, price.id)
  })

  test('finds a new object only after a while, where the setting says so', async () => {
    await control(world.sandbox, 'settings', { searchLagMs: 60_000 })
    await pay(5000, { order: 'late' })
    assert.deepEqual(await found("metadata['order']:'late'"), [])
    await control(world.sandbox, 'clock/advance', { seconds: 62 })
    assert.deepEqual(await found("metadata['order']:'late'"), [5000])
    await control(world.sandbox, 'settings', { searchLagMs: 0 })
  })

  test('that cannot be read is refused with the reason', async () => {
    const why = async (query: string): Promise<string> => {
      const { statusCode, param, message } = await failure(stripe.paymentIntents.search({ query }))
      assert.deepEqual([statusCode, param], [400, 'query'])
      return message
    }
    assert.match(
      await why("email:'a'"),
      /^Field `email` is an unsupported search field for resource `payment_intents`/,
    )
    assert.match(await why('status:succeeded'), /unable to parse your search query at: status:succeeded/)
    assert.match(await why("amount:1 OR amount:2 AND currency:'eur'"), /AND or OR, never both/)
    assert.match(await why("currency~'eu'"), /at least 3 characters/)
    assert.match(await why("amount>'many'"), /takes a number/)
    assert.match(await why('amount:1 AND '), /unable to parse/)
    assert.equal((await failure(stripe.paymentIntents.search({ query: '' }))).code, 'parameter_missing')
  })
})
