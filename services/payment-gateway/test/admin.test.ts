import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { createLog } from '@passerelle/kit/log'
import { createPool, inTransaction } from '@passerelle/kit/database'
import { auditHash } from '../src/admin/audit.ts'
import { appendAudit, listAudit, verifyAudit } from '../src/admin/audit.repository.ts'
import { SCHEMA } from '../src/app.ts'
import {
  call,
  deliver,
  eventJson,
  eventually,
  payAtSandbox,
  SERVICE_TOKEN,
  startPlatform,
  tokenOf,
} from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
let operator: string
before(async () => {
  platform = await startPlatform({ sandbox: { settings: { chargeUpdatedDelayMs: 20 } } })
  operator = await tokenOf('ops_lea', ['operator'])
})
after(() => platform.stop())

type Page = {
  readonly status: number
  readonly items: readonly Readonly<Record<string, unknown>>[]
  readonly nextCursor: string | null
  readonly code: string | undefined
}

async function list(path: string, bearer = operator): Promise<Page> {
  const { status, body } = await call(platform, 'GET', path, { bearer })
  const page = body as unknown as { data: Page['items']; nextCursor: string | null }
  return { status, items: page.data, nextCursor: page.nextCursor, code: body.error?.code }
}

async function look(path: string): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await call(platform, 'GET', path, { bearer: operator })
  assert.equal(status, 200, JSON.stringify(body))
  return body.data
}

const act = (path: string, body?: unknown, bearer = operator) =>
  call(platform, 'POST', path, { bearer, ...(body === undefined ? {} : { body }) })

async function paid(
  amountMinor = 12_900,
): Promise<{ bookingId: string; paymentId: string; sessionId: string }> {
  const booking = platform.addBooking({ amountMinor })
  const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
  await payAtSandbox(platform, body.data['sessionId'] ?? '')
  await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length > 0)
  await eventually('its record', async () => {
    const { items } = await list(`/admin/deliveries?bookingId=${booking.id}&status=delivered`)
    return items.length === 1
  })
  return {
    bookingId: booking.id,
    paymentId: body.data['paymentId'] ?? '',
    sessionId: body.data['sessionId'] ?? '',
  }
}

/** A payment made elsewhere for a booking that nobody knows (yet). */
async function skippedEvent(bookingId: string): Promise<{ eventId: string; intentId: string }> {
  const form = new URLSearchParams({
    amount: '12900',
    currency: 'eur',
    confirm: 'true',
    payment_method: 'pm_card_visa',
    'automatic_payment_methods[enabled]': 'true',
    return_url: 'http://localhost/back',
    'metadata[booking_id]': bookingId,
  })
  const response = await fetch(`${platform.sandbox.url}/v1/payment_intents`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_platform' },
    body: form,
  })
  const { id: intentId } = (await response.json()) as { id: string }
  const eventId = await eventually('the event to be skipped', async () => {
    const { rows } = await platform.pool.query<{ id: string }>(
      "select id from stripe_events where object_id = $1 and type = 'payment_intent.succeeded' and status = 'skipped'",
      [intentId],
    )
    return rows[0]?.id ?? null
  })
  return { eventId, intentId }
}

/** An event about an object Stripe does not know, in a version that must be asked about: it is held. */
async function heldEvent(): Promise<string> {
  const id = `evt_${randomUUID().replaceAll('-', '')}`
  const intent = {
    id: `pi_${randomUUID().replaceAll('-', '')}`,
    object: 'payment_intent',
    status: 'succeeded',
    amount: 1000,
    amount_received: 1000,
    currency: 'eur',
    livemode: false,
    metadata: { booking_id: 'bkg_none' },
  }
  const payload = eventJson('payment_intent.succeeded', intent, { id, apiVersion: '2019-01-01' })
  assert.equal((await deliver(platform, payload)).status, 200)
  await eventually(
    'the event to be held',
    async () => (await look(`/admin/events/${id}`))['status'] === 'failed',
  )
  return id
}

async function auditOf(subject: string): Promise<Page['items']> {
  return (await list(`/admin/audit?subject=${encodeURIComponent(subject)}`)).items
}

