import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  call,
  deliver,
  eventJson,
  eventually,
  nowSeconds,
  payAtSandbox,
  signatureOf,
  startPlatform,
} from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform({ webhooks: false })
})
after(() => platform.stop())

type StoredEvent = { id: string; status: string; reason: string | null; error_message: string | null }

async function stored(id: string): Promise<StoredEvent | null> {
  const { rows } = await platform.pool.query<StoredEvent>(
    'select id, status, reason, error_message from stripe_events where id = $1',
    [id],
  )
  return rows[0] ?? null
}

async function metadataOf(sessionId: string): Promise<Record<string, string>> {
  const response = await fetch(`${platform.sandbox.url}/v1/checkout/sessions/${sessionId}`, {
    headers: { authorization: 'Bearer sk_test_platform' },
  })
  return ((await response.json()) as { metadata: Record<string, string> }).metadata
}

async function counts(): Promise<Record<string, number>> {
  const { rows } = await platform.pool.query<Record<string, number>>(
    `select (select count(*) from stripe_events) as events, (select count(*) from payments) as payments,
            (select count(*) from deliveries) as deliveries, (select count(*) from incidents) as incidents`,
  )
  return rows[0] ?? {}
}

const intentOfAnotherSystem = {
  id: 'pi_elsewhere',
  object: 'payment_intent',
  status: 'succeeded',
  amount: 1000,
  amount_received: 1000,
  currency: 'eur',
  livemode: false,
  metadata: {},
}

/** A paid session of a new booking, and the events the sandbox made of it, in its order. */
async function paidAtSandbox(): Promise<{ bookingId: string; sessionId: string; events: string[] }> {
  const booking = platform.addBooking()
  const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
  const sessionId = body.data['sessionId'] ?? ''
  await payAtSandbox(platform, sessionId)
  const events = await eventsAbout(sessionId, 4)
  return { bookingId: booking.id, sessionId, events }
}

async function eventsAbout(sessionId: string, atLeast: number): Promise<string[]> {
  const headers = { authorization: 'Bearer sk_test_platform' }
  const list = async (path: string) =>
    (await (await fetch(`${platform.sandbox.url}/v1/${path}`, { headers })).json()) as {
      data: { data: { object: Record<string, unknown> } }[]
    }
  const session = (await (
    await fetch(`${platform.sandbox.url}/v1/checkout/sessions/${sessionId}`, { headers })
  ).json()) as { payment_intent: string }
  return eventually('the events of the session', async () => {
    const { data } = await list('events?limit=100')
    const about = data.filter(
      ({ data: { object } }) =>
        object['id'] === sessionId ||
        object['id'] === session.payment_intent ||
        object['payment_intent'] === session.payment_intent,
    )
    return about.length >= atLeast && about.map((event) => JSON.stringify(event, null, 2))
  })
}

