import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { World } from './merchant.ts'
import { control, sessionParams, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.stop())

const at = (id: string): string => `${world.sandbox.url}/c/pay/${id}`

async function open(
  params: object = {},
  language = 'en',
): Promise<{ id: string; html: string; token: string }> {
  const { id } = await world.stripe.checkout.sessions.create(sessionParams(params))
  const html = await (await fetch(at(id), { headers: { 'accept-language': language } })).text()
  return { id, html, token: /name="token" value="([^"]+)"/.exec(html)?.[1] ?? '' }
}

const submit = (id: string, token: string, change: Record<string, string> = {}) =>
  fetch(at(id), {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({
      token,
      method: 'card',
      email: 'ana@example.com',
      number: '4242 4242 4242 4242',
      expiry: '12 / 34',
      cvc: '123',
      ...change,
    }),
  })

describe('the hosted page', () => {
  test('names its fields, shows the order, and lets nothing in from outside', async () => {
    const { id, html } = await open()
    for (const label of ['Email', 'Card number', 'Expiry', 'CVC'])
      assert.match(html, new RegExp(`<label for="\\w+"\\s*>${label}`))
    assert.match(html, /Pay €129\.00/)
    assert.match(html, /Kayak at dawn/)
    assert.match(html, /href="http:\/\/localhost:5173\/cancel"/)
    const policy = (await fetch(at(id))).headers.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none'; style-src 'nonce-/)
    assert.ok(!policy.includes('unsafe'))
  })

  test('names the shop that the Session names, and the Session says so', async () => {
    const { id, html } = await open({ branding_settings: { display_name: 'Kayak & Co' } })
    assert.match(html, /<p class="shop">Kayak &amp; Co<\/p>/)
    const session = await world.stripe.checkout.sessions.retrieve(id)
    assert.equal(session.branding_settings?.display_name, 'Kayak & Co')
    assert.doesNotMatch((await open()).html, /class="shop"/)
  })

  test('speaks French to a French browser or Session, with French amounts', async () => {
    assert.match((await open({}, 'fr-CH, en;q=0.5')).html, /Payer 129,00 €/)
    assert.match((await open({ locale: 'fr' }, 'en')).html, /Numéro de carte/)
  })

  test('escapes what the merchant wrote', async () => {
    const { html } = await open({
      line_items: [
        {
          quantity: 1,
          price_data: {
            currency: 'eur',
            unit_amount: 500,
            product_data: { name: '<script>alert(1)</script>' },
          },
        },
      ],
    })
    assert.ok(!html.includes('<script>alert'))
    assert.match(html, /&lt;script&gt;alert/)
  })

  test('a double click is one payment, and both land on the success page', async () => {
    const { id, token } = await open()
    const answers = await Promise.all([submit(id, token), submit(id, token)])
    for (const answer of answers) {
      assert.equal(answer.status, 303)
      assert.equal(answer.headers.get('location'), `http://localhost:5173/success?session_id=${id}`)
    }
    const session = await world.stripe.checkout.sessions.retrieve(id)
    const { data } = await world.stripe.charges.list({ payment_intent: session.payment_intent as string })
    assert.equal(data.length, 1)
  })

  test('redirects only after the merchant has answered checkout.session.completed', async () => {
    const { id, token } = await open()
    const told = () =>
      world.receiver.received.filter(
        ({ event }) => event.type === 'checkout.session.completed' && event.data.object.id === id,
      ).length
    world.receiver.answer = () => (told() === 1 ? 500 : 200)
    await submit(id, token)
    assert.equal(told(), 2)
  })

  test('says why a card was declined, keeps the Session open, and never shows the number again', async () => {
    const { id, token } = await open()
    const declined = await submit(id, token, { number: '4000000000000341' })
    assert.equal(declined.status, 402)
    const html = await declined.text()
    assert.match(html, /role="alert"[^>]*>Your card was declined\./)
    assert.ok(!html.includes('4000000000000341'))
    assert.equal((await world.stripe.checkout.sessions.retrieve(id)).status, 'open')
  })

  test('a repeated click on a declined payment charges once', async () => {
    const { id, token } = await open()
    await submit(id, token, { number: '4000000000000002' })
    await submit(id, token, { number: '4000000000000002' })
    const session = await world.stripe.checkout.sessions.retrieve(id)
    const { data } = await world.stripe.charges.list({ payment_intent: session.payment_intent as string })
    assert.equal(data.length, 1)
  })

  const faults: [field: string, value: string, message: RegExp][] = [
    ['email', '', /Required/],
    ['number', '4242 4242', /number is incomplete/],
    ['number', '4242 4242 4242 4241', /card number is incorrect/],
    ['expiry', '13 / 34', /expiration month is invalid/],
    ['expiry', '12 / 19', /expiration year is invalid/],
    ['cvc', '1', /security code is incomplete/],
  ]
  for (const [field, value, message] of faults) {
    test(`points at ${field} when it is "${value}"`, async () => {
      const { id, token } = await open()
      const html = await (await submit(id, token, { [field]: value })).text()
      assert.match(html, new RegExp(`id="${field}-fault"[^>]*>[^<]*${message.source}`))
      assert.equal((await world.stripe.checkout.sessions.retrieve(id)).payment_intent, null)
    })
  }

  test('at the root shows how to use the sandbox and what has happened', async () => {
    const { id } = await open()
    const overview = await (await fetch(world.sandbox.url)).text()
    assert.match(overview, /new Stripe\(/)
    assert.ok(overview.includes(`/_sandbox/payments/${id}`))
  })

  test('keeps the e-mail the merchant gave', async () => {
    const { id, html, token } = await open({ customer_email: 'marie@example.com' })
    assert.match(html, /value="marie@example\.com"\s+readonly/)
    await submit(id, token, { email: 'other@example.com' })
    const session = await world.stripe.checkout.sessions.retrieve(id)
    assert.equal(session.customer_details?.email, 'marie@example.com')
  })

  test('shows that it has expired, that it is done, or that it never was', async () => {
    const expired = await open()
    await world.stripe.checkout.sessions.expire(expired.id)
    assert.match(await (await fetch(at(expired.id))).text(), /This page has expired/)
    assert.equal((await submit(expired.id, expired.token)).status, 409)
    const paid = await open()
    await control(world.sandbox, `sessions/${paid.id}/pay`, {})
    assert.match(await (await fetch(at(paid.id))).text(), /already completed this payment/)
    assert.equal((await submit(paid.id, paid.token)).status, 409)
    assert.equal((await fetch(at('cs_test_none'))).status, 404)
  })

  test('lets a payer close 3-D Secure unanswered and pay with another card', async () => {
    const { id, token } = await open()
    const to = (await submit(id, token, { number: '4000 0025 0000 3155' })).headers.get('location') ?? ''
    assert.match(
      await (await fetch(to)).text(),
      new RegExp(`<a href="/c/pay/${id}">Close without answering</a>`),
    )
    const again = /name="token" value="([^"]+)"/.exec(await (await fetch(at(id))).text())?.[1] ?? ''
    await submit(id, again)
    const session = await world.stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] })
    assert.equal(session.payment_status, 'paid')
    const { data } = await world.stripe.charges.list({
      payment_intent: (session.payment_intent as { id: string }).id,
    })
    assert.deepEqual(
      data.map(({ status }) => status),
      ['succeeded'],
    )
  })

  test('sends the payer through 3-D Secure and back', async () => {
    for (const [answer, status] of [
      ['complete', 'complete'],
      ['fail', 'open'],
    ] as const) {
      const { id, token } = await open()
      const challenge = await submit(id, token, { number: '4000 0027 6000 3184' })
      const url = new URL(challenge.headers.get('location') ?? '')
      const done = await fetch(`${world.sandbox.url}${url.pathname}`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ client_secret: url.searchParams.get('client_secret') ?? '', answer }),
      })
      assert.equal(done.status, 303)
      assert.equal((await world.stripe.checkout.sessions.retrieve(id)).status, status)
      if (answer === 'fail') {
        const back = await fetch(new URL(done.headers.get('location') ?? '', world.sandbox.url))
        assert.match(await back.text(), /unable to authenticate your payment method/)
      }
    }
  })
})
