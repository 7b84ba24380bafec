// What a client without a library sees: bytes and headers, as recorded from Stripe.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import Stripe from 'stripe'
import type { World } from './merchant.ts'
import { control, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.stop())

type Asked = { readonly body?: string; readonly headers?: Record<string, string>; readonly method?: string }
type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
}

async function call(path: string, { body, headers, method }: Asked = {}): Promise<Answer> {
  const response = await fetch(`${world.sandbox.url}${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      authorization: 'Bearer sk_test_wire',
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: JSON.parse(text) as Answer['json'],
  }
}

describe('an answer', () => {
  test('of a call that worked carries the headers of Stripe', async () => {
    const { status, headers } = await call('/v1/customers', {
      body: 'name=Ana',
      headers: { 'idempotency-key': 'wire-1', 'stripe-version': '2025-04-30.basil' },
    })
    assert.equal(status, 200)
    const id = headers.get('request-id') ?? ''
    assert.match(id, /^req_[0-9A-Za-z]{14}$/)
    assert.equal(headers.get('original-request'), id)
    assert.equal(headers.get('idempotency-key'), 'wire-1')
    assert.equal(headers.get('stripe-version'), '2025-04-30.basil')
    assert.equal(headers.get('stripe-should-retry'), 'false')
    assert.equal(headers.get('content-type'), 'application/json')
    assert.equal(headers.get('cache-control'), 'no-cache, no-store')
    assert.equal(headers.get('vary'), 'Origin')
    assert.equal(headers.get('access-control-allow-origin'), '*')
    assert.match(headers.get('strict-transport-security') ?? '', /^max-age=\d+/)
    assert.equal(headers.get('x-stripe-routing-context-priority-tier'), 'api-testmode')
    assert.equal(headers.get('idempotent-replayed'), null)
  })

  test('is JSON indented by two spaces', async () => {
    const { text, json } = await call('/v1/products', { body: 'name=Kayak' })
    assert.equal(text, JSON.stringify(json, null, 2))
    assert.match(text, /^\{\n {2}"id": "prod_/)
  })

  test('that is replayed is the same to the byte and says so', async () => {
    const asked = { body: 'name=Bea', headers: { 'idempotency-key': 'wire-2' } }
    const first = await call('/v1/customers', asked)
    const second = await call('/v1/customers', asked)
    assert.equal(second.text, first.text)
    assert.equal(second.headers.get('idempotent-replayed'), 'true')
    assert.equal(second.headers.get('original-request'), first.headers.get('request-id'))
    assert.notEqual(second.headers.get('request-id'), first.headers.get('request-id'))
  })

  test('of a call without a version is that of the account', async () => {
    const { headers } = await call('/v1/customers', { body: '' })
    assert.equal(headers.get('stripe-version'), Stripe.API_VERSION)
  })

  test('that refuses has one error and no advice to retry', async () => {
    const { status, headers, json } = await call('/v1/customers', { body: 'nickname=Ana' })
    assert.equal(status, 400)
    assert.match(headers.get('request-id') ?? '', /^req_/)
    assert.equal(headers.get('stripe-should-retry'), null)
    assert.deepEqual(Object.keys(json), ['error'])
    const error = json['error'] as Record<string, string>
    assert.equal(error['type'], 'invalid_request_error')
    assert.equal(error['code'], 'parameter_unknown')
    assert.equal(error['message'], 'Received unknown parameter: nickname')
    assert.match(error['request_log_url'] ?? '', new RegExp(`${headers.get('request-id')}$`))
  })

  test('tells the time of the sandbox, also when it refuses', async () => {
    const week = 7 * 86_400_000
    await control(world.sandbox, 'clock/advance', { seconds: week / 1000 })
    for (const path of ['/v1/balance', '/v1/charges/ch_x', '/v1/kayaks']) {
      const { headers } = await call(path)
      const ahead = Date.parse(headers.get('date') ?? '') - Date.now()
      assert.ok(Math.abs(ahead - week) < 60_000, `${path} is ${ahead} ms ahead`)
    }
  })

  test('to a declined payment is 402 with the whole PaymentIntent inside', async () => {
    const { status, json } = await call('/v1/payment_intents', {
      body: 'amount=900&currency=eur&confirm=true&payment_method=pm_card_visa_chargeDeclined',
    })
    assert.equal(status, 402)
    const error = json['error'] as {
      decline_code: string
      charge: string
      payment_intent: { status: string }
    }
    assert.equal(error.decline_code, 'generic_decline')
    assert.match(error.charge, /^ch_3/)
    assert.equal(error.payment_intent.status, 'requires_payment_method')
  })
})

describe('a request', () => {
  test('may carry its key as Basic authentication, as curl -u does', async () => {
    const authorization = `Basic ${Buffer.from('sk_test_curl:').toString('base64')}`
    assert.equal((await call('/v1/balance', { headers: { authorization } })).status, 200)
    const wrong = `Basic ${Buffer.from('nobody:').toString('base64')}`
    const refused = await call('/v1/balance', { headers: { authorization: wrong } })
    assert.equal(refused.status, 401)
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="Stripe"')
  })

  test('may write lists with and without positions, booleans as Python does, and parameters in the address', async () => {
    const items = 'line_items[][price_data][currency]=eur&line_items[][price_data][unit_amount]=500'
    const one = await call('/v1/products?description=by+address', {
      body: 'name=Kay%C3%A1k%20%26%20co&active=True',
    })
    assert.equal(one.json['name'], 'Kayák & co')
    assert.equal(one.json['description'], 'by address')
    assert.equal(one.json['active'], true)
    const types = await call('/v1/events?types[]=product.created&types[]=customer.created&limit=1')
    assert.equal((types.json['data'] as unknown[]).length, 1)
    assert.equal((await call('/v1/checkout/sessions', { body: `mode=payment&${items}` })).status, 400)
  })

  test('that deletes says what is gone', async () => {
    const { json } = await call('/v1/customers', { body: '' })
    const id = String(json['id'])
    const gone = await call(`/v1/customers/${id}`, { method: 'DELETE' })
    assert.deepEqual(gone.json, { id, object: 'customer', deleted: true })
  })

  test('to an address that is none is refused, by method and address', async () => {
    for (const [method, path] of [
      ['PUT', '/v1/customers'],
      ['GET', '/v1/kayaks'],
      ['GET', '/v1'],
      ['GET', '/elsewhere'],
    ] as const) {
      const { status, headers, json } = await call(`${path}?limit=1`, { method })
      const { message } = json['error'] as { message: string }
      assert.equal(status, 404)
      assert.ok(message.startsWith(`Unrecognized request URL (${method}: ${path}). `), message)
      assert.match(headers.get('request-id') ?? '', /^req_/)
      assert.equal(headers.get('content-type'), 'application/json')
    }
  })

  test('may be as long as a form gets, and is refused when it is longer', async () => {
    const metadata = `metadata[a]=${'x'.repeat(500)}`
    const long = await call('/v1/customers', { body: `${metadata}&description=${'%78'.repeat(300_000)}` })
    assert.deepEqual([long.status, paramOf(long)], [400, 'description'])
    const longer = await call('/v1/customers', { body: `description=${'x'.repeat(2 ** 20)}` })
    assert.deepEqual([longer.status, longer.headers.get('content-type')], [413, 'application/json'])
    assert.equal((await call('/v1/customers', { body: metadata })).status, 200)
  })

  test('whose body is no form is refused', async () => {
    for (const type of ['multipart/form-data; boundary=x', 'application/xml', 'application/jsonp'])
      assert.equal(
        (await call('/v1/customers', { body: 'a', headers: { 'content-type': type } })).status,
        415,
      )
    // As at Stripe, the first version of the API reads forms only.
    for (const type of ['application/json; charset=utf-8', 'Application/JSON']) {
      const json = { body: '{"name":"Ana"}', headers: { 'content-type': type } }
      assert.equal((await call('/v1/customers', json)).json['name'], null)
    }
  })

  test('of the head alone is answered without a body', async () => {
    const response = await fetch(`${world.sandbox.url}/v1/customers`, {
      method: 'HEAD',
      headers: { authorization: 'Bearer sk_test_wire' },
    })
    assert.deepEqual([response.status, await response.text()], [200, ''])
    assert.ok(Number(response.headers.get('content-length')) > 0)
  })
})

function paramOf({ json }: Answer): string | undefined {
  return (json['error'] as { param?: string }).param
}