const EVENTS_OF_A_PAYMENT = [
  'payment_intent.created',
  'payment_intent.succeeded',
  'charge.updated',
  'checkout.session.completed',
]
const READS = [
  '/admin/events',
  '/admin/events/evt_none',
  '/admin/deliveries',
  '/admin/deliveries/dlv_none',
  '/admin/payments',
  '/admin/payments/pay_none',
  '/admin/incidents',
  '/admin/audit',
  '/admin/audit/verify',
  '/admin/overview',
]
const ACTIONS: readonly (readonly [string, unknown])[] = [
  ['/admin/events/evt_none/replay', undefined],
  ['/admin/events/replay', { status: 'failed' }],
  ['/admin/deliveries/dlv_none/redeliver', undefined],
  ['/admin/deliveries/redeliver', { status: 'dead' }],
  ['/admin/incidents/999999/resolve', { reason: 'looked at it' }],
]

describe('every admin route', () => {
  const all = () => [
    ...READS.map((path) => ({ method: 'GET', path, body: undefined as unknown })),
    ...ACTIONS.map(([path, body]) => ({ method: 'POST', path, body })),
  ]
  const ask = ({ method, path, body }: ReturnType<typeof all>[number], bearer: string | null) =>
    call(platform, method, path, {
      ...(bearer === null ? { as: null } : { bearer }),
      ...(body === undefined ? {} : { body }),
    })

  it('answers 401 to who shows no token or a wrong one', async () => {
    for (const route of all())
      for (const bearer of [null, 'nonsense']) {
        const answer = await ask(route, bearer)
        assert.deepEqual(
          [route.path, answer.status, answer.body.error.code],
          [route.path, 401, 'UNAUTHENTICATED'],
        )
      }
  })

  it('answers 403 to a customer, before it looks at what is asked', async () => {
    const customer = await tokenOf('cus_ana')
    for (const route of all()) {
      const answer = await ask(route, customer)
      assert.deepEqual([route.path, answer.status, answer.body.error.code], [route.path, 403, 'FORBIDDEN'])
    }
    const { status } = await call(platform, 'POST', '/admin/events/replay', {
      bearer: customer,
      body: { status: 'nonsense' },
    })
    assert.equal(status, 403)
  })

  it('answers 404 for what does not exist, with a sentence', async () => {
    const named = all().filter(({ path }) => /none|999999/.test(path))
    assert.equal(named.length, 6)
    for (const route of named) {
      const answer = await ask(route, operator)
      assert.deepEqual([route.path, answer.status, answer.body.error.code], [route.path, 404, 'NOT_FOUND'])
    }
  })

  it('answers 400 for what it cannot read, and changes nothing', async () => {
    const { items: before } = await list('/admin/audit')
    const cases: [string, string, unknown][] = [
      ['GET', '/admin/events?limit=0', undefined],
      ['GET', '/admin/events?limit=101', undefined],
      ['GET', '/admin/events?limit=ten', undefined],
      ['GET', '/admin/events?status=lost', undefined],
      ['GET', '/admin/events?cursor=nonsense', undefined],
      ['GET', `/admin/events?cursor=${cursorOf(['2026-02-30 00:00:00+00', 'x'])}`, undefined],
      ['GET', `/admin/events?cursor=${cursorOf(['2026-02-20 00:00:00+00', '\0'])}`, undefined],
      ['GET', `/admin/incidents?cursor=${cursorOf(['2026-02-20 00:00:00+00', 'evt_1'])}`, undefined],
      ['GET', '/admin/payments?status=paid', undefined],
      ['GET', '/admin/payments?q=%00', undefined],
      ['GET', '/admin/payments/%00', undefined],
      ['GET', '/admin/deliveries?status=failed', undefined],
      ['POST', '/admin/events/replay', {}],
      ['POST', '/admin/events/replay', { dryRun: true }],
      ['POST', '/admin/events/replay', { status: 'failed', limit: 501 }],
      ['POST', '/admin/events/replay', { since: 'yesterday' }],
      ['POST', '/admin/events/replay', { since: '0000-01-01T00:00:00Z' }],
      ['POST', '/admin/deliveries/redeliver', { limit: 5 }],
      ['POST', '/admin/incidents/1/resolve', {}],
      ['POST', '/admin/incidents/one/resolve', { reason: 'x' }],
    ]
    for (const [method, path, body] of cases) {
      const answer = await call(platform, method, path, {
        bearer: operator,
        ...(body === undefined ? {} : { body }),
      })
      assert.deepEqual([path, answer.status, answer.body.error?.code], [path, 400, 'VALIDATION_ERROR'])
    }
    assert.deepEqual((await list('/admin/audit')).items, before)
  })

  it('is open to the services of the platform', async () => {
    for (const path of READS.filter((path) => !path.includes('none')))
      assert.equal((await call(platform, 'GET', path, { bearer: SERVICE_TOKEN })).status, 200, path)
  })
})

