import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  call,
  collectingLog,
  deliver,
  eventJson,
  eventually,
  payAtSandbox,
  signatureOf,
  startPlatform,
  tokenOf,
} from './platform.ts'
import type { Platform } from './platform.ts'

// Strings that stand nowhere else: wherever one turns up, a secret or somebody's data has got out.
const SECRET = {
  stripe: 'sk_test_CanaryStripeKey4711',
  webhook: 'whsec_CanaryWebhook4711,whsec_CanaryWebhookOld4711',
  token: 'CanaryServiceToken-4711-a,CanaryServiceToken-4711-b',
}
const SECRETS = /CanaryStripeKey|CanaryWebhook|CanaryServiceToken|a secret of the test platform/
const PERSONAL = /canary[.\w]*@|Canary Person|4000000000009995|4242424242424242|Canary Street/i

const { log, text: logged } = collectingLog()
const answers: string[] = []
let platform: Platform
before(async () => {
  platform = await startPlatform({
    log,
    // The sandbox signs with the second secret: the first is the one being rolled in.
    sandbox: { webhookSecret: 'whsec_CanaryWebhookOld4711' },
    env: {
      STRIPE_SECRET_KEY: SECRET.stripe,
      STRIPE_WEBHOOK_SECRET: SECRET.webhook,
      INTERNAL_SERVICE_TOKEN: SECRET.token,
    },
  })
})
after(() => platform.stop())

const ask = async (...args: Parameters<typeof call> extends [unknown, ...infer Rest] ? Rest : never) => {
  const answer = await call(platform, ...args)
  answers.push(JSON.stringify(answer.body))
  return answer
}

/** Uses everything, and everything that can go wrong in it, with a canary in every input. */
async function useEverything(): Promise<void> {
  const operator = { bearer: await tokenOf('ops', ['operator']) }
  const booking = platform.addBooking({ customerEmail: 'canary.booking@example.com' })
  const body = { bookingId: booking.id, customerEmail: 'canary.payer@example.com', tourName: 'Canary Person' }
  const { data } = (await call(platform, 'POST', '/sessions', { body })).body
  await payAtSandbox(platform, data['sessionId'] ?? '', '4000000000009995')
  await payAtSandbox(platform, data['sessionId'] ?? '')
  await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length > 0)
  await call(platform, 'POST', '/payments', { body: { ...body, bookingId: platform.addBooking().id } })

  await ask('GET', `/payments/${booking.id}/status?token=${data['statusToken']}`, { as: null })
  await ask('GET', `/sessions/${data['sessionId']}/verify?token=${data['statusToken']}`, { as: null })
  await ask('GET', `/payments/${booking.id}/status`, { as: 'cus_eve' })
  await ask('POST', '/sessions', { body: { ...body, amount: 1 } })
  await ask('POST', '/sessions', {
    body: { ...body, bookingId: 'canary.person@example.com', number: '4242424242424242' },
  })
  await ask('POST', '/sessions', { body: { ...body, customerEmail: 'canary.@@' } })
  await ask('GET', '/payments/x/status', { bearer: 'CanaryServiceToken-4711-wrong' })
  await ask('GET', '/payments/canary.person@example.com/status')
  await ask('POST', `/payments/${booking.id}/refunds`, { ...operator, body: { amountMinor: 99_999_999 } })
  await ask('POST', `/payments/${booking.id}/refunds`, { ...operator, body: { amountMinor: 100 } })

  const billing = {
    name: 'Canary Person',
    email: 'canary.billing@example.com',
    address: { line1: '1 Canary Street' },
  }
  const charge = eventJson('charge.succeeded', {
    id: 'ch_canary',
    object: 'charge',
    billing_details: billing,
  })
  for (const [payload, signature] of [
    [charge, signatureOf(charge, { secret: 'whsec_CanaryWebhook4711' })],
    [charge, signatureOf(charge, { secret: 'whsec_CanaryWebhookWrong4711' })],
    [
      `${charge.slice(0, -3)},`,
      signatureOf(`${charge.slice(0, -3)},`, { secret: 'whsec_CanaryWebhook4711' }),
    ],
    [charge, 'CanaryWebhookHeader'],
  ] as const)
    answers.push(JSON.stringify((await deliver(platform, payload, signature)).body))

  // What fails inside: the booking service, Stripe, the database.
  platform.booking.misbehave(401)
  await ask('POST', `/payments/${booking.id}/refunds`, { ...operator, body: { amountMinor: 200 } })
  platform.booking.misbehave(null)
  await platform.pool.query('alter table payment_attempts rename to away')
  await ask('POST', '/sessions', { body: { ...body, bookingId: platform.addBooking().id } })
  await platform.pool.query('alter table away rename to payment_attempts')

  for (const list of ['events', 'deliveries', 'payments', 'incidents', 'audit', 'overview', 'reconciliation'])
    await ask('GET', `/admin/${list}`, operator)
  await ask('GET', `/admin/payments/${data['paymentId']}`, operator)
  for (const page of [
    '/metrics',
    '/docs/',
    '/openapi.json',
    '/healthz',
    '/readyz',
    '/nowhere?token=CanaryServiceToken',
  ])
    answers.push(await (await fetch(platform.gateway.url + page)).text())
}

describe('a canary in every input and every secret', () => {
  it('turns up in no log line, no answer, no error, no metric and not in /docs', async () => {
    await useEverything()
    const log = logged()
    assert.match(log, /payment\.changed/)
    assert.match(log, /request\.failed/)
    assert.ok(answers.length > 25)
    for (const pattern of [SECRETS, PERSONAL]) {
      assert.doesNotMatch(log, pattern)
      for (const answer of answers) assert.doesNotMatch(answer, pattern)
    }
    // Neither do what lets somebody in: bearers, status tokens, client secrets, signatures.
    assert.doesNotMatch(log, /eyJhbGciOi|_secret_|v1=[0-9a-f]{16}/)
  })

  it('is kept where it must be only: the payloads and the parameters of attempts, which retention empties', async () => {
    const { rows: columns } = await platform.pool.query<{ table: string; column: string }>(
      `select table_name as table, column_name as column from information_schema.columns
       where table_schema = 'payment_gateway' and table_name not like 'webhook%'`,
    )
    const holding: string[] = []
    for (const { table, column } of columns) {
      const { rows } = await platform.pool.query<{ found: boolean }>(
        `select exists (select from ${table} where
           (case when pg_typeof(${column})::text = 'bytea' then encode(${column}::text::bytea, 'escape') else ${column}::text end) ~* $1) as found`,
        ['canary[.a-z]*@|Canary Person|Canary Street'],
      )
      if (rows[0]?.found === true) holding.push(`${table}.${column}`)
    }
    assert.deepEqual(holding.sort(), ['payment_attempts.parameters', 'stripe_events.payload'])
  })
})
