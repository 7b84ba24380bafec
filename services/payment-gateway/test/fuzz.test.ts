// Every route of the OpenAPI document with generated good and bad requests. `FUZZ_RUNS=2000 FUZZ_SEED=7 npm test --
// payment-gateway/test/fuzz` runs longer, or again what failed; a failure prints its seed and the smallest request.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import Schema from 'typebox/schema'
import {
  call,
  collectingLog,
  eventJson,
  nowSeconds,
  payAtSandbox,
  SERVICE_TOKEN,
  signatureOf,
  startPlatform,
  tokenOf,
  WEBHOOK_SECRET,
} from './platform.ts'
import type { Platform } from './platform.ts'
import { allowed, LEAKS, nearly, NASTY_TEXTS, safeEncode } from '@passerelle/kit/test-schema-arbitrary'
import type { JsonSchema } from '@passerelle/kit/test-schema-arbitrary'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 12)
const SEED = Number(process.env['FUZZ_SEED'] ?? 4_304_242)
const ANSWER_MS_MAX = 10_000
const WEBHOOK = '/api/v1/payment-gateway/webhooks/stripe'
const SECRETS = /service token of|a secret of the test/i

type Parameter = {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: JsonSchema
}
type Operation = {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }>
  >
}
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

const { log, text: logged } = collectingLog()
let platform: Platform
let document: Document
let bearers: readonly (string | null)[]
/** Ids that exist, by the name of the parameter that takes them: not every request should end at a 404. */
let known: Readonly<Record<string, readonly string[]>>

before(async () => {
  platform = await startPlatform({ log, env: { RATE_LIMIT_FAILURES_PER_MINUTE: '0' } })
  document = (await (await fetch(`${platform.gateway.url}/openapi.json`)).json()) as Document
  const [paid, open] = [platform.addBooking(), platform.addBooking()]
  const sessions = await Promise.all(
    [paid, open].map(
      async ({ id }) => (await call(platform, 'POST', '/sessions', { body: { bookingId: id } })).body.data,
    ),
  )
  await payAtSandbox(platform, sessions[0]?.['sessionId'] ?? '')
  const ids = async (sql: string): Promise<string[]> =>
    (await platform.pool.query<{ id: string }>(sql)).rows.map(({ id }) => id)
  known = {
    bookingId: [paid.id, open.id],
    sessionId: sessions.map((session) => session['sessionId'] ?? ''),
    paymentId: sessions.map((session) => session['paymentId'] ?? ''),
    token: sessions.map((session) => session['statusToken'] ?? ''),
    eventId: await ids('select id from stripe_events'),
    id: await ids('select id from deliveries'),
  }
  bearers = [
    await tokenOf('cus_ana'),
    await tokenOf('ops', ['operator']),
    SERVICE_TOKEN,
    await tokenOf('cus_eve'),
    'nonsense',
    null,
  ]
})
after(() => platform.stop())

type Request = {
  readonly path: Readonly<Record<string, string>>
  readonly query: readonly (readonly [string, string])[]
  readonly body: unknown
  readonly bearer: string | null
  readonly headers: Readonly<Record<string, string>>
}

function requestOf(operation: Operation): fc.Arbitrary<Request> {
  const { parameters = [], requestBody } = operation
  const valueOf = ({ name, schema }: Parameter): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...(known[name] ?? ['1'])) },
      { weight: 2, arbitrary: allowed(schema).map(String) },
      { weight: 2, arbitrary: fc.constantFrom(...NASTY_TEXTS) },
    )
  const inPath = parameters.filter((parameter) => parameter.in === 'path')
  const inQuery = parameters.filter((parameter) => parameter.in === 'query')
  const schema = Object.values(requestBody?.content ?? {})[0]?.schema
  const body =
    schema === undefined
      ? fc.constant(undefined)
      : fc.oneof(
          allowed(schema),
          allowed(schema).map((value) => withKnownBooking(value)),
          nearly(schema),
        )
  const pair =
    inQuery.length === 0
      ? fc.tuple(fc.string(), fc.string())
      : fc
          .constantFrom(...inQuery)
          .chain((parameter) => fc.tuple(fc.constant(parameter.name), valueOf(parameter)))
  return fc.record({
    path: fc.record(Object.fromEntries(inPath.map((parameter) => [parameter.name, valueOf(parameter)]))),
    query: fc.array(pair, { maxLength: 3 }),
    body,
    bearer: fc.constantFrom(...bearers),
    headers: fc.constantFrom<Record<string, string>>(
      {},
      {},
      { 'idempotency-key': 'key 1' },
      { 'idempotency-key': 'k1' },
      { 'content-type': 'text/html' },
      { 'last-event-id': 'x' },
      { 'x-request-id': '{"a":1}' },
    ),
  })
}