describe('200', () => {
  it('confirms the booking once, however the whole set of events is shuffled and repeated', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { bookingId, events } = await paidAtSandbox()
      const deliveries = [...events, ...events, ...events].sort(() => Math.random() - 0.5)
      const answers = await Promise.all(deliveries.map((payload) => deliver(platform, payload)))
      assert.deepEqual(
        answers.map(({ status, body }) => [status, body]),
        deliveries.map(() => [200, { received: true }]),
      )
      await eventually('the confirmation', () => platform.booking.toldOf(bookingId).length > 0)
      const { rows } = await platform.pool.query(
        'select version, status from deliveries where booking_id = $1',
        [bookingId],
      )
      assert.equal(rows.length, 1)
      const [told] = platform.booking.toldOf(bookingId)
      assert.equal(told?.status, 'confirmed')
      assert.equal(told?.version, 1)
      assert.equal(told?.amountMinor, 12_900)
    }
  })

  it('confirms once under 200 concurrent deliveries of one checkout.session.completed', async () => {
    const { bookingId, events } = await paidAtSandbox()
    const completed = events.find((payload) => payload.includes('"checkout.session.completed"')) ?? ''
    const answers = await Promise.all(Array.from({ length: 200 }, () => deliver(platform, completed)))
    assert.ok(answers.every(({ status }) => status === 200))
    await eventually('the confirmation', () => platform.booking.toldOf(bookingId).length > 0)
    const { rows } = await platform.pool.query(
      `select (select count(*)::int from deliveries where booking_id = $1) as deliveries,
              (select count(*)::int from payment_transitions t join payments p on p.id = t.payment_id where p.booking_id = $1 and to_status = 'succeeded') as successes`,
      [bookingId],
    )
    assert.deepEqual(rows, [{ deliveries: 1, successes: 1 }])
    assert.equal(platform.booking.toldOf(bookingId).length, 1)
  })

  it('tells the booking service what the contract says, with its headers', async () => {
    const { bookingId, events } = await paidAtSandbox()
    for (const payload of events) await deliver(platform, payload)
    const told = await eventually(
      'the confirmation',
      () => platform.booking.told.find((entry) => entry.bookingId === bookingId) ?? null,
    )
    assert.deepEqual(Object.keys(told.body).sort(), [
      'amountMinor',
      'currency',
      'paidAt',
      'paymentId',
      'paymentIntentId',
      'status',
      'version',
    ])
    assert.match(told.body.paymentIntentId ?? '', /^pi_/)
    assert.match(told.headers.authorization ?? '', /^Bearer /)
    assert.equal(told.headers['x-service-name'], 'payment-gateway-service')
    assert.ok(told.headers['x-request-id'])
    assert.match(String(told.headers['idempotency-key']), /^dlv_/)
  })

  it('stores types nobody handles and payments of other systems, without any effect', async () => {
    const unknown = eventJson(
      'customer.created',
      { id: 'cus_1', object: 'customer' },
      { id: 'evt_unknown_type' },
    )
    const foreign = eventJson('payment_intent.succeeded', intentOfAnotherSystem, { id: 'evt_foreign' })
    assert.equal((await deliver(platform, unknown)).status, 200)
    assert.equal((await deliver(platform, foreign)).status, 200)
    assert.deepEqual(await stored('evt_unknown_type'), {
      id: 'evt_unknown_type',
      status: 'skipped',
      reason: 'type_not_handled',
      error_message: null,
    })
    assert.equal((await stored('evt_foreign'))?.reason, 'not_ours')
  })

  it('confirms nothing by money on a connected account, and shows a person what names a payment of ours', async () => {
    const booking = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
    const { paymentId = '', sessionId = '' } = body.data
    const { attempt_id: attemptId = '' } = await metadataOf(sessionId)
    const object = {
      ...intentOfAnotherSystem,
      id: 'pi_connected',
      amount: 12_900,
      amount_received: 12_900,
      metadata: { payment_id: paymentId, booking_id: booking.id, attempt_id: attemptId },
    }
    const over = { id: 'evt_connected', account: 'acct_other' }
    assert.equal((await deliver(platform, eventJson('payment_intent.succeeded', object, over))).status, 200)
    const nameless = { ...object, metadata: {} }
    const other = { id: 'evt_connected_other', account: 'acct_other' }
    await deliver(platform, eventJson('payment_intent.succeeded', nameless, other))
    assert.equal((await stored('evt_connected_other'))?.reason, 'other_account')
    const { rows } = await platform.pool.query<{ kind: string; status: string }>(
      `select i.kind, p.status from payments p left join incidents i on i.payment_id = p.id where p.id = $1`,
      [paymentId],
    )
    assert.deepEqual(rows, [{ kind: 'other_account', status: 'pending' }])
    // Without the account the same event is the payment's.
    await deliver(platform, eventJson('payment_intent.succeeded', { ...object, id: 'pi_own' }))
    await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length === 1)
  })

  it('believes no event of an API version it cannot read: it asks Stripe, and holds what Stripe does not know', async () => {
    const booking = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
    const object = {
      ...intentOfAnotherSystem,
      id: 'pi_2019',
      amount: 12_900,
      amount_received: 12_900,
      metadata: { payment_id: body.data['paymentId'], booking_id: booking.id },
    }
    const payload = eventJson('payment_intent.succeeded', object, {
      id: 'evt_2019',
      apiVersion: '2019-12-03',
    })
    assert.equal((await deliver(platform, payload)).status, 200)
    const held = await eventually('the event to be held', async () => {
      const event = await stored('evt_2019')
      return event?.status === 'failed' && event
    })
    assert.match(held.error_message ?? '', /does not know/)
    assert.equal(
      (await call(platform, 'GET', `/payments/${booking.id}/status`)).body.data['status'],
      'pending',
    )
    assert.equal(platform.booking.toldOf(booking.id).length, 0)
    const { rows } = await platform.pool.query("select kind from incidents where subject = 'evt_2019'")
    assert.deepEqual(rows, [{ kind: 'event_held' }])
  })

  it('reads the object of an old-version event from Stripe and confirms by that', async () => {
    const { bookingId, events } = await paidAtSandbox()
    const completed = JSON.parse(
      events.find((payload) => payload.includes('"checkout.session.completed"')) ?? '',
    ) as { data: { object: Record<string, unknown> } }
    // The old rendering lies about the state; only Stripe's own answer counts.
    const payload = eventJson(
      'checkout.session.completed',
      { ...completed.data.object, payment_status: 'unpaid' },
      { apiVersion: '2022-11-15' },
    )
    assert.equal((await deliver(platform, payload)).status, 200)
    await eventually('the confirmation', () => platform.booking.toldOf(bookingId).length === 1)
  })

  it('keeps the bytes of a payload that no json column takes, and applies the rest of its batch', async () => {
    const { bookingId, events } = await paidAtSandbox()
    const odd = eventJson(
      'payment_intent.succeeded',
      { ...intentOfAnotherSystem, description: 'nul \u0000 and \ud800 alone' },
      { id: 'evt_odd' },
    )
    const answers = await Promise.all([odd, ...events].map((payload) => deliver(platform, payload)))
    assert.ok(answers.every(({ status }) => status === 200))
    await eventually('the confirmation', () => platform.booking.toldOf(bookingId).length === 1)
    const { rows } = await platform.pool.query<{ payload: Buffer }>(
      "select payload from stripe_events where id = 'evt_odd'",
    )
    assert.deepEqual(rows[0]?.payload, Buffer.from(odd))
  })

  it('isolates an event that cannot be applied, and applies it in seconds once its cause is mended', async () => {
    const good = await paidAtSandbox()
    const poisoned = await paidAtSandbox()
    await platform.pool.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'poison'; end $$`,
    )
    await platform.pool.query(
      `create trigger poison before update on payments for each row when (old.booking_id = '${poisoned.bookingId}') execute function refuse()`,
    )
    const answers = await Promise.all(
      [...poisoned.events, ...good.events].map((payload) => deliver(platform, payload)),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    await eventually(
      'the confirmation of the other booking',
      () => platform.booking.toldOf(good.bookingId).length === 1,
    )
    assert.equal(platform.booking.toldOf(poisoned.bookingId).length, 0)
    await platform.pool.query('drop trigger poison on payments')
    await eventually(
      'the confirmation of the poisoned one',
      () => platform.booking.toldOf(poisoned.bookingId).length === 1,
    )
  })
})

describe('400', () => {
  it('answers everything unsigned or malformed with an error and writes nothing', async () => {
    const before = await counts()
    const good = eventJson('payment_intent.succeeded', intentOfAnotherSystem)
    const cases: [string, string | Buffer, string | null][] = [
      ['no signature', good, null],
      ['empty header', good, ''],
      ['wrong secret', good, signatureOf(good, { secret: 'whsec_wrong' })],
      ['changed body', good.replace('1000', '1001'), signatureOf(good)],
      ['stale', good, signatureOf(good, { at: nowSeconds() - 400 })],
      ['from the future', good, signatureOf(good, { at: nowSeconds() + 3600 })],
      ['garbage header', good, 't=,v1=,,,===;'],
      ['invalid JSON, signed', '{"id":', signatureOf('{"id":')],
      ['no event, signed', '{"object":"charge"}', signatureOf('{"object":"charge"}')],
      ['JSON null, signed', 'null', signatureOf('null')],
      ['empty body, signed', '', signatureOf('')],
      ['not UTF-8, signed', Buffer.from([0xff, 0xfe, 0x7b]), signatureOf(Buffer.from([0xff, 0xfe, 0x7b]))],
      [
        'livemode as text',
        good.replace('"livemode": false', '"livemode": "no"'),
        signatureOf(good.replace('"livemode": false', '"livemode": "no"')),
      ],
    ]
    for (const [what, payload, signature] of cases) {
      const answer = await deliver(platform, payload, signature)
      assert.equal(answer.status, 400, what)
      assert.equal(typeof answer.body.error, 'string', what)
      assert.doesNotMatch(JSON.stringify(answer.body), /whsec|node_modules|Error:/, what)
    }
    assert.deepEqual(await counts(), before)
  })

  it('refuses events of the other mode, and writes nothing', async () => {
    const before = await counts()
    const payload = eventJson(
      'payment_intent.succeeded',
      { ...intentOfAnotherSystem, livemode: true },
      { livemode: true },
    )
    assert.equal((await deliver(platform, payload)).status, 400)
    assert.deepEqual(await counts(), before)
  })
})

describe('403', () => {
  it('lets only listed addresses in when the list is on', async () => {
    const closed = await startPlatform({ webhooks: false, env: { STRIPE_IP_ALLOWLIST: 'on' } })
    const open = await startPlatform({ webhooks: false, env: { STRIPE_IP_ALLOWLIST: '127.0.0.0/8' } })
    try {
      const payload = eventJson('customer.created', { id: 'cus_1', object: 'customer' })
      assert.equal((await deliver(closed, payload)).status, 403)
      assert.equal((await deliver(open, payload)).status, 200)
    } finally {
      await closed.stop()
      await open.stop()
    }
  })
})

describe('413', () => {
  it('refuses a body of 2 MB before reading it as anything', async () => {
    const before = await counts()
    const payload = eventJson('payment_intent.succeeded', {
      ...intentOfAnotherSystem,
      description: 'x'.repeat(2_000_000),
    })
    assert.equal((await deliver(platform, payload)).status, 413)
    assert.deepEqual(await counts(), before)
  })
})

describe('500', () => {
  it('acknowledges nothing it could not store, and takes the same event once the database is back', async () => {
    const broken = await startPlatform({ webhooks: false })
    try {
      const payload = eventJson('customer.created', { id: 'cus_1', object: 'customer' }, { id: 'evt_twice' })
      await broken.pool.query('alter table stripe_events rename to away')
      const refused = await deliver(broken, payload)
      assert.equal(refused.status, 500)
      assert.doesNotMatch(JSON.stringify(refused.body), /away|relation|stripe_events/)
      await broken.pool.query('alter table away rename to stripe_events')
      assert.equal((await deliver(broken, payload)).status, 200)
    } finally {
      await broken.stop()
    }
  })
})

describe('503', () => {
  it('refuses what it has no room for while the database stands still, and acknowledges nothing before the commit', async () => {
    const full = await startPlatform({ webhooks: false })
    const lock = await full.pool.connect()
    try {
      await lock.query('begin; lock table stripe_events in access exclusive mode')
      let acknowledged = 0
      let refused = 0
      const payloads = Array.from({ length: 60 }, (_, index) =>
        eventJson('customer.created', { id: `cus_${index}`, object: 'customer', note: 'x'.repeat(900_000) }),
      )
      const answers = payloads.map(async (payload) => {
        const answer = await deliver(full, payload)
        if (answer.status === 200) acknowledged += 1
        if (answer.status === 503) refused += 1
        return answer
      })
      await eventually('a refusal', () => refused > 0)
      assert.equal(acknowledged, 0)
      await lock.query('rollback')

      const settled = await Promise.all(answers)
      for (const { status, headers } of settled)
        if (status === 503) assert.equal(headers.get('retry-after'), '1')
      assert.deepEqual(new Set(settled.map(({ status }) => status)), new Set([200, 503]))
      const { rows } = await full.pool.query<{ stored: number }>(
        'select count(*)::int as stored from stripe_events',
      )
      assert.equal(rows[0]?.stored, settled.filter(({ status }) => status === 200).length)
      const again = payloads.filter((_, index) => settled[index]?.status === 503)
      for (const payload of again) assert.equal((await deliver(full, payload)).status, 200)
    } finally {
      lock.release(true)
      await full.stop()
    }
  })
})
