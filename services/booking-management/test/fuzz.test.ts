// Every route of the booking service with generated good and bad requests. `FUZZ_RUNS=2000 FUZZ_SEED=7 npm test --
// booking-management/test/fuzz` runs longer, or again what failed; a failure prints its seed and the smallest request.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { Type } from 'typebox'
import { CreateBookingBody } from '@passerelle/contracts/booking'
import { allowed, LEAKS, nearly, NASTY_TEXTS, safeEncode } from '@passerelle/kit/test-schema-arbitrary'
import type { JsonSchema } from '@passerelle/kit/test-schema-arbitrary'
import { createApp } from '../src/app.ts'
import { PaymentStatusBody } from '../src/bookings/payment-status.routes.ts'
import { bookingConfig } from '../src/config.ts'
import { DemoSignInBody } from '../src/demo/demo.routes.ts'
import { dayFrom, environment, SERVICE_TOKEN, startService, tokenOf } from './running-service.ts'
import type { RunningService } from './running-service.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 40)
const SEED = Number(process.env['FUZZ_SEED'] ?? 4_304_242)
const ANSWER_MS_MAX = 10_000
const SECRETS = /service-token-|secret-of-the-tests/
const UNLIMITED = {
  AUTH_DEMO: 'on',
  RATE_LIMIT_FAILURES_PER_MINUTE: '0',
  RATE_LIMIT_PER_MINUTE: '0',
}

type Route = {
  readonly method: string
  readonly path: string
  readonly body?: JsonSchema
  readonly query?: string
}
const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/api/v1/tours' },
  { method: 'GET', path: '/api/v1/tours/:tourId' },
  { method: 'GET', path: '/api/v1/tours/:tourId/availability', query: 'date' },
  { method: 'GET', path: '/api/v1/bookings', query: 'limit' },
  { method: 'POST', path: '/api/v1/bookings', body: CreateBookingBody },
  { method: 'GET', path: '/api/v1/bookings/:bookingId' },
  { method: 'POST', path: '/api/v1/bookings/:bookingId/cancel', body: Type.Object({}) },
  {
    method: 'PUT',
    path: '/api/v1/bookings/:bookingId/payment-status',
    body: PaymentStatusBody,
  },
  {
    method: 'POST',
    path: '/api/v1/customers/erase',
    body: Type.Object({ customerId: Type.String({ maxLength: 255 }) }),
  },
  { method: 'POST', path: '/api/v1/auth/demo', body: DemoSignInBody },
  { method: 'DELETE', path: '/api/v1/auth/demo' },
  { method: 'GET', path: '/healthz' },
  { method: 'GET', path: '/readyz' },
  { method: 'GET', path: '/metrics' },
]

let service: RunningService
let bearers: readonly (string | undefined)[]
/** Values that mean something, by the name of the parameter: not every request should end at a 404. */
let known: Readonly<Record<string, readonly string[]>>
let good: { readonly create: object; readonly status: object }

before(async () => {
  service = await startService(UNLIMITED)
  const token = await tokenOf('cus_ana', { email: 'ana@example.test' })
  const create = { tourId: 'paris-after-dark', date: dayFrom(service.clock.now, 40), seats: 1 }
  const [first, second] = await Promise.all(
    [1, 2].map(
      async () => (await service.call('POST', '/api/v1/bookings', { token, body: create })).body.data,
    ),
  )
  known = {
    bookingId: [first.id, second.id],
    tourId: [create.tourId],
    date: [create.date],
    limit: ['1', '100'],
  }
  good = {
    create,
    status: {
      status: 'confirmed',
      paymentIntentId: 'pi_1',
      paidAt: service.clock.now.toISOString(),
      version: 1,
      paymentId: 'pay_1',
      amountMinor: first.amountMinor,
      currency: first.currency,
    },
  }
  bearers = [
    token,
    await tokenOf('cus_eve'),
    await tokenOf('ops', { roles: ['operator'] }),
    SERVICE_TOKEN,
    'nonsense',
    undefined,
  ]
})
after(() => service.stop())