function withKnownBooking(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('bookingId' in value)) return value
  return { ...value, bookingId: known['bookingId']?.[0] }
}

async function send(
  method: string,
  template: string,
  request: Request,
): Promise<{ status: number; type: string; text: string }> {
  const path = template.replace(/\{(\w+)\}/g, (_all, name: string) => safeEncode(request.path[name] ?? ''))
  const query = request.query.map(([name, value]) => `${safeEncode(name)}=${safeEncode(value)}`).join('&')
  const hasBody = request.body !== undefined && method !== 'get'
  const response = await fetch(`${platform.gateway.url}${path}${query === '' ? '' : `?${query}`}`, {
    method: method.toUpperCase(),
    redirect: 'manual',
    headers: {
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      ...request.headers,
      ...(request.bearer === null ? {} : { authorization: `Bearer ${request.bearer}` }),
    },
    ...(hasBody ? { body: JSON.stringify(request.body) ?? '' } : {}),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  })
  const type = response.headers.get('content-type') ?? ''
  // A stream does not end by itself: its first piece is its answer.
  if (!type.startsWith('text/event-stream'))
    return { status: response.status, type, text: await response.text() }
  const reader = response.body?.getReader()
  const first = await reader?.read()
  await reader?.cancel()
  return { status: response.status, type, text: Buffer.from(first?.value ?? []).toString() }
}

function check(
  operation: Operation,
  { status, type, text }: { status: number; type: string; text: string },
): void {
  assert.ok(status < 500, `answered ${status}: ${text.slice(0, 300)}`)
  for (const leak of [LEAKS, SECRETS]) assert.doesNotMatch(text.slice(0, 20_000), leak)
  if (status === 404 && text.includes('There is no ')) return
  const declared = operation.responses[String(status)]
  assert.ok(declared !== undefined, `${status} is not declared: ${text.slice(0, 300)}`)
  if (!type.startsWith('application/json')) return
  const schema = Object.entries(declared.content ?? {}).find(([name]) =>
    name.startsWith('application/json'),
  )?.[1].schema
  if (schema === undefined) return
  const resolved = '$ref' in schema ? (document.components.schemas['Error'] ?? {}) : schema
  const json: unknown = JSON.parse(text)
  assert.ok(
    Schema.Check(resolved, json),
    `the body of ${status} is not what is declared: ${text.slice(0, 500)}`,
  )
}

describe('every route of the OpenAPI document', () => {
  it('answers generated good and bad requests without a 500, a hang or a leak, and as it declares', async () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )
    assert.ok(operations.length >= 20)
    for (const { path, method, operation } of operations) {
      if (path === WEBHOOK) continue
      await fc.assert(
        fc.asyncProperty(requestOf(operation), async (request) =>
          check(operation, await send(method, path, request)),
        ),
        { numRuns: RUNS, seed: SEED, endOnFailure: true },
      )
    }
    const errors = logged()
      .split('\n')
      .filter((line) => line.includes('"request.failed"'))
    assert.deepEqual(errors, [])
  })

  it('is every route there is: no method answers that is not in it', async () => {
    for (const [path, methods] of Object.entries(document.paths))
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(
        (name) => methods[name.toLowerCase()] === undefined,
      )) {
        const response = await fetch(platform.gateway.url + path.replace(/\{\w+\}/g, 'x'), { method })
        await response.body?.cancel()
        // A word in the place of an id may be another route's; that one asks for a token first.
        assert.ok([401, 404].includes(response.status), `${method} ${path} answered ${response.status}`)
      }
  })
})

