// Coupons and promotion codes lower a Checkout Session: by the merchant's word, or by what the payer types.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type Stripe from 'stripe'
import { shares } from '../src/checkout/discount.ts'
import type { World } from './merchant.ts'
import { control, failure, sessionParams, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.stop())

const TWO_LINES: Partial<Stripe.Checkout.SessionCreateParams> = {
  line_items: [
    { quantity: 1, price_data: { currency: 'eur', unit_amount: 1000, product_data: { name: 'Kayak' } } },
    { quantity: 2, price_data: { currency: 'eur', unit_amount: 333, product_data: { name: 'Lunch' } } },
  ],
}
const open = (change: Partial<Stripe.Checkout.SessionCreateParams> = {}) =>
  world.stripe.checkout.sessions.create(sessionParams({ ...TWO_LINES, ...change }))
const coupon = (params: Stripe.CouponCreateParams) => world.stripe.coupons.create(params)
const promotion = (id: string, rest: Partial<Stripe.PromotionCodeCreateParams> = {}) =>
  world.stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: id }, ...rest })
const type = (id: string, code: string) =>
  control<{ error?: { message: string }; amount_total?: number }>(
    world.sandbox,
    `sessions/${id}/promotion_code`,
    { code },
  )
const pay = (id: string) => control(world.sandbox, `sessions/${id}/pay`, { email: 'ana@example.com' })

