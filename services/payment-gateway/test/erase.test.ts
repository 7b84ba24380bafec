import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { EVENTS_OF_PAYMENTS, redactOldEvents } from '../src/stripe/redact-events.ts'
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
before(async () => {
  platform = await startPlatform()
})
after(() => platform.stop())

const erase = (body: unknown, bearer: string = SERVICE_TOKEN) =>
  call(platform, 'POST', '/admin/customers/erase', { bearer, body })

async function paidBy(customerId: string): Promise<{ bookingId: string; paymentId: string; token: string }> {
  const booking = platform.addBooking({ customerId, customerEmail: `${customerId}@example.com` })
  const { data } = (
    await call(platform, 'POST', '/sessions', { as: customerId, body: { bookingId: booking.id } })
  ).body
  await payAtSandbox(platform, data['sessionId'] ?? '')
  await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length > 0)
  return { bookingId: booking.id, paymentId: data['paymentId'] ?? '', token: data['statusToken'] ?? '' }
}

/** Everything of the payment's money and history, in one text. */
async function money(paymentId: string): Promise<string> {
  const tables = ['ledger_entries', 'payment_transitions', 'refunds', 'deliveries']
  const rows = await Promise.all(
    tables.map(
      async (table) =>
        (await platform.pool.query(`select * from ${table} where payment_id = $1 order by 1, 2`, [paymentId]))
          .rows,
    ),
  )
  const { rows: payments } = await platform.pool.query(
    'select status, amount_minor, captured_minor, known, version from payments where id = $1',
    [paymentId],
  )
  return JSON.stringify([rows, payments])
}

async function holding(text: string): Promise<string[]> {
  const { rows } = await platform.pool.query<{ place: string }>(
    `select 'event' as place from stripe_events where position($1::bytea in payload) > 0
     union all select 'attempt' from payment_attempts where parameters::text like '%' || $2 || '%'
     union all select 'payment' from payments where customer_id = $2
     union all select 'audit' from audit_log where row_to_json(audit_log)::text like '%' || $2 || '%'`,
    [Buffer.from(text), text],
  )
  return rows.map(({ place }) => place)
}

describe('erasing a customer', () => {
  it('takes the person out of every payment and keeps the money; nobody else is concerned, and the act is audited', async () => {
    const mine = await paidBy('cus_forget')
    const other = await paidBy('cus_stay')
    const before = await money(mine.paymentId)
    assert.deepEqual(new Set(await holding('cus_forget')), new Set(['attempt', 'payment', 'event']))

    const { status, body } = await erase({ customerId: 'cus_forget', reason: 'asked for it' })
    assert.equal(status, 200)
    assert.match(body.data['pseudonym'] ?? '', /^erased_[0-9a-f]{32}$/)
    assert.equal(Number(body.data['payments']), 1)
    assert.ok(Number(body.data['events']) >= 1)

    assert.equal(await money(mine.paymentId), before)
    assert.deepEqual(await holding('cus_forget'), [])
    const look = (path: string, as: string | null) => call(platform, 'GET', path, { as })
    assert.equal((await look(`/payments/${mine.bookingId}/status`, 'cus_forget')).status, 404)
    assert.equal((await look(`/payments/${mine.bookingId}/status?token=${mine.token}`, null)).status, 404)
    assert.equal((await look(`/payments/${other.bookingId}/status`, 'cus_stay')).status, 200)
    assert.ok((await holding('cus_stay')).length > 0)

    const { rows } = await platform.pool.query(
      "select actor, subject, reason from audit_log where action = 'customer.erased'",
    )
    assert.deepEqual(rows, [{ actor: 'service', subject: body.data['pseudonym'], reason: 'asked for it' }])
    const verified = await call(platform, 'GET', '/admin/audit/verify', { bearer: SERVICE_TOKEN })
    assert.equal(String(verified.body.data['intact']), 'true')
  })

  it('looks along indexes, however many events of others there are', async () => {
    await platform.pool.query(
      `insert into stripe_events (id, type, livemode, object_id, payload, status, created_at, processed_at)
       select 'evt_crowd_' || n, 'charge.updated', false, 'ch_crowd_' || n, convert_to(repeat('x', 1500), 'utf8'),
         'skipped', now(), now() from generate_series(1, 20000) n`,
    )
    await platform.pool.query(
      `insert into stripe_objects (id, payment_id)
       select 'ch_crowd_' || n, (select min(id) from payments where erased_at is null) from generate_series(1, 20000) n`,
    )
    await platform.pool.query('vacuum analyze stripe_events, stripe_objects')
    const { rows } = await platform.pool.query<{ 'QUERY PLAN': string }>(
      `explain ${EVENTS_OF_PAYMENTS.replaceAll('$3', "array['pay_of_nobody']")}`,
    )
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    assert.doesNotMatch(plan, /Seq Scan/, plan)
    for (const index of ['stripe_events_by_payment', 'stripe_events_by_object', 'stripe_objects_by_payment'])
      assert.ok(plan.includes(index), plan)
  })

  it('may be asked again, and what comes in later about an erased payment is emptied at once', async () => {
    const { bookingId, paymentId } = await paidBy('cus_twice')
    await erase({ customerId: 'cus_twice', reason: 'asked for it' })
    const again = await erase({ customerId: 'cus_twice', reason: 'asked for it' })
    assert.deepEqual(
      [again.status, again.body.data['pseudonym'], Number(again.body.data['payments'])],
      [200, null, 0],
    )

    const { rows } = await platform.pool.query<{ id: string }>(
      'select payment_intent_id as id from payments where id = $1',
      [paymentId],
    )
    const late = eventJson('payment_intent.succeeded', {
      id: rows[0]?.id,
      object: 'payment_intent',
      status: 'succeeded',
      amount: 12_900,
      amount_received: 12_900,
      currency: 'eur',
      livemode: false,
      metadata: { payment_id: paymentId, booking_id: bookingId },
      receipt_email: 'cus_twice@example.com',
    })
    assert.equal((await deliver(platform, late)).status, 200)
    assert.deepEqual(await holding('cus_twice'), ['event'])
    await eventually('the late payload to be emptied', async () => {
      await redactOldEvents(platform.pool, 90)
      return (await holding('cus_twice')).length === 0
    })
  })

  it('is for operators and services only, and wants a reason', async () => {
    const body = { customerId: 'cus_unknown', reason: 'no' }
    assert.equal((await erase(body, await tokenOf('cus_unknown'))).status, 403)
    assert.equal((await erase(body, 'nonsense')).status, 401)
    assert.equal((await erase({ customerId: 'cus_unknown' })).status, 400)
    assert.equal((await erase(body, await tokenOf('ops', ['operator']))).status, 200)
  })
})
