import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { call, deliver, eventually, payAtSandbox, startGatewayWith, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

// No webhook ever arrives: what is known here was swept or asked for.
let platform: Platform
before(async () => {
  platform = await startPlatform({
    webhooks: false,
    env: { SWEEP_LAG_SECONDS: '0', RECONCILE_AFTER_SECONDS: '0' },
    sandbox: { settings: { refundUpdatedDelayMs: 10, chargeUpdatedDelayMs: 10, disputeOpenedDelayMs: 10 } },
  })
})
after(() => platform.stop())

const STRIPE_HEADERS = {
  authorization: 'Bearer sk_test_platform',
  'content-type': 'application/x-www-form-urlencoded',
}

async function stripe<T = Record<string, unknown>>(method: string, path: string, body?: string): Promise<T> {
  const response = await fetch(`${platform.sandbox.url}/v1/${path}`, {
    method,
    headers: STRIPE_HEADERS,
    ...(body === undefined ? {} : { body }),
  })
  return (await response.json()) as T
}

async function paidBooking(card?: string): Promise<{ bookingId: string; sessionId: string; intent: string }> {
  const { id: bookingId } = platform.addBooking()
  const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId } })
  const sessionId = body.data['sessionId'] ?? ''
  await payAtSandbox(platform, sessionId, card)
  const session = await stripe<{ payment_intent: string }>('GET', `checkout/sessions/${sessionId}`)
  return { bookingId, sessionId, intent: session.payment_intent }
}

type Run = { schedule: string; checked: number; found: number; error: string | null }

async function runNow(
  schedule: 'sweep' | 'reconcile',
  on: Pick<Platform, 'gateway'> = platform,
): Promise<Run> {
  const answer = await call(on, 'POST', '/admin/reconciliation', {
    body: { schedule },
    bearer: 'service token of the test platform',
  })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  const [run] = (answer.body.data as unknown as { runs: Run[] }).runs
  assert.ok(run)
  return run
}

async function statusOf(bookingId: string): Promise<string> {
  const { rows } = await platform.pool.query<{ status: string }>(
    'select status from payments where booking_id = $1',
    [bookingId],
  )
  return rows[0]?.status ?? 'none'
}

type DriftRow = {
  found_by: string
  kind: string
  subject: string
  thought: string
  stripe_said: string
  done: string
}

async function driftOf(bookingId: string): Promise<DriftRow[]> {
  const { rows } = await platform.pool.query<DriftRow>(
    `select d.found_by, d.kind, d.subject, d.thought, d.stripe_said, d.done
     from drift d join payments p on p.id = d.payment_id where p.booking_id = $1 order by d.id`,
    [bookingId],
  )
  return rows
}

/** Waits until the sandbox has made every event of a paid session: the charge's settlement is the last. */
function settled(intent: string): Promise<unknown> {
  return eventually('the events of the payment', async () => {
    const { data } = await stripe<{ data: { data: { object: Record<string, unknown> } }[] }>(
      'GET',
      'events?type=charge.updated&limit=100',
    )
    return data.some((event) => event.data.object['payment_intent'] === intent)
  })
}

const told = (bookingId: string): string[] => platform.booking.toldOf(bookingId).map(({ status }) => status)