const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('GET /admin lists answer 200', () => {
  it('pages through everything once, newest first, also through rows of one instant', async () => {
    const ids = Array.from({ length: 23 }, (_, index) => `evt_page_${String(index).padStart(2, '0')}`)
    await platform.pool.query(
      `insert into stripe_events (id, type, livemode, payload, status, created_at)
       select id, 'page.test', false, '{}', 'skipped', now() from unnest($1::text[]) as n(id)`,
      [ids],
    )
    const seen: unknown[] = []
    let cursor: string | null = null
    let pages = 0
    do {
      const page: Page = await list(
        `/admin/events?type=page.test&limit=5${cursor === null ? '' : `&cursor=${cursor}`}`,
      )
      seen.push(...page.items.map((item) => item['eventId']))
      cursor = page.nextCursor
      pages += 1
    } while (cursor !== null)
    assert.equal(pages, 5)
    assert.deepEqual(seen, ids.toReversed())
    assert.equal((await list('/admin/events')).items.length <= 50, true)
  })

  it('filters events, deliveries and payments by booking and status', async () => {
    const { bookingId, paymentId } = await paid()
    const events = await list(`/admin/events?bookingId=${bookingId}`)
    assert.ok(events.items.length > 0)
    assert.ok(
      events.items.every((event) => event['paymentId'] === paymentId && event['bookingId'] === bookingId),
    )
    const completed = await list(
      `/admin/events?bookingId=${bookingId}&type=checkout.session.completed&status=processed`,
    )
    assert.equal(completed.items.length, 1)
    const deliveries = await list(`/admin/deliveries?bookingId=${bookingId}&type=confirmed`)
    assert.deepEqual(
      deliveries.items.map((it) => [it['status'], it['announces'], it['version'], it['attemptCount']]),
      [['delivered', 'confirmed', 1, 1]],
    )
    const payments = await list(`/admin/payments?bookingId=${bookingId}&status=succeeded`)
    assert.deepEqual(
      payments.items.map((it) => [it['paymentId'], it['amount'], it['amountMinor'], it['announced']]),
      [[paymentId, 129, 12_900, 'confirmed']],
    )
    assert.deepEqual((await list(`/admin/payments?bookingId=${bookingId}&status=failed`)).items, [])
    assert.deepEqual((await list('/admin/events?bookingId=bkg_unknown')).items, [])
  })

  it('finds a payment by any id that leads to it', async () => {
    const { bookingId, paymentId, sessionId } = await paid()
    const { items: events } = await list(`/admin/events?bookingId=${bookingId}`)
    const { items: deliveries } = await list(`/admin/deliveries?bookingId=${bookingId}`)
    const payment = await look(`/admin/payments/${paymentId}`)
    const ids = [
      bookingId,
      paymentId,
      sessionId,
      payment['paymentIntentId'],
      events[0]?.['eventId'],
      deliveries[0]?.['id'],
    ]
    for (const id of ids) {
      const { items } = await list(`/admin/payments?q=${String(id)}`)
      assert.deepEqual([id, items.map((it) => it['paymentId'])], [id, [paymentId]])
    }
    assert.deepEqual((await list('/admin/payments?q=pi_unknown')).items, [])
  })
})

describe('GET /admin/events/:eventId answers 200', () => {
  it('shows the payload as Stripe sent it, or its bytes when they are no JSON', async () => {
    const { bookingId } = await paid()
    const { items } = await list(`/admin/events?bookingId=${bookingId}&type=checkout.session.completed`)
    const event = await look(`/admin/events/${String(items[0]?.['eventId'])}`)
    const payload = event['payload'] as { id: string; data: { object: { object: string } } }
    assert.equal(payload.id, event['eventId'])
    assert.equal(payload.data.object.object, 'checkout.session')
    assert.equal(event['payloadBase64'], null)
    await platform.pool.query(
      "insert into stripe_events (id, type, livemode, payload, status, created_at) values ('evt_bytes', 'odd', false, $1, 'skipped', now())",
      [Buffer.from([0xff, 0x00, 0x7b])],
    )
    const odd = await look('/admin/events/evt_bytes')
    assert.deepEqual([odd['payload'], odd['payloadBase64']], [null, '/wB7'])
  })
})

