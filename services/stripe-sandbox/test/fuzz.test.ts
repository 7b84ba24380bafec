// Every route of the sandbox with forms near good ones, and with bodies that are none. `FUZZ_RUNS=500 FUZZ_SEED=7 npm
// test -- stripe-sandbox/test/fuzz` runs longer, or again what failed; a failure prints its seed and the smallest request.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { NASTY_TEXTS, safeEncode } from '@passerelle/kit/test-schema-arbitrary'
import type { FastifyInstance } from 'fastify'
import type { ControlDeps } from '../src/control/control.ts'
import { serveControl } from '../src/control/control.routes.ts'
import type { Relay } from '../src/listen/relay.ts'
import { operations } from '../src/sandbox.ts'
import { sessionParams, startWorld } from './merchant.ts'
import type { World } from './merchant.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 4)
const SEED = Number(process.env['FUZZ_SEED'] ?? 4_304_242)
const ANSWER_MS_MAX = 10_000
const INSIDES = /node_modules|\.ts:\d+|at \w+ \(|ECONN/
/** What went wrong with a delivery is there to be seen. */
const shownBy = (path: string, text: string): string =>
  path.startsWith('/_sandbox') ? text.replaceAll('ECONNREFUSED', '') : text

let world: World
/** Ids of objects that exist: not every request should end at "no such". */
let ids: readonly string[]

before(async () => {
  world = await startWorld()
  const { stripe } = world
  const session = await stripe.checkout.sessions.create(sessionParams())
  const customer = await stripe.customers.create({ name: 'Ana' })
  const intent = await stripe.paymentIntents.create({
    amount: 1000,
    currency: 'eur',
    confirm: true,
    payment_method: 'pm_card_visa',
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  })
  const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 10 })
  const { data: events } = await stripe.events.list({ limit: 1 })
  const endpoint = await stripe.webhookEndpoints.create({
    url: 'http://127.0.0.1:9/none',
    enabled_events: ['*'],
  })
  const disputed = await world.stripe.paymentIntents.create({
    amount: 1000,
    currency: 'eur',
    confirm: true,
    payment_method: 'pm_card_createDispute',
  })
  const dispute = await untilDisputed(disputed.id)
  ids = [
    session.id,
    dispute,
    customer.id,
    intent.id,
    typeof intent.latest_charge === 'string' ? intent.latest_charge : 'ch_1',
    refund.id,
    endpoint.id,
    ...events.map(({ id }) => id),
    'pm_card_visa',
  ]
})
after(() => world.stop())

async function untilDisputed(payment_intent: string): Promise<string> {
  await world.receiver.until((received) =>
    received.some(({ event }) => event.type === 'charge.dispute.created'),
  )
  return (await world.stripe.disputes.list({ payment_intent })).data[0]?.id ?? ''
}

type Call = {
  readonly id: string
  readonly part: string
  readonly form: string
  readonly headers: Readonly<Record<string, string>>
}

const value = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom<string>(...NASTY_TEXTS),
    fc.constantFrom(...ids),
    fc.constantFrom(
      '1',
      '0',
      '100',
      '-5',
      'true',
      'eur',
      'jpy',
      'payment',
      'http://localhost/x',
      'card',
      '{}',
      '2.5',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
  )

/** What stands behind a parameter's name: nothing, a list, names in names, and brackets that do not close. */
const suffix = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  {
    weight: 3,
    arbitrary: fc
      .array(
        fc.constantFrom(
          '[]',
          '[0]',
          '[1]',
          '[999]',
          '[id]',
          '[__proto__]',
          '[constructor]',
          '[enabled]',
          '[card]',
          '[price_data]',
          '[unit_amount]',
          '[metadata]',
        ),
        {
          maxLength: 4,
        },
      )
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom('[', ']', '[[', '[]]', '[0', '[a]b', '[1000]', '[a]'.repeat(30)) },
)