describe('the sweep', () => {
  it('alone confirms a payment whose every webhook was lost, and reports each event that was missing', async () => {
    const { bookingId, sessionId, intent } = await paidBooking()
    await settled(intent)
    assert.equal(await statusOf(bookingId), 'pending')
    const run = await runNow('sweep')
    assert.ok(run.found >= 4, `found ${run.found}`)
    assert.equal(await statusOf(bookingId), 'succeeded')
    await eventually('the confirmation', () => told(bookingId).length > 0)
    assert.deepEqual(told(bookingId), ['confirmed'])
    const drift = await driftOf(bookingId)
    assert.ok(drift.every(({ found_by, kind }) => found_by === 'sweep' && kind === 'event_missing'))
    assert.ok(
      drift.some(({ thought, done }) => thought === 'pending' && done === 'applied: pending → succeeded'),
    )
    const { rows } = await platform.pool.query<{ source: string; type: string }>(
      'select distinct source from stripe_events where object_id in ($1, $2)',
      [sessionId, intent],
    )
    assert.deepEqual(rows, [{ source: 'sweep' }])
  })

  it('finds nothing the second time: what it brought, and what a webhook brought, it does not bring again', async () => {
    const { bookingId, intent } = await paidBooking()
    await settled(intent)
    const { data } = await stripe<{ data: { id: string; data: { object: Record<string, unknown> } }[] }>(
      'GET',
      'events?limit=100',
    )
    const mine = data.filter(
      ({ data: { object } }) => object['id'] === intent || object['payment_intent'] === intent,
    )
    for (const event of mine) assert.equal((await deliver(platform, JSON.stringify(event))).status, 200)
    const count = async (): Promise<unknown> =>
      (
        await platform.pool.query(
          `select (select count(*) from stripe_events) as events, (select count(*) from deliveries) as deliveries,
                  (select count(*) from payment_transitions) as transitions, (select sum(version) from payments) as versions`,
        )
      ).rows[0]
    const before = await count()
    assert.equal((await runNow('sweep')).found, 0)
    // The other way round: swept first, delivered then.
    for (const event of mine) assert.equal((await deliver(platform, JSON.stringify(event))).status, 200)
    assert.deepEqual(await count(), before)
    assert.deepEqual(await driftOf(bookingId), [])
    assert.deepEqual(
      told(bookingId).filter((status) => status !== 'confirmed'),
      [],
    )
  })

  it('recovers days of events: what is older than the overlap is listed from where the last sweep ended', async () => {
    const { bookingId, intent } = await paidBooking()
    await settled(intent)
    await platform.pool.query(
      `update schedules set cursor = jsonb_build_object('sweptTo', floor(extract(epoch from now())) - 10 * 86400)
       where name = 'sweep'`,
    )
    await runNow('sweep')
    assert.equal(await statusOf(bookingId), 'succeeded')
  })

  it('does no harm while Stripe is away, and the next run heals', async () => {
    const { bookingId, intent } = await paidBooking()
    await settled(intent)
    await faults([{ on: 'api', route: 'GET /v1/*', fault: 'error_before' }])
    const away = await runNow('sweep')
    assert.match(away.error ?? '', /Stripe could not be asked/)
    const asked = await runNow('reconcile')
    assert.match(asked.error ?? '', /Stripe could not be asked/)
    assert.equal(await statusOf(bookingId), 'pending')
    await faults([])
    assert.equal((await runNow('sweep')).error, null)
    assert.equal(await statusOf(bookingId), 'succeeded')
  })
})