describe('GET /admin/payments/:paymentId answers 200', () => {
  it('tells the whole story in order: attempt, events, changes, money, deliveries, operators', async () => {
    const { bookingId, paymentId } = await paid()
    const refund = await call(platform, 'POST', `/payments/${bookingId}/refunds`, {
      bearer: operator,
      body: { amountMinor: 900, reason: 'requested_by_customer' },
    })
    assert.equal(refund.status, 200)
    const { items } = await list(`/admin/deliveries?bookingId=${bookingId}&type=confirmed`)
    await act(`/admin/deliveries/${String(items[0]?.['id'])}/redeliver`, { reason: 'the guest asked' })
    await eventually('everything to be told', () => platform.booking.toldOf(bookingId).length >= 3)
    const payment = await look(`/admin/payments/${paymentId}`)
    const timeline = payment['timeline'] as { at: string; kind: string; what: string; detail: object }[]
    const times = timeline.map(({ at }) => at)
    assert.deepEqual(times, times.toSorted())
    for (const entry of timeline) {
      assert.match(entry.at, /Z$/)
      assert.doesNotMatch(entry.what, /undefined|null|NaN|\[object/)
    }
    const kinds = new Set(timeline.map(({ kind }) => kind))
    for (const kind of [
      'payment',
      'attempt',
      'event',
      'transition',
      'ledger',
      'delivery',
      'delivery_attempt',
    ])
      assert.ok(kinds.has(kind), kind)
    for (const kind of ['refund_request', 'refund', 'audit']) assert.ok(kinds.has(kind), kind)
    const sentences = timeline.map(({ what }) => what)
    assert.ok(
      sentences.some((what) => what.startsWith('pending → succeeded because of evt_')),
      sentences.join('\n'),
    )
    assert.ok(sentences.includes('refund of 9.00 eur asked for by ops_lea: made, requested_by_customer'))
    assert.ok(
      sentences.some((what) => /^ops_lea: delivery.redelivered: dlv_\w+, the guest asked$/.test(what)),
    )
    assert.equal(payment['timelineComplete'], true)
    assert.equal(payment['refundedAmountMinor'], 900)
  })
})

describe('POST /admin/events/:eventId/replay answers 200', () => {
  it('applies a skipped event once its cause is mended, and the booking is confirmed', async () => {
    const bookingId = `bkg_${randomUUID()}`
    const { eventId } = await skippedEvent(bookingId)
    platform.addBooking({ id: bookingId })
    const answer = await act(`/admin/events/${eventId}/replay`, { reason: 'the booking was restored' })
    assert.equal(answer.status, 200)
    assert.equal(answer.body.data['status'], 'received')
    await eventually('the confirmation', () => platform.booking.toldOf(bookingId).length > 0)
    // Another event of the payment that was still owed may have brought it first.
    const event = await eventually('the event to be applied', async () => {
      const now = await look(`/admin/events/${eventId}`)
      return now['status'] === 'processed' && now
    })
    assert.equal(event['bookingId'], bookingId)
    const [entry] = await auditOf(eventId)
    assert.deepEqual(
      [entry?.['actor'], entry?.['action'], entry?.['reason'], entry?.['after'], entry?.['requestId']],
      [
        'ops_lea',
        'event.replayed',
        'the booking was restored',
        { status: 'received' },
        answer.headers.get('x-request-id'),
      ],
    )
    assert.deepEqual((entry?.['before'] as { status: string } | undefined)?.status, 'skipped')
  })

  it('applies an event that poisoned its batch, after what broke it is mended', async () => {
    const booking = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
    const paymentId = body.data['paymentId'] ?? ''
    await platform.pool.query(`
      create function poison() returns trigger language plpgsql as $$
      begin if new.id = '${paymentId}' then raise exception 'poisoned'; end if; return new; end $$;
      create trigger poison before update on payments for each row execute function poison()`)
    await payAtSandbox(platform, body.data['sessionId'] ?? '')
    // Its many tries take an hour; here the last is the next.
    const eventId = await eventually('the event to be given up', async () => {
      await platform.pool.query(
        `update stripe_events set attempts = 35, retry_at = now() where status = 'received' and attempts < 36
           and type = 'checkout.session.completed' and error_message like '%poisoned%'`,
      )
      const { rows } = await platform.pool.query<{ id: string }>(
        "select id from stripe_events where status = 'failed' and error_message like '%poisoned%'",
      )
      return rows[0]?.id ?? null
    })
    const open = await list('/admin/incidents?type=event_held&status=open')
    assert.ok(open.items.some((incident) => incident['subject'] === eventId))
    const overview = (await look('/admin/overview'))['events'] as { failed: number }
    assert.ok(overview.failed >= 1)
    await platform.pool.query('drop trigger poison on payments; drop function poison()')
    assert.equal((await act(`/admin/events/${eventId}/replay`)).status, 200)
    await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length > 0)
    assert.equal((await look(`/admin/events/${eventId}`))['status'], 'processed')
    const resolved = await list('/admin/incidents?type=event_held&status=resolved')
    const incident = resolved.items.find((incident) => incident['subject'] === eventId)
    assert.deepEqual([incident?.['resolvedBy'], incident?.['resolvedBecause']], ['ops_lea', 'replayed'])
  })

  it('opens the incident again when the replay fails again', async () => {
    const id = await heldEvent()
    assert.equal((await act(`/admin/events/${id}/replay`)).status, 200)
    await eventually(
      'the event to be held again',
      async () => (await look(`/admin/events/${id}`))['status'] === 'failed',
    )
    const { items } = await list('/admin/incidents?type=event_held&status=open')
    assert.equal(items.filter((incident) => incident['subject'] === id).length, 1)
  })

  it('changes nothing when the event was processed: no payment, no posting, no delivery', async () => {
    const { bookingId, paymentId } = await paid()
    const state = async () => {
      const { rows } = await platform.pool.query(
        `select p.version, p.known, p.announced_version,
           (select count(*) from deliveries where payment_id = p.id) as deliveries,
           (select count(*) from ledger_entries where payment_id = p.id) as entries,
           (select count(*) from payment_transitions where payment_id = p.id) as transitions
         from payments p where id = $1`,
        [paymentId],
      )
      return rows
    }
    // The fee is read when the charge has settled: nothing of this payment changes by itself after that.
    await eventually('all events and the fee', async () => {
      const { rows } = await platform.pool.query(
        "select 1 from ledger_entries where payment_id = $1 and account = 'stripe_fees'",
        [paymentId],
      )
      const types = (await list(`/admin/events?bookingId=${bookingId}`)).items.map(({ type }) => type)
      return rows.length > 0 && EVENTS_OF_A_PAYMENT.every((type) => types.includes(type))
    })
    const before = await state()
    for (const event of (await list(`/admin/events?bookingId=${bookingId}`)).items) {
      const id = String(event['eventId'])
      assert.equal((await act(`/admin/events/${id}/replay`)).status, 200)
      await eventually(
        'it to be processed',
        async () => (await look(`/admin/events/${id}`))['status'] === 'processed',
      )
    }
    assert.deepEqual(await state(), before)
    assert.equal(platform.booking.toldOf(bookingId).length, 1)
  })
})