function callOf(names: readonly string[]): fc.Arbitrary<Call> {
  const name = fc.constantFrom(...names, ...names, 'expand', 'metadata', '__proto__', 'limit')
  const pair = fc.tuple(name, suffix, value()).map(([key, tail, text]) => `${key}${tail}=${safeEncode(text)}`)
  const form = fc.oneof(
    { weight: 6, arbitrary: fc.array(pair, { maxLength: 8 }).map((pairs) => pairs.join('&')) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '%',
        '%zz=1',
        '=',
        '&&&',
        'a=%ff',
        '{"a":1}',
        '<x/>',
        'a&b=c=d',
        '\0=\0',
        'a'.repeat(9000),
      ),
    },
  )
  return fc.record({
    id: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...ids) }, { weight: 1, arbitrary: value() }),
    part: value(),
    form,
    headers: fc.constantFrom<Record<string, string>>(
      {},
      {},
      {},
      { 'idempotency-key': 'one' },
      { 'idempotency-key': 'x'.repeat(300) },
      { 'stripe-version': 'yesterday' },
      { 'stripe-account': '../acct' },
      { 'content-type': 'application/json' },
      { 'content-type': 'text/html' },
      { 'content-type': 'multipart/form-data; boundary=x' },
      { authorization: 'Bearer pk_test_1' },
      { authorization: 'Basic %%%' },
      { authorization: '' },
    ),
  })
}

const CONTROL_NAMES = [
  'amount',
  'assume',
  'authenticate',
  'card',
  'code',
  'delayMs',
  'events',
  'fault',
  'on',
  'overlapSeconds',
  'reason',
  'result',
  'retries',
  'retryDelaysMs',
  'route',
  'rules',
  'seconds',
  'secret',
  'seed',
  'speed',
  'times',
  'type',
  'url',
  'verdict',
  'webhook_endpoint',
  '__proto__',
]

const jsonValue = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    value(),
    fc.constantFrom('won', 'lost', 'paid', 'failed', 'api', 'webhook', 'drop', 'complete', 'live', 'inquiry'),
    fc.constantFrom<unknown>(0, -1, 0.5, 1e9, 1e308, true, null, [], {}, [
      { on: 'api', fault: 'rate_limit' },
    ]),
    fc.jsonValue({ maxDepth: 3 }),
  )

const controlCall = (): fc.Arbitrary<Call> =>
  fc.oneof(
    callOf(CONTROL_NAMES),
    fc.record({
      id: fc.constantFrom(...ids),
      part: value(),
      form: fc.oneof(
        fc
          .dictionary(fc.constantFrom(...CONTROL_NAMES), jsonValue(), { maxKeys: 6 })
          .map((body) => JSON.stringify(body)),
        fc.jsonValue({ maxDepth: 2 }).map((body) => JSON.stringify(body)),
      ),
      headers: fc.constant({ 'content-type': 'application/json' }),
    }),
  )

/** The paths of the sandbox's own POST routes; what forgets everything comes last. */
function controlRoutes(): string[] {
  const paths: string[] = []
  const app = {
    route: ({ method, url }: { method: string; url: string }) => {
      if (method === 'POST') paths.push(url)
    },
  }
  serveControl(app as unknown as FastifyInstance, { store: {} } as unknown as ControlDeps)
  assert.ok(paths.length > 20, String(paths.length))
  return paths.toSorted((left, right) => Number(left.endsWith('/reset')) - Number(right.endsWith('/reset')))
}

function sendJson(path: string, body: unknown): Promise<Response> {
  return fetch(world.sandbox.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  })
}

async function send(method: string, path: string, call: Call): Promise<{ status: number; text: string }> {
  const at = path.replace(/:(\w+)/g, (_all, name: string) =>
    safeEncode(name === 'part' ? call.part : call.id),
  )
  const inBody = method === 'POST'
  const response = await fetch(
    `${world.sandbox.url}${at}${inBody ? '' : `?${encodeURI(call.form.toWellFormed())}`}`,
    {
      method,
      redirect: 'manual',
      headers: {
        authorization: 'Bearer sk_test_fuzz',
        'content-type': 'application/x-www-form-urlencoded',
        ...call.headers,
      },
      ...(inBody ? { body: call.form } : {}),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    },
  )
  return { status: response.status, text: await response.text() }
}

