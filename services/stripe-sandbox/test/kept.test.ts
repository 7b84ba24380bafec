// A parameter that is taken either does something or is kept and shown; what the sandbox has not is refused by name.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type Stripe from 'stripe'
import type { World } from './merchant.ts'
import { control, failure, sessionParams, startWorld } from './merchant.ts'

let world: World
let stripe: Stripe
before(async () => {
  world = await startWorld()
  stripe = world.stripe
})
after(() => world.stop())

const ADDRESS = {
  city: 'Nice',
  country: 'FR',
  line1: '1 quai',
  line2: null,
  postal_code: '06000',
  state: null,
}
const SHIPPING = {
  address: { city: 'Nice', country: 'FR', line1: '1 quai', postal_code: '06000' },
  name: 'Ana',
}
const pay = (id: string, more: object = {}) =>
  control<{ status: string; redirect?: string }>(world.sandbox, `sessions/${id}/pay`, {
    email: 'ana@example.com',
    ...more,
  })
const intentOf = async (id: string): Promise<Stripe.PaymentIntent> => {
  const session = await stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent.latest_charge'] })
  return session.payment_intent as Stripe.PaymentIntent
}

describe('what a Checkout Session is told', () => {
  test('reaches the payment and its charge', async () => {
    const { id } = await stripe.checkout.sessions.create(
      sessionParams({
        payment_intent_data: {
          shipping: SHIPPING,
          transfer_group: 'g1',
          statement_descriptor_suffix: 'KAYAK',
        },
      }),
    )
    await pay(id)
    const intent = await intentOf(id)
    const charge = intent.latest_charge as Stripe.Charge
    assert.deepEqual(intent.shipping?.address, ADDRESS)
    assert.deepEqual([charge.shipping?.name, charge.transfer_group], ['Ana', 'g1'])
    assert.equal(charge.statement_descriptor_suffix, 'KAYAK')
    const ofGroup = await stripe.charges.list({ transfer_group: 'g1' })
    assert.deepEqual(
      ofGroup.data.map((each) => each.id),
      [charge.id],
    )
  })

  test('asks every card for 3-D Secure when it should', async () => {
    const session = await stripe.checkout.sessions.create(
      sessionParams({ payment_method_options: { card: { request_three_d_secure: 'challenge' } } }),
    )
    assert.equal(session.payment_method_options?.card?.request_three_d_secure, 'challenge')
    assert.equal((await pay(session.id)).status, 'requires_action')
    assert.equal((await pay(session.id, { authenticate: 'complete' })).status, 'complete')
  })

  test('leaves an address that opens a copy once it has expired, for thirty days', async () => {
    const { id } = await stripe.checkout.sessions.create(
      sessionParams({ after_expiration: { recovery: { enabled: true, allow_promotion_codes: true } } }),
    )
    const { after_expiration: after } = await stripe.checkout.sessions.expire(id)
    assert.equal(after?.recovery?.expires_at, Math.floor(Date.now() / 1000) + 30 * 86_400)
    const opened = await fetch(String(after?.recovery?.url), { redirect: 'manual' })
    assert.equal(opened.status, 303)
    const copy = await stripe.checkout.sessions.retrieve(
      String(opened.headers.get('location')).replace('/c/pay/', ''),
    )
    assert.deepEqual(
      [copy.status, copy.recovered_from, copy.allow_promotion_codes, copy.amount_total],
      ['open', id, true, 12_900],
    )
    assert.deepEqual(copy.metadata, { booking_id: 'b1' })
    await pay(copy.id)
    assert.equal((await intentOf(copy.id)).status, 'succeeded')
    const other = await stripe.checkout.sessions.create(sessionParams())
    assert.equal((await fetch(`${world.sandbox.url}/c/recover/${other.id}`)).status, 404)
  })

  test('is said on the page, or kept and shown', async () => {
    const session = await stripe.checkout.sessions.create(
      sessionParams({
        custom_text: { submit: { message: 'Meet us at the <pier>.' } },
        integration_identifier: 'shop_1',
        origin_context: 'web',
      }),
    )
    assert.equal(session.custom_text.submit?.message, 'Meet us at the <pier>.')
    assert.deepEqual([session.integration_identifier, session.origin_context], ['shop_1', 'web'])
    assert.match(await (await fetch(String(session.url))).text(), /Meet us at the &lt;pier&gt;\./)
  })

  test('is refused where the sandbox would have to ignore it, in a sentence that names it', async () => {
    const refused = async (change: object): Promise<string> => {
      const { statusCode, message } = await failure(
        stripe.checkout.sessions.create({ ...sessionParams(), ...change }),
      )
      assert.equal(statusCode, 400)
      return message
    }
    assert.match(
      await refused({ automatic_tax: { enabled: true } }),
      /does not have true .*automatic_tax\[enabled\]/,
    )
    assert.match(await refused({ billing_address_collection: 'required' }), /required .*only auto\./)
    assert.match(await refused({ ui_mode: 'embedded_page' }), /embedded_page .*only hosted_page\./)
    assert.match(
      await refused({ phone_number_collection: { enabled: true } }),
      /phone_number_collection\[enabled\]/,
    )
    assert.match(
      await refused({ shipping_address_collection: { allowed_countries: ['FR'] } }),
      /shipping_address_collection/,
    )
    assert.match(await refused({ currency: 'usd' }), /not that of the line items \(eur\)/)
    const product = await stripe.products.create({ name: 'Club' })
    const monthly = await stripe.prices.create({
      product: product.id,
      currency: 'eur',
      unit_amount: 900,
      recurring: { interval: 'month' },
    })
    assert.match(
      await refused({ line_items: [{ price: monthly.id, quantity: 1 }] }),
      /^You specified `payment` mode but passed a recurring price\./,
    )
    await stripe.checkout.sessions.create(sessionParams({ automatic_tax: { enabled: false } }))
  })
})