describe('POST /admin/events/:eventId/replay answers 409', () => {
  it('when the payload has been redacted', async () => {
    await platform.pool.query(
      `insert into stripe_events (id, type, livemode, payload, status, created_at, redacted_at)
       values ('evt_redacted', 'payment_intent.succeeded', false, '', 'failed', now(), now())`,
    )
    const answer = await act('/admin/events/evt_redacted/replay')
    assert.deepEqual([answer.status, answer.body.error.code], [409, 'INVALID_STATE'])
    assert.match(answer.body.error.message, /redacted/)
    assert.equal((await look('/admin/events/evt_redacted'))['status'], 'failed')
    assert.deepEqual(await auditOf('evt_redacted'), [])
  })
})

describe('POST /admin/events/replay answers 200', () => {
  it('tells on a dry run which events it would take and changes nothing; then takes the oldest of them', async () => {
    await platform.pool.query(
      `insert into stripe_events (id, type, livemode, payload, status, created_at, received_at)
       select 'evt_many_' || n, 'many.test', false, convert_to('{}', 'UTF8'), 'failed', now(), now() - n * interval '1 hour'
       from generate_series(1, 7) n`,
    )
    const rows = async () =>
      (await platform.pool.query("select * from stripe_events where type = 'many.test' order by id")).rows
    const untouched = await rows()
    const audited = (await list('/admin/audit')).items.length
    const dry = await act('/admin/events/replay', {
      type: 'many.test',
      status: 'failed',
      dryRun: true,
      limit: 5,
    })
    const plan = dry.body.data as unknown as {
      matched: number
      selected: number
      dryRun: boolean
      items: { eventId: string }[]
    }
    assert.deepEqual([plan.dryRun, plan.matched, plan.selected], [true, 7, 5])
    assert.deepEqual(
      plan.items.map(({ eventId }) => eventId),
      [7, 6, 5, 4, 3].map((n) => `evt_many_${n}`),
    )
    assert.deepEqual(await rows(), untouched)
    assert.equal((await list('/admin/audit')).items.length, audited)

    const until = new Date(Date.now() - 2.5 * 3_600_000).toISOString()
    const real = await act('/admin/events/replay', { type: 'many.test', until, reason: 'after the outage' })
    const done = real.body.data as unknown as typeof plan
    assert.deepEqual([done.dryRun, done.matched, done.selected], [false, 5, 5])
    // Their payload is no event, so the worker holds each again: what was replayed was really worked on.
    await eventually('the worker to have had them', async () => {
      const { rows } = await platform.pool.query<{ id: string }>(
        "select id from stripe_events where type = 'many.test' and status = 'failed' and error_message is not null",
      )
      return rows.length === 5
    })
    for (const { eventId } of done.items) assert.equal((await auditOf(eventId)).length, 1)
    assert.deepEqual(await auditOf('evt_many_1'), [])
  })
})