describe('the webhook parser', () => {
  const event = eventJson('payment_intent.succeeded', {
    id: 'pi_1',
    object: 'payment_intent',
    amount: 1,
    metadata: {},
  })
  /** Bytes near an event: cut, doubled, flipped, spliced. */
  const mutated = fc
    .tuple(
      fc.array(
        fc.tuple(
          fc.nat(event.length),
          fc.constantFrom('cut', 'double', 'flip', 'splice'),
          fc.string({ unit: 'binary' }),
        ),
        { maxLength: 4 },
      ),
    )
    .map(([edits]) => {
      let bytes = Buffer.from(event)
      for (const [at, how, piece] of edits) {
        if (how === 'cut') bytes = bytes.subarray(0, at)
        else if (how === 'double') bytes = Buffer.concat([bytes, bytes.subarray(at)])
        else if (how === 'flip' && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ 0x20
        else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(piece), bytes.subarray(at)])
      }
      return bytes
    })
  const fields = fc.record(
    Object.fromEntries(
      [
        'id',
        'object',
        'type',
        'created',
        'livemode',
        'api_version',
        'data',
        'account',
        'pending_webhooks',
      ].map((name) => [
        name,
        fc.oneof(
          fc.constant((JSON.parse(event) as Record<string, unknown>)[name]),
          fc.jsonValue({ maxDepth: 4 }),
          fc.constantFrom<unknown>(...NASTY_TEXTS, 1e300, -1, 253_402_300_800),
        ),
      ]),
    ),
    { requiredKeys: [] },
  )
  const body = fc.oneof(
    mutated,
    fields.map((value) => Buffer.from(JSON.stringify(value) ?? 'null')),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  )
  const headerPart = fc.oneof(
    fc.constantFrom(
      't=',
      'v1=',
      'v0=',
      't',
      '=',
      '',
      'v1=' + 'a'.repeat(64),
      't=1e9',
      't=-1',
      't=99999999999999',
      `t=${nowSeconds()}`,
      't=١٢٣',
    ),
    fc.tuple(fc.constantFrom('t', 'v1', 'v0', 'T'), fc.string()).map(([key, value]) => `${key}=${value}`),
  )
  const header = fc
    .array(headerPart, { maxLength: 30 })
    .map((parts) => parts.join(',').replace(/[^\t\x20-\x7e\x80-\xff]/g, '?'))

  const post = async (payload: Buffer, signature: string): Promise<number> => {
    const response = await fetch(platform.gateway.url + WEBHOOK, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': signature },
      body: new Uint8Array(payload),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    })
    const answer = await response.text()
    for (const leak of [LEAKS, SECRETS]) assert.doesNotMatch(answer, leak)
    assert.ok(answer.length < 200, answer)
    return response.status
  }

  it('answers 200 or 400 to whatever was signed, never a 500', async () => {
    await fc.assert(
      fc.asyncProperty(body, async (payload) => {
        const status = await post(payload, signatureOf(payload, { secret: WEBHOOK_SECRET }))
        assert.ok(status === 200 || status === 400, String(status))
      }),
      { numRuns: RUNS * 15, seed: SEED },
    )
  })

  it('answers 400 to every crafted header, and stores nothing', async () => {
    const count = async () =>
      (await platform.pool.query('select count(*) from stripe_events where id = $1', ['evt_crafted'])).rows
    const crafted = Buffer.from(
      eventJson('customer.created', { id: 'cus_1', object: 'customer' }, { id: 'evt_crafted' }),
    )
    await fc.assert(
      fc.asyncProperty(header, async (signature) => assert.equal(await post(crafted, signature), 400)),
      { numRuns: RUNS * 15, seed: SEED },
    )
    assert.deepEqual(await count(), [{ count: 0 }])
  })
})