describe('what a PaymentIntent is told', () => {
  test('when it is created, changed and confirmed is all there in the end', async () => {
    const created = await stripe.paymentIntents.create({
      amount: 2000,
      currency: 'eur',
      shipping: SHIPPING,
      payment_details: { order_reference: 'o-1' },
    })
    assert.deepEqual(created.payment_details, { customer_reference: null, order_reference: 'o-1' })
    const changed = await stripe.paymentIntents.update(created.id, {
      statement_descriptor_suffix: 'LATER',
      transfer_group: 'g2',
      excluded_payment_method_types: ['sepa_debit'],
      shipping: { ...SHIPPING, name: 'Bo' },
    })
    assert.deepEqual(
      [changed.shipping?.name, changed.transfer_group, changed.payment_method_types],
      ['Bo', 'g2', ['card']],
    )
    const done = await stripe.paymentIntents.confirm(created.id, {
      payment_method: 'pm_card_visa',
      radar_options: { session: 'rse_1' },
      return_url: 'https://example.com',
      expand: ['latest_charge'],
    })
    const charge = done.latest_charge as Stripe.Charge
    assert.deepEqual(
      [charge.statement_descriptor_suffix, charge.radar_options?.session, charge.shipping?.name],
      ['LATER', 'rse_1', 'Bo'],
    )
    const partial = await failure(
      stripe.paymentIntents
        .create({ amount: 1000, currency: 'eur' })
        .then(({ id }) =>
          stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa', amount_to_confirm: 500 }),
        ),
    )
    assert.match(partial.message, /only confirms the whole amount/)
  })

  test('asks for 3-D Secure when it should, and never behind the back of the payer', async () => {
    const ask = (more: Partial<Stripe.PaymentIntentCreateParams>) =>
      stripe.paymentIntents.create({
        amount: 2000,
        currency: 'eur',
        payment_method: 'pm_card_visa',
        confirm: true,
        return_url: 'https://example.com',
        payment_method_options: { card: { request_three_d_secure: 'any' } },
        ...more,
      })
    assert.equal((await ask({})).status, 'requires_action')
    assert.equal((await ask({ off_session: true })).status, 'succeeded')
  })
})