describe('POST /admin/deliveries redeliver answers 200', () => {
  it('sends a delivered one again, with the same version and key', async () => {
    const { bookingId } = await paid()
    const { items } = await list(`/admin/deliveries?bookingId=${bookingId}`)
    const id = String(items[0]?.['id'])
    const answer = await act(`/admin/deliveries/${id}/redeliver`)
    assert.deepEqual([answer.status, answer.body.data['status']], [200, 'pending'])
    await eventually('the repetition', () => platform.booking.toldOf(bookingId).length === 2)
    const told = platform.booking.told.filter((entry) => entry.bookingId === bookingId)
    assert.deepEqual(told[1]?.body, told[0]?.body)
    assert.deepEqual(
      told.map(({ headers }) => headers['idempotency-key']),
      [id, id],
    )
    await eventually(
      'its record',
      async () => (await look(`/admin/deliveries/${id}`))['status'] === 'delivered',
    )
    const detail = await look(`/admin/deliveries/${id}`)
    const attempts = detail['attempts'] as { number: number; outcome: string; responseStatus: number }[]
    assert.deepEqual(
      attempts.map((attempt) => [attempt.number, attempt.outcome, attempt.responseStatus]),
      [
        [1, 'delivered', 200],
        [2, 'delivered', 200],
      ],
    )
    assert.equal((detail['body'] as { status: string }).status, 'confirmed')
    assert.deepEqual(
      (await auditOf(id)).map((entry) => entry['action']),
      ['delivery.redelivered'],
    )
  })

  it('sends the dead ones of a filter again once the booking service takes them; a dry run sends none', async () => {
    platform.booking.misbehave(422)
    const bookings = await Promise.all(
      [1, 2, 3].map(async () => {
        const booking = platform.addBooking()
        const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
        await payAtSandbox(platform, body.data['sessionId'] ?? '')
        return booking.id
      }),
    )
    await eventually(
      'three dead letters',
      async () => (await list('/admin/deliveries?status=dead')).items.length === 3,
    )
    assert.equal((await list('/admin/incidents?type=delivery_dead&status=open')).items.length, 3)
    platform.booking.misbehave(null)
    const calls = platform.booking.calls()
    const dry = await act('/admin/deliveries/redeliver', { status: 'dead', dryRun: true })
    assert.deepEqual([dry.body.data['matched'], dry.body.data['selected']], [3, 3])
    assert.equal((await list('/admin/deliveries?status=dead')).items.length, 3)
    assert.equal(platform.booking.calls(), calls)
    const real = await act('/admin/deliveries/redeliver', {
      status: 'dead',
      type: 'confirmed',
      reason: 'mended',
    })
    assert.equal(real.body.data['selected'], 3)
    for (const id of bookings)
      await eventually('the confirmation', () => platform.booking.toldOf(id).length === 1)
    await eventually(
      'none dead',
      async () => (await list('/admin/deliveries?status=dead')).items.length === 0,
    )
    assert.equal((await list('/admin/incidents?type=delivery_dead&status=open')).items.length, 0)
  })
})