async function faults(rules: readonly object[]): Promise<void> {
  await fetch(`${platform.sandbox.url}/_sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rules, seed: 1 }),
  })
}

describe('the reconciliation', () => {
  it('alone confirms a payment whose events were never generated: it asks for the object', async () => {
    const { bookingId } = await paidBooking()
    await runNow('reconcile')
    assert.equal(await statusOf(bookingId), 'succeeded')
    await eventually('the confirmation', () => told(bookingId).length > 0)
    assert.deepEqual(
      (await driftOf(bookingId)).map(({ found_by, kind, thought, stripe_said }) => ({
        found_by,
        kind,
        thought,
        stripe_said,
      })),
      [{ found_by: 'reconcile', kind: 'payment_differs', thought: 'pending', stripe_said: 'succeeded' }],
    )
    await runNow('reconcile')
    assert.equal((await driftOf(bookingId)).length, 1, 'asked again, nothing new')
    assert.deepEqual(told(bookingId), ['confirmed'])
  })

  it('hears that a session expired, and another can be opened', async () => {
    const { id: bookingId } = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId } })
    await stripe('POST', `checkout/sessions/${body.data['sessionId']}/expire`)
    await runNow('reconcile')
    assert.equal(await statusOf(bookingId), 'expired')
    const again = await call(platform, 'POST', '/sessions', { body: { bookingId } })
    assert.notEqual(again.body.data['sessionId'], body.data['sessionId'])
  })

  it('learns how a pending refund ended', async () => {
    const { bookingId, intent } = await paidBooking('4000000000007726')
    await runNow('reconcile')
    await stripe('POST', 'refunds', `payment_intent=${intent}`)
    const { data } = await stripe<{ data: object[] }>('GET', 'events?type=refund.created&limit=1')
    await deliver(platform, JSON.stringify(data[0]))
    assert.equal(await statusOf(bookingId), 'succeeded')
    const { data: refunds } = await stripe<{ data: { id: string }[] }>(
      'GET',
      `refunds?payment_intent=${intent}`,
    )
    await fetch(`${platform.sandbox.url}/_sandbox/clock/advance`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ seconds: 30 }),
    })
    await runNow('reconcile')
    assert.equal(await statusOf(bookingId), 'refunded')
    const last = (await driftOf(bookingId)).at(-1)
    assert.equal(last?.thought, `succeeded, ${refunds[0]?.id} pending`)
    assert.equal(last?.stripe_said, `refunded, ${refunds[0]?.id} succeeded`)
  })

  it('finishes what a crash left creating, and does not make a second session', async () => {
    const { id: bookingId } = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId } })
    // As a process that died between Stripe's answer and its own commit leaves it.
    await platform.pool.query(
      `update payment_attempts set state = 'creating', session_id = null, checkout_url = null, expires_at = null
       where session_id = $1`,
      [body.data['sessionId']],
    )
    await runNow('reconcile')
    const { rows } = await platform.pool.query<{ state: string; session_id: string }>(
      'select a.state, a.session_id from payment_attempts a join payments p on p.id = a.payment_id where p.booking_id = $1',
      [bookingId],
    )
    assert.deepEqual(rows, [{ state: 'open', session_id: body.data['sessionId'] }])
    assert.deepEqual(
      (await driftOf(bookingId)).map(({ kind, thought, done }) => ({ kind, thought, done })),
      [{ kind: 'attempt_unfinished', thought: 'creating', done: 'finished' }],
    )
  })

  it('writes again what was to be announced and is not there', async () => {
    const { bookingId } = await paidBooking()
    await runNow('reconcile')
    await eventually('the confirmation', () => told(bookingId).length > 0)
    await platform.pool.query(
      'delete from delivery_attempts where delivery_id in (select id from deliveries where booking_id = $1)',
      [bookingId],
    )
    await platform.pool.query('delete from deliveries where booking_id = $1', [bookingId])
    await runNow('reconcile')
    await eventually('the repeated confirmation', () => told(bookingId).length > 1)
    assert.deepEqual(
      platform.booking.toldOf(bookingId).map(({ status, version }) => ({ status, version })),
      [
        { status: 'confirmed', version: 1 },
        { status: 'confirmed', version: 1 },
      ],
    )
    assert.equal((await driftOf(bookingId)).at(-1)?.kind, 'announcement_missing')
  })
})

describe('GET and POST /admin/reconciliation', () => {
  it('200: says when each schedule ran, what it found, and what differed, newest first and page by page', async () => {
    const { bookingId } = await paidBooking()
    await runNow('reconcile')
    const { rows } = await platform.pool.query<{ id: string }>(
      'select id from payments where booking_id = $1',
      [bookingId],
    )
    const get = async (query: string) =>
      (
        await call(platform, 'GET', `/admin/reconciliation?${query}`, {
          bearer: 'service token of the test platform',
        })
      ).body as unknown as {
        data: {
          schedules: { name: string; running: boolean; lastRun: { startedBy: string; found: number } }[]
          drift: { paymentId: string; foundBy: string }[]
        }
        nextCursor: string | null
      }
    const report = await get('limit=1')
    assert.deepEqual(
      report.data.schedules.map(({ name, running }) => ({ name, running })),
      [
        { name: 'sweep', running: false },
        { name: 'reconcile', running: false },
      ],
    )
    assert.equal(report.data.schedules[1]?.lastRun.startedBy, 'service')
    assert.equal(report.data.drift.length, 1)
    assert.equal(report.data.drift[0]?.paymentId, rows[0]?.id)
    const second = await get(`limit=1&cursor=${report.nextCursor}`)
    assert.notDeepEqual(second.data.drift, report.data.drift)
    assert.ok((await get('foundBy=sweep')).data.drift.every(({ foundBy }) => foundBy === 'sweep'))
  })

  it('401, 403: nobody but an operator', async () => {
    assert.equal((await call(platform, 'GET', '/admin/reconciliation', { as: null })).status, 401)
    assert.equal((await call(platform, 'GET', '/admin/reconciliation')).status, 403)
    assert.equal((await call(platform, 'POST', '/admin/reconciliation', { body: {} })).status, 403)
  })

  it('409: while one runs, in whichever process', async () => {
    const other = await startGatewayWith({ ...platform.env, PORT: '0' })
    try {
      await faults([{ on: 'api', route: 'GET /v1/events', fault: 'delay', delayMs: 1500, times: 1 }])
      const first = runNow('sweep')
      await eventually('the sweep to run', async () => {
        const { rows } = await platform.pool.query(
          "select from schedule_runs where schedule = 'sweep' and finished_at is null",
        )
        return rows.length === 1
      })
      const second = await call({ gateway: other }, 'POST', '/admin/reconciliation', {
        body: { schedule: 'sweep' },
        bearer: 'service token of the test platform',
      })
      assert.equal(second.status, 409)
      assert.equal(second.body.error.code, 'INVALID_STATE')
      assert.equal((await first).error, null)
    } finally {
      await faults([])
      await other.stop()
    }
  })
})

// Last in this file: from here on the sandbox's clock is five hours ahead of this host's.
describe("a host's clock that is wrong", () => {
  it('neither hides events from the sweep nor lets it skip what is still to come', async () => {
    await fetch(`${platform.sandbox.url}/_sandbox/clock/advance`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ seconds: 5 * 3600 }),
    })
    const behind = await paidBooking()
    await settled(behind.intent)
    await runNow('sweep')
    assert.equal(await statusOf(behind.bookingId), 'succeeded')

    // As a process left it whose clock was a day ahead.
    await platform.pool.query(
      `update schedules set cursor = jsonb_build_object('sweptTo', floor(extract(epoch from now())) + 86400)
       where name = 'sweep'`,
    )
    const ahead = await paidBooking()
    await settled(ahead.intent)
    await runNow('sweep')
    assert.equal(await statusOf(ahead.bookingId), 'succeeded')
  })

  it('puts what is read in order with the events: read now, it is not older than what happened before', async () => {
    const { bookingId, intent } = await paidBooking('4000000000000259')
    const disputeId = await eventually('the dispute', async () => {
      const { data } = await stripe<{ data: { id: string }[] }>('GET', `disputes?payment_intent=${intent}`)
      return data[0]?.id ?? null
    })
    await runNow('sweep')
    await eventually('the dispute here', async () => (await statusOf(bookingId)) === 'disputed')
    await fetch(`${platform.sandbox.url}/_sandbox/disputes/${disputeId}/decide`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ verdict: 'won' }),
    })
    await eventually('the verdict at Stripe', async () => {
      const { status } = await stripe<{ status: string }>('GET', `disputes/${disputeId}`)
      return status === 'won'
    })
    // No event tells: the object is asked.
    await runNow('reconcile')
    assert.equal(await statusOf(bookingId), 'succeeded')
  })
})