describe('what is told of', () => {
  test('a payment method shows on it and on its charge', async () => {
    const method = await stripe.paymentMethods.create({
      type: 'card',
      card: { token: 'tok_visa' },
      allow_redisplay: 'always',
      billing_details: { address: SHIPPING.address, phone: '+33600000000', name: 'Ana' },
    })
    assert.equal(method.allow_redisplay, 'always')
    const changed = await stripe.paymentMethods.update(method.id, { card: { exp_month: 3, exp_year: 2040 } })
    assert.deepEqual([changed.card?.exp_month, changed.card?.exp_year], [3, 2040])
    const paid = await stripe.paymentIntents.create({
      amount: 2000,
      currency: 'eur',
      payment_method: method.id,
      confirm: true,
      return_url: 'https://example.com',
      expand: ['latest_charge'],
    })
    const { billing_details: billing } = paid.latest_charge as Stripe.Charge
    assert.deepEqual([billing.address, billing.phone], [ADDRESS, '+33600000000'])
  })

  test('a customer stays with the customer', async () => {
    const customer = await stripe.customers.create({
      address: SHIPPING.address,
      balance: -500,
      preferred_locales: ['fr'],
      tax_exempt: 'reverse',
      shipping: { ...SHIPPING, phone: '+33' },
      payment_method: 'pm_card_visa',
      invoice_settings: { footer: 'Thanks' },
    })
    assert.deepEqual(
      [customer.address, customer.balance, customer.preferred_locales, customer.tax_exempt],
      [ADDRESS, -500, ['fr'], 'reverse'],
    )
    assert.deepEqual([customer.shipping?.name, customer.invoice_settings.footer], ['Ana', 'Thanks'])
    const list = await stripe.customers.listPaymentMethods(customer.id, { type: 'card' })
    assert.equal(list.data.length, 1)
    assert.equal((await stripe.customers.listPaymentMethods(customer.id, { type: 'link' })).data.length, 0)
    const changed = await stripe.customers.update(customer.id, { address: '', name: 'Ana' })
    assert.deepEqual([changed.address, changed.name, changed.tax_exempt], [null, 'Ana', 'reverse'])
  })

  test('a product and its price stays with them', async () => {
    const product = await stripe.products.create({
      name: 'Kayak',
      default_price_data: { currency: 'eur', unit_amount: 900, tax_behavior: 'inclusive' },
      marketing_features: [{ name: 'Dry' }],
      shippable: false,
      tax_code: 'txcd_1',
      unit_label: 'hour',
      url: 'https://example.com/kayak',
      expand: ['default_price'],
    })
    const price = product.default_price as Stripe.Price
    assert.deepEqual([price.unit_amount, price.tax_behavior, price.product], [900, 'inclusive', product.id])
    assert.deepEqual(
      [product.marketing_features, product.shippable, product.tax_code, product.unit_label, product.url],
      [[{ name: 'Dry' }], false, 'txcd_1', 'hour', 'https://example.com/kayak'],
    )
    const changed = await stripe.products.update(product.id, {
      images: ['https://example.com/a.png'],
      url: '',
    })
    assert.deepEqual(
      [changed.images, changed.url, changed.unit_label],
      [['https://example.com/a.png'], null, 'hour'],
    )
    const renamed = await stripe.prices.update(price.id, { lookup_key: 'kayak' })
    assert.equal(renamed.lookup_key, 'kayak')
  })

  test('a refund and a dispute shows on them', async () => {
    const paid = await stripe.paymentIntents.create({
      amount: 2000,
      currency: 'eur',
      payment_method: 'pm_card_visa',
      confirm: true,
      return_url: 'https://example.com',
    })
    const refund = await stripe.refunds.create({
      payment_intent: paid.id,
      amount: 100,
      instructions_email: 'ana@example.com',
    })
    assert.equal(refund.instructions_email, 'ana@example.com')
    const dispute = await control<{ id: string }>(
      world.sandbox,
      `charges/${paid.latest_charge as string}/dispute`,
      { reason: 'general' },
    )
    const changed = await stripe.disputes.update(dispute.id, { intended_submission_method: 'manual' })
    assert.equal(changed.intended_submission_method, 'manual')
  })

  test('a payment link reaches its Sessions, whose number may be limited', async () => {
    const price = await stripe.prices.create({
      currency: 'eur',
      unit_amount: 900,
      product_data: { name: 'Kayak' },
    })
    const link = await stripe.paymentLinks.create({
      line_items: [{ price: price.id, quantity: 1 }],
      restrictions: { completed_sessions: { limit: 1 } },
      payment_intent_data: { description: 'By link', metadata: { a: '1' } },
      payment_method_types: ['card'],
      expand: ['line_items'],
    })
    const item = link.line_items?.data[0]?.id ?? ''
    const doubled = await stripe.paymentLinks.update(link.id, {
      line_items: [{ id: item, quantity: 2 }],
      payment_intent_data: { metadata: { a: '', b: '2' } },
      expand: ['line_items'],
    })
    assert.equal(doubled.line_items?.data[0]?.amount_total, 1800)
    await fetch(`${world.sandbox.url}/b/${link.id}`, { redirect: 'manual' })
    const [session] = (await stripe.checkout.sessions.list({ payment_link: link.id })).data
    assert.deepEqual([session?.amount_total, session?.payment_method_types], [1800, ['card']])
    await pay(String(session?.id))
    const intent = await intentOf(String(session?.id))
    assert.deepEqual([intent.description, intent.metadata], ['By link', { b: '2' }])
    const spent = await stripe.paymentLinks.retrieve(link.id)
    assert.deepEqual([spent.active, spent.restrictions?.completed_sessions], [false, { count: 1, limit: 1 }])
    assert.equal((await fetch(`${world.sandbox.url}/b/${link.id}`)).status, 404)
  })
})