describe('POST /admin/incidents/:id/resolve', () => {
  it('answers 200 and remembers who and why; the second time 409', async () => {
    const { rows } = await platform.pool.query<{ id: number }>(
      `insert into incidents (kind, subject, detail) values ('amount_mismatch', 'pi_test', '{"receivedMinor": 5}') returning id`,
    )
    const path = `/admin/incidents/${rows[0]?.id}/resolve`
    const answer = await act(path, { reason: 'refunded by hand' })
    assert.equal(answer.status, 200)
    assert.deepEqual(
      [answer.body.data['status'], answer.body.data['resolvedBy'], answer.body.data['resolvedBecause']],
      ['resolved', 'ops_lea', 'refunded by hand'],
    )
    const again = await act(path, { reason: 'again' })
    assert.deepEqual([again.status, again.body.error.code], [409, 'INVALID_STATE'])
    assert.equal((await auditOf(`incident ${rows[0]?.id}`)).length, 1)
  })
})

describe('the audit log', () => {
  const entry = (subject: string) => ({
    actor: 'ops_lea',
    action: 'test.done',
    subject,
    paymentId: null,
    reason: null,
    before: { b: 1, a: [1.5, 'é', null], nested: { z: true, y: undefined } },
    after: null,
    requestId: 'req_test',
  })

  it('is one unbroken chain when many write at the same time', async () => {
    const log = createLog({ name: 'test', level: 'silent' })
    const many = createPool({
      url: platform.database.url,
      schema: SCHEMA,
      applicationName: 'audit test',
      connectionsMax: 8,
      log,
    })
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        inTransaction(many, (tx) => appendAudit(tx, [entry(`a${index}`), entry(`b${index}`)])),
      ),
    )
    await many.end()
    const verification = await verifyAudit(platform.pool)
    assert.equal(verification.broken, null)
    assert.ok(verification.entries >= 80)
    assert.deepEqual(await look('/admin/audit/verify'), verification)
  })

  it('lets nobody change, remove or empty it', async () => {
    for (const sql of ["update audit_log set actor = 'x'", 'delete from audit_log', 'truncate audit_log'])
      await assert.rejects(platform.pool.query(sql), /never changed/)
  })

  it('shows which entry was changed, removed or slipped in by who could switch the guard off', async () => {
    const ten = Array.from({ length: 10 }, (_, index) => entry(`chained ${index}`))
    await inTransaction(platform.pool, (tx) => appendAudit(tx, ten))
    const tampered = async (sql: string): Promise<{ id: number; because: string } | null> => {
      const tx = await platform.pool.connect()
      try {
        // Rolled back at the end: the log of the other tests stays whole.
        await tx.query('begin; alter table audit_log disable trigger audit_log_is_append_only')
        await tx.query(sql)
        return (await verifyAudit(tx as unknown as typeof platform.pool)).broken
      } finally {
        await tx.query('rollback')
        tx.release()
      }
    }
    assert.equal(await tampered('select 1'), null)
    const cases: [string, number][] = [
      ["update audit_log set actor = 'somebody else' where id = 5", 5],
      ["update audit_log set reason = 'because' where id = 6", 6],
      ['update audit_log set before = \'{"status": "dead"}\' where id = 7', 7],
      ["update audit_log set at = at + interval '1 millisecond' where id = 8", 8],
      ['delete from audit_log where id = 9', 9],
      ['delete from audit_log where id = 1', 1],
      ['update audit_log set previous_hash = hash where id = 10', 10],
    ]
    for (const [sql, id] of cases) assert.equal((await tampered(sql))?.id, id, sql)
    // Whoever also works out the changed entry's own hash is found out by the next one.
    const [before] = await listAudit(platform.pool, { subject: null, beforeId: 5, limit: 1 })
    assert.ok(before)
    const forged = auditHash({ ...before, actor: 'x' })
    const forge = `update audit_log set actor = 'x', hash = '${forged}' where id = 4`
    assert.equal((await tampered(forge))?.id, 5)
  })

  it('rolls back with the action it records', async () => {
    const before = await verifyAudit(platform.pool)
    const tx = await platform.pool.connect()
    await tx.query('begin')
    await appendAudit(tx, [entry('never')])
    await tx.query('rollback')
    tx.release()
    assert.deepEqual(await verifyAudit(platform.pool), before)
  })
})