type Request = {
  readonly path: Readonly<Record<string, string>>
  readonly query: readonly (readonly [string, string])[]
  readonly body: unknown
  readonly token: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

function requestOf({ path, body, query }: Route): fc.Arbitrary<Request> {
  const valueOf = (name: string): fc.Arbitrary<string> =>
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(...(Object.hasOwn(known, name) ? (known[name] ?? []) : ['1'])),
      },
      { weight: 2, arbitrary: fc.constantFrom<string>(...NASTY_TEXTS) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
    )
  const pair = (query === undefined ? fc.string() : fc.constantFrom(query, query, 'x')).chain((name) =>
    fc.tuple(fc.constant(name), valueOf(name)),
  )
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  const example = path.endsWith('/payment-status') ? good.status : good.create
  return fc.record({
    path: fc.record(Object.fromEntries(names.map((name) => [name, valueOf(name)]))),
    query: fc.array(pair, { maxLength: 3 }),
    body:
      body === undefined
        ? fc.constant(undefined)
        : fc.oneof(allowed(body), nearly(body), changed(example, body), fc.constant(example)),
    token: fc.constantFrom(...bearers),
    headers: fc.constantFrom<Record<string, string>>(
      {},
      {},
      { 'idempotency-key': 'key 1' },
      { 'idempotency-key': 'k'.repeat(300) },
      { 'content-type': 'text/html' },
      { origin: 'https://evil.test' },
      { cookie: 'passerelle-demo=%00; x' },
      { 'x-service-name': 'payment-gateway-service' },
    ),
  })
}

/** A body that means something, with one field of another value. */
function changed(example: object, { properties = {} }: JsonSchema): fc.Arbitrary<unknown> {
  const names = Object.keys(properties)
  if (names.length === 0) return fc.constant(example)
  return fc
    .constantFrom(...names)
    .chain((name) =>
      fc
        .oneof(allowed(properties[name] ?? {}), fc.constantFrom<unknown>(...NASTY_TEXTS, null, -1, 2 ** 53))
        .map((value) => ({ ...example, [name]: value })),
    )
}

async function send({ method, path }: Route, request: Request): Promise<{ status: number; text: string }> {
  const filled = path.replace(/:(\w+)/g, (_all, name: string) => safeEncode(request.path[name] ?? ''))
  const query = request.query.map(([name, value]) => `${safeEncode(name)}=${safeEncode(value)}`).join('&')
  const response = await fetch(`${service.url}${filled}?${query}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
      ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) ?? '' }),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  })
  return { status: response.status, text: await response.text() }
}

function check({ status, text }: { status: number; text: string }): void {
  assert.ok(status < 500, `answered ${status}: ${text.slice(0, 300)}`)
  for (const leak of [LEAKS, SECRETS]) assert.doesNotMatch(text.slice(0, 20_000), leak)
  if (status < 400) return
  const { success, error } = JSON.parse(text) as {
    success: boolean
    error: Readonly<Record<string, unknown>>
  }
  assert.equal(success, false)
  assert.match(String(error['code']), /^[A-Z_]+$/)
  assert.equal(typeof error['requestId'], 'string')
}

describe('every route of the booking service', () => {
  it('answers generated good and bad requests without a 500, a hang or a leak, and oversells no seat', async () => {
    const statuses = new Set<number>()
    for (const route of ROUTES)
      await fc.assert(
        fc.asyncProperty(requestOf(route), async (request) => {
          const answer = await send(route, request)
          statuses.add(answer.status)
          check(answer)
        }),
        { numRuns: RUNS, seed: SEED, endOnFailure: true },
      )
    // Without these the requests were all refused at the door, and nothing behind it was tried.
    for (const status of [200, 201, 400, 401, 403, 404])
      assert.ok(statuses.has(status), `no request was answered ${status}`)
    assert.deepEqual(
      service.logLines.filter(({ msg }) => msg === 'request.failed'),
      [],
    )
    const { rows } = await service.pool.query(
      `select tour_id, date from bookings join tours on tours.id = tour_id where holds_seats
       group by tour_id, date, seats_per_day having sum(seats) > seats_per_day`,
    )
    assert.deepEqual(rows, [])
  })

  it('is in the list above: there is no route that nobody fuzzes', async () => {
    const config = bookingConfig({ ...environment(service.databaseUrl), ...UNLIMITED })
    const app = await createApp(config, {
      pool: service.pool,
      log: service.log,
      now: () => service.clock.now,
      schemaVersion: 1,
    })
    await app.ready()
    // A tree with four characters a level, each node a piece of the path: `│   └── /:tourId (GET, HEAD)`.
    const above: string[] = []
    const added = app
      .printRoutes({ commonPrefix: false })
      .split('\n')
      .flatMap((line) => {
        const [, indent = '', piece = '', methods = ''] =
          /^(.*?)[├└]── (\S+) \(([A-Z, ]+)\)$/.exec(line) ?? []
        above.splice(indent.length / 4, Infinity, piece)
        return methods
          .split(', ')
          .filter((method) => method !== '' && method !== 'HEAD')
          .map((method) => `${method} ${above.join('')}`)
      })
    assert.deepEqual(added.toSorted(), ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted())
    await app.close()
  })
})