async function attack(method: string, path: string, names: readonly string[]): Promise<void> {
  await fc.assert(
    fc.asyncProperty(callOf(names.length === 0 ? ['amount'] : names), async (call) => {
      const { status, text } = await send(method, path, call)
      assert.ok(status < 500, `${method} ${path} answered ${status}: ${text.slice(0, 300)}`)
      assert.doesNotMatch(shownBy(path, text).slice(0, 20_000), INSIDES)
      assert.equal(({} as { readonly polluted?: unknown }).polluted, undefined)
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  )
}

describe('the sandbox', () => {
  it('answers generated forms on every route of its API without a 500 or a hang', async () => {
    const all = operations(() => {}, {} as Relay)
    assert.ok(all.length > 60, String(all.length))
    for (const { method, path, shape } of all) await attack(method, path, Object.keys(shape))
  })

  it('answers them on the payer’s pages too', async () => {
    const fields = ['card_number', 'email', 'method', 'code', 'outcome', 'cvc', 'exp']
    for (const path of ['/c/pay/:id', '/c/pay/:id/promotion_code', '/c/3ds/:id'])
      await attack('POST', path, fields)
    for (const path of [
      '/b/:id',
      '/c/recover/:id',
      '/c/pay/:id',
      '/c/receipt/:id',
      '/c/3ds/:id',
      '/elements/payment',
    ])
      await attack('GET', path, fields)
    for (const path of [
      '/_sandbox/payments/:id',
      '/_sandbox/events',
      '/_sandbox/events/:id',
      '/_sandbox/objects',
    ])
      await attack('GET', path, ['type', 'page'])
  })

  it('answers them on its own routes, as JSON and as a form', async () => {
    const settings: unknown = await (await fetch(`${world.sandbox.url}/_sandbox/settings`)).json()
    for (const path of controlRoutes()) {
      await fc.assert(
        fc.asyncProperty(controlCall(), async (call) => {
          const { status, text } = await send('POST', path, call)
          assert.ok(status < 500, `POST ${path} answered ${status}: ${text.slice(0, 300)}`)
          assert.doesNotMatch(shownBy(path, text).slice(0, 20_000), INSIDES)
          assert.equal(({} as { readonly polluted?: unknown }).polluted, undefined)
          // What it armed, slowed down or stopped must not answer for the next route.
          for (const [name, body] of Object.entries({ faults: {}, settings, clock: { speed: 1 } }))
            assert.equal((await sendJson(`/_sandbox/${name}`, body)).status, 200)
          await sendJson('/_sandbox/webhooks/resume', {})
        }),
        { numRuns: RUNS * 2, seed: SEED, endOnFailure: true },
      )
    }
    assert.equal((await fetch(`${world.sandbox.url}/_sandbox`)).status, 200)
  })

  it('answers what is no HTTP or no length, or cuts it off: it never waits for ever, and serves the next caller', async () => {
    const { port } = world.sandbox
    const head = 'POST /v1/customers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk_test_1\r\n'
    for (const bytes of [
      'nonsense\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      `${head}content-length: 5\r\ncontent-length: 6\r\n\r\nname=A`,
      `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`,
      `${head}content-length: -1\r\n\r\n`,
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
      'GET /v1/customers/%E0%A4%A HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      'GET //[/v1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      'TRACE / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    ]) {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
        let text = ''
        socket.setTimeout(ANSWER_MS_MAX, () => reject(new Error(`no answer to ${bytes.slice(0, 80)}`)))
        socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
        // A reset is an answer too.
        socket.on('error', () => resolve(text))
        socket.on('close', () => resolve(text))
      })
      assert.doesNotMatch(answer, /^HTTP\/1\.1 (?:2|5)/, bytes.slice(0, 80))
    }
    assert.equal(
      (await fetch(`${world.sandbox.url}/v1/balance`, { headers: { authorization: 'Bearer sk_test_1' } }))
        .status,
      200,
    )
  })
})