describe('a coupon of the merchant', () => {
  test('lowers the Session, its lines and the payment, to the cent', async () => {
    const { id } = await coupon({ percent_off: 10 })
    const session = await open({
      discounts: [{ coupon: id }],
      expand: ['line_items.data.discounts', 'total_details.breakdown', 'discounts.coupon'],
    })
    assert.deepEqual(
      [session.amount_subtotal, session.amount_total, session.total_details?.amount_discount],
      [1666, 1499, 167],
    )
    const lines = session.line_items?.data ?? []
    assert.deepEqual(
      lines.map((line) => [line.amount_subtotal, line.amount_discount, line.amount_total]),
      [
        [1000, 100, 900],
        [666, 67, 599],
      ],
    )
    assert.equal(lines[1]?.discounts?.[0]?.amount, 67)
    const [part] = session.total_details?.breakdown?.discounts ?? []
    assert.equal(part?.amount, 167)
    assert.equal(part?.discount.checkout_session, session.id)
    const [shown] = session.discounts ?? []
    assert.equal(typeof shown?.coupon === 'object' && shown.coupon?.percent_off, 10)
    await pay(session.id)
    const done = await world.stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
    assert.equal((done.payment_intent as Stripe.PaymentIntent).amount_received, 1499)
    assert.equal((await world.stripe.coupons.retrieve(id)).times_redeemed, 1)
  })

  test('never takes more than there is: what is left to pay is nothing, and no payment is made', async () => {
    const { id } = await coupon({ amount_off: 5000, currency: 'eur' })
    const session = await open({ discounts: [{ coupon: id }] })
    assert.deepEqual([session.amount_total, session.payment_status], [0, 'no_payment_required'])
    await pay(session.id)
    const done = await world.stripe.checkout.sessions.retrieve(session.id)
    assert.deepEqual(
      [done.status, done.payment_status, done.payment_intent],
      ['complete', 'no_payment_required', null],
    )
  })

  test('covers only its products, and takes its amount in the currency of the Session', async () => {
    const product = await world.stripe.products.create({ name: 'Lunch' })
    const price = await world.stripe.prices.create({ product: product.id, currency: 'eur', unit_amount: 800 })
    const { id } = await coupon({
      amount_off: 500,
      currency: 'usd',
      currency_options: { eur: { amount_off: 300 } },
      applies_to: { products: [product.id] },
    })
    const lines = [...(TWO_LINES.line_items ?? []), { price: price.id, quantity: 1 }]
    const session = await open({ line_items: lines, discounts: [{ coupon: id }], expand: ['line_items'] })
    assert.deepEqual(
      session.line_items?.data.map((line) => line.amount_discount),
      [0, 0, 300],
    )
    const whole = await world.stripe.coupons.retrieve(id, { expand: ['applies_to', 'currency_options'] })
    assert.deepEqual(whole.applies_to, { products: [product.id] })
    assert.deepEqual(whole.currency_options, { eur: { amount_off: 300 } })
    const elsewhere = await failure(open({ discounts: [{ coupon: id }] }))
    assert.match(elsewhere.message, /does not apply to any of the Session's products/)
  })

  test('is refused with the reason, and then there is no Session', async () => {
    const before = (await world.stripe.checkout.sessions.list({ limit: 100 })).data.length
    const { id } = await coupon({ percent_off: 99.9 })
    const dollars = await coupon({ amount_off: 100, currency: 'usd' })
    const spent = await coupon({ percent_off: 5, redeem_by: Math.floor(Date.now() / 1000) - 1 })
    const ask = async (change: Partial<Stripe.Checkout.SessionCreateParams>) => {
      const { code, param, message } = await failure(open(change))
      return [code, param, message]
    }
    assert.deepEqual(await ask({ discounts: [{ coupon: id }], allow_promotion_codes: false }), [
      undefined,
      'allow_promotion_codes',
      'You may only specify one of these parameters: allow_promotion_codes, discounts.',
    ])
    assert.deepEqual(await ask({ discounts: [{ coupon: 'nope' }] }), [
      'resource_missing',
      'discounts[0][coupon]',
      "No such coupon: 'nope'",
    ])
    assert.deepEqual(await ask({ discounts: [{ promotion_code: 'promo_nope' }] }), [
      'resource_missing',
      'discounts[0][promotion_code]',
      "No such promotion code: 'promo_nope'",
    ])
    assert.deepEqual((await ask({ discounts: [{ coupon: spent.id }] }))[0], 'coupon_expired')
    assert.match(String((await ask({ discounts: [{ coupon: dollars.id }] }))[2]), /currency \(usd\)/)
    assert.deepEqual((await ask({ discounts: [{ coupon: id }] }))[0], 'amount_too_small')
    assert.match(
      String((await ask({ discounts: [{ coupon: id }, { coupon: id }] }))[2]),
      /at most 1 are allowed/,
    )
    assert.equal((await world.stripe.checkout.sessions.list({ limit: 100 })).data.length, before)
  })
})

describe('a promotion code', () => {
  test('typed by the payer lowers the next attempt of a Session that takes codes, and counts once paid', async () => {
    const { id } = await coupon({ amount_off: 166, currency: 'eur', name: 'Spring' })
    const code = await promotion(id, { code: 'SPRING', max_redemptions: 1 })
    const session = await open({ allow_promotion_codes: true })
    await control(world.sandbox, `sessions/${session.id}/pay`, {
      card: '4000000000000002',
      email: 'ana@example.com',
    })
    assert.equal((await type(session.id, ' spring ')).amount_total, 1500)
    const cheaper = await world.stripe.checkout.sessions.retrieve(session.id)
    assert.deepEqual(cheaper.discounts, [{ coupon: null, promotion_code: code.id }])
    await pay(session.id)
    const done = await world.stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
    assert.equal((done.payment_intent as Stripe.PaymentIntent).amount_received, 1500)
    const used = await world.stripe.promotionCodes.retrieve(code.id)
    assert.deepEqual([used.times_redeemed, used.active], [1, false])
    const next = await open({ allow_promotion_codes: true })
    assert.match((await type(next.id, 'SPRING')).error?.message ?? '', /no longer active/)
  })

  test('is refused where its restrictions do not fit, and where the Session takes none', async () => {
    const { id } = await coupon({ percent_off: 20 })
    const customer = await world.stripe.customers.create({})
    await promotion(id, { code: 'HERS', customer: customer.id })
    await promotion(id, {
      code: 'BIG',
      restrictions: { minimum_amount: 5000, minimum_amount_currency: 'eur' },
    })
    await promotion(id, { code: 'NEWCOMER', restrictions: { first_time_transaction: true } })
    await promotion(id, { code: 'OFF', active: false })
    const session = await open({ allow_promotion_codes: true, customer: customer.id })
    const guests = await open({ allow_promotion_codes: true })
    const why = async (at: string, code: string) => (await type(at, code)).error?.message ?? 'taken'
    assert.equal(await why(session.id, 'HERS'), 'taken')
    assert.match(await why(guests.id, 'HERS'), /another customer/)
    assert.match(await why(guests.id, 'BIG'), /at least €50\.00/)
    assert.match(await why(guests.id, 'OFF'), /no longer active/)
    assert.match(await why(guests.id, 'UNHEARD'), /No such promotion code: 'UNHEARD'/)
    await pay(session.id)
    const again = await open({ allow_promotion_codes: true, customer: customer.id })
    assert.match(await why(again.id, 'NEWCOMER'), /prior transactions/)
    assert.equal(await why(guests.id, 'NEWCOMER'), 'taken')
    assert.match(await why((await open()).id, 'HERS'), /does not take promotion codes/)
  })

  test('is redeemed by one of the Sessions that hold its last use; the other is told the price it has now', async () => {
    const { id } = await coupon({ percent_off: 50 })
    const code = await promotion(id, { code: 'LASTONE', max_redemptions: 1 })
    const first = await open({ allow_promotion_codes: true })
    const second = await open({ allow_promotion_codes: true })
    const atBank = await open({ allow_promotion_codes: true })
    const challenged = await open({ allow_promotion_codes: true })
    for (const each of [first, second, challenged, atBank]) await type(each.id, 'LASTONE')
    const page = `${world.sandbox.url}/c/pay`
    const card = { number: '4000002500003155', email: 'ana@example.com', expiry: '12 / 40', cvc: '123' }
    const submit = (to: string, token: string, accept: string) =>
      fetch(`${page}/${to}`, {
        method: 'POST',
        redirect: 'manual',
        headers: { accept, 'accept-language': 'en' },
        body: new URLSearchParams({ ...card, method: 'card', token }),
      })
    await submit(atBank.id, 'a', 'text/html')
    await pay(first.id)
    const refused = await submit(second.id, 'b', 'application/json')
    const answer = (await refused.json()) as { order: string; pay: string; submit: string }
    assert.equal(answer.pay, 'Pay €16.66')
    assert.match(answer.order, /value="LASTONE"[^]*can no longer be redeemed/)
    const bare = await submit(challenged.id, 'c', 'text/html')
    assert.equal(bare.status, 402)
    assert.match(await bare.text(), /can no longer be redeemed[^]*Pay €16\.66/)
    const waiting = await world.stripe.checkout.sessions.retrieve(atBank.id)
    const intent = waiting.payment_intent as string
    await control(world.sandbox, `payment_intents/${intent}/authenticate`, { result: 'complete' })
    const held = await world.stripe.paymentIntents.retrieve(intent)
    assert.deepEqual([held.status, held.amount_received], ['requires_payment_method', 0])
    assert.equal((await world.stripe.promotionCodes.retrieve(code.id)).times_redeemed, 1)
    await pay(second.id)
    const done = await world.stripe.checkout.sessions.retrieve(second.id)
    assert.deepEqual([done.payment_status, done.amount_total], ['paid', 1666])
  })

  test('of the merchant, used up before the payment, stops it: nobody pays a price that was not offered', async () => {
    const { id } = await coupon({ percent_off: 50, max_redemptions: 1 })
    const [first, second] = [
      await open({ discounts: [{ coupon: id }] }),
      await open({ discounts: [{ coupon: id }] }),
    ]
    await pay(first.id)
    const refused = await control<{ error: { code: string; message: string } }>(
      world.sandbox,
      `sessions/${second.id}/pay`,
      { email: 'ana@example.com' },
    )
    assert.deepEqual([refused.error.code, refused.error.message], ['coupon_expired', `Coupon expired: ${id}`])
    assert.equal((await world.stripe.coupons.retrieve(id)).times_redeemed, 1)
    assert.equal((await world.stripe.checkout.sessions.retrieve(second.id)).status, 'open')
  })

  test('has a field on the page, in words, with and without a script, and can be taken away again', async () => {
    const { id } = await coupon({ percent_off: 50 })
    await promotion(id, { code: 'HALF' })
    const session = await open({ allow_promotion_codes: true })
    const page = `${world.sandbox.url}/c/pay/${session.id}`
    const send = (body: Record<string, string>, accept = 'text/html') =>
      fetch(`${page}/promotion_code`, {
        method: 'POST',
        redirect: 'manual',
        headers: { accept, 'accept-language': 'en' },
        body: new URLSearchParams(body),
      })
    const read = async () => (await fetch(page, { headers: { 'accept-language': 'en' } })).text()
    assert.match(await read(), /<label for="code"\s*>Promotion code/)
    const refused = await send({ code: '<b>X' })
    assert.equal(refused.status, 400)
    assert.match(await refused.text(), /value="&lt;b&gt;X"[^]*aria-invalid="true"[^]*This code is invalid\./)
    const taken = await send({ code: 'half' })
    assert.deepEqual([taken.status, taken.headers.get('location')], [303, `/c/pay/${session.id}`])
    const cheaper = await read()
    assert.match(cheaper, /Pay €8\.33/)
    assert.match(cheaper, /−€8\.33/)
    assert.ok(!cheaper.includes('for="code"'))
    const answer = (await (await send({ remove: 'yes' }, 'application/json')).json()) as { pay: string }
    assert.equal(answer.pay, 'Pay €16.66')
    assert.ok(
      !(await (await fetch(`${world.sandbox.url}/c/pay/${(await open()).id}`)).text()).includes('for="code"'),
    )
  })

  test('leaves no part of a line that its currency does not have', async () => {
    const { id } = await coupon({ percent_off: 33.3 })
    const price_data = (unit_amount: number) => ({
      currency: 'kwd',
      unit_amount,
      product_data: { name: 'Kayak' },
    })
    const session = await open({
      line_items: [
        { quantity: 1, price_data: price_data(10_010) },
        { quantity: 3, price_data: price_data(3330) },
      ],
      discounts: [{ coupon: id }],
      expand: ['line_items'],
    })
    const lines = session.line_items?.data.map(({ amount_total }) => amount_total) ?? []
    assert.deepEqual(lines, [6680, 6660])
    assert.equal(session.amount_total, 13_340)
  })

  test('is taken by a payment link that allows it', async () => {
    const product = await world.stripe.products.create({ name: 'Kayak' })
    const price = await world.stripe.prices.create({ product: product.id, currency: 'eur', unit_amount: 900 })
    const link = await world.stripe.paymentLinks.create({
      line_items: [{ price: price.id, quantity: 1 }],
      allow_promotion_codes: true,
      expand: ['line_items'],
    })
    assert.equal(link.line_items?.data[0]?.amount_total, 900)
    await fetch(`${world.sandbox.url}/b/${link.id}`, { redirect: 'manual' })
    const [session] = (await world.stripe.checkout.sessions.list({ payment_link: link.id })).data
    assert.equal(session?.allow_promotion_codes, true)
  })
})

test('the parts of a discount add up to it, in proportion, and no part is larger than its line', () => {
  assert.deepEqual(shares(100, [50, 50, 50]), [34, 33, 33])
  assert.deepEqual(shares(5, [5, 0]), [5, 0])
  assert.deepEqual(shares(7, [0, 0]), [0, 0])
  for (let whole = 0; whole <= 60; whole++) {
    const amounts = [7, 13, 40]
    const parts = shares(whole, amounts)
    assert.equal(
      parts.reduce((sum, part) => sum + part, 0),
      whole,
    )
    assert.ok(parts.every((part, index) => part <= (amounts[index] ?? 0)))
  }
})
