import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { redactOldEvents } from '../src/stripe/redact-events.ts'
import { call, eventually, payAtSandbox, startGatewayWith, startPlatform, tokenOf } from './platform.ts'
import type { Platform } from './platform.ts'

const EMAIL = 'ana.of.the.retention.test@example.com'
let platform: Platform
before(async () => {
  platform = await startPlatform()
})
after(() => platform.stop())

type Made = { readonly bookingId: string; readonly paymentId: string }

async function paid(): Promise<Made> {
  const booking = platform.addBooking({ customerEmail: EMAIL })
  const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
  await payAtSandbox(platform, body.data['sessionId'] ?? '')
  const paymentId = body.data['paymentId'] ?? ''
  await eventually('all of it', async () => {
    const { rows } = await platform.pool.query<{ done: boolean }>(
      `select (select count(*) from stripe_events where payment_id = $1 and status = 'processed') >= 3
         and exists (select from deliveries where payment_id = $1 and status = 'delivered')
         and exists (select from payment_attempts where payment_id = $1 and state = 'closed') as done`,
      [paymentId],
    )
    return rows[0]?.done === true
  })
  return { bookingId: booking.id, paymentId }
}

/** As if everything that Stripe said about the payment, handled or not, and its attempt were that many days older. */
async function age({ bookingId, paymentId }: Made, days: number): Promise<void> {
  await platform.pool.query(
    `update stripe_events set received_at = received_at - $3 * interval '1 day'
     where payment_id = $1 or position(convert_to($2, 'UTF8') in payload) > 0`,
    [paymentId, bookingId, days],
  )
  await platform.pool.query(
    "update payment_attempts set created_at = created_at - $2 * interval '1 day' where payment_id = $1",
    [paymentId, days],
  )
  // Time only goes back in tests: retention would not look behind what it has done.
  await platform.pool.query('delete from retention_marks')
}

/** Everything of a payment that must outlive its events' payloads. */
async function kept(paymentId: string): Promise<unknown> {
  const { rows } = await platform.pool.query(
    `select to_jsonb(p) as payment,
       (select jsonb_agg(l order by posting, account) from ledger_entries l where payment_id = p.id) as ledger,
       (select jsonb_agg(t order by id) from payment_transitions t where payment_id = p.id) as transitions,
       (select jsonb_agg(d order by id) from deliveries d where payment_id = p.id) as deliveries,
       (select jsonb_agg(to_jsonb(e) - 'payload' - 'redacted_at' order by id) from stripe_events e where payment_id = p.id) as events
     from payments p where id = $1`,
    [paymentId],
  )
  return rows[0]
}

/** In how many rows of any table of the gateway a text stands. */
async function rowsWith(text: string): Promise<Record<string, number>> {
  const { rows: tables } = await platform.pool.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'payment_gateway' and table_type = 'BASE TABLE'",
  )
  const found: Record<string, number> = {}
  for (const { name } of tables) {
    const { rows } = await platform.pool.query<{ count: number }>(
      // bytea is shown in hex, so the text is looked for in hex too.
      `select count(*) from ${name} t where t::text like $1 or t::text like $2`,
      [`%${text}%`, `%${Buffer.from(text).toString('hex')}%`],
    )
    if ((rows[0]?.count ?? 0) > 0) found[name] = rows[0]?.count ?? 0
  }
  return found
}

async function redactAll(days: number): Promise<number> {
  for (let events = 0; ;) {
    const redaction = await redactOldEvents(platform.pool, days)
    if (redaction === null) throw new Error('another process redacts')
    events += redaction.events
    if (!redaction.more) return events
  }
}

describe('retention', () => {
  it('empties old payloads and forgets addresses, and keeps payment, ledger, transitions and deliveries', async () => {
    const old = await paid()
    const young = await paid()
    await age(old, 91)
    await age(young, 89)
    const before = await kept(old.paymentId)
    const addresses = await rowsWith(EMAIL)
    assert.deepEqual(Object.keys(addresses).sort(), ['payment_attempts', 'stripe_events'])
    assert.ok((await redactAll(90)) >= 3)
    assert.deepEqual(await kept(old.paymentId), before)
    const { rows } = await platform.pool.query(
      `select payment_id = $1 as old, bool_and(redacted_at is not null) as redacted,
         bool_and(convert_from(payload, 'UTF8') = '{"redacted":true}') as emptied
       from stripe_events where payment_id = any($2) group by 1 order by 1`,
      [old.paymentId, [old.paymentId, young.paymentId]],
    )
    assert.deepEqual(rows, [
      { old: false, redacted: false, emptied: false },
      { old: true, redacted: true, emptied: true },
    ])
    await age(young, 2)
    await redactAll(90)
    assert.deepEqual(await rowsWith(EMAIL), {})
  })

  it('answers 409 to the replay of a redacted event, and shows it without its payload', async () => {
    const made = await paid()
    await age(made, 100)
    await redactAll(90)
    const bearer = await tokenOf('ops_lea', ['operator'])
    const { body } = await call(platform, 'GET', `/admin/events?bookingId=${made.bookingId}`, { bearer })
    const [event] = body.data as unknown as { eventId: string; redactedAt: string }[]
    assert.match(event?.redactedAt ?? '', /Z$/)
    const answer = await call(platform, 'POST', `/admin/events/${event?.eventId}/replay`, { bearer })
    assert.deepEqual([answer.status, answer.body.error.code], [409, 'INVALID_STATE'])
    const shown = await call(platform, 'GET', `/admin/events/${event?.eventId}`, { bearer })
    assert.deepEqual([shown.body.data['payload'], shown.body.data['payloadBase64']], [null, null])
    const many = await call(platform, 'POST', '/admin/events/replay', {
      bearer,
      body: { status: 'processed', until: new Date(Date.now() - 95 * 86_400_000).toISOString() },
    })
    assert.equal(many.body.data['matched'], 0)
  })

  it('never empties an event whose effect is still owed, and comes back for it once it is done', async () => {
    await platform.pool.query(
      `insert into stripe_events (id, type, livemode, payload, status, created_at, received_at, retry_at)
       values ('evt_owed_old', 'owed.test', false, 'still needed', 'received', now(), now() - interval '200 days', now() + interval '1 hour'),
              ('evt_done_old', 'owed.test', false, 'not needed', 'skipped', now(), now() - interval '150 days', null)`,
    )
    const redacted = async () => {
      const { rows } = await platform.pool.query<{ id: string }>(
        "select id from stripe_events where type = 'owed.test' and redacted_at is not null order by id",
      )
      return rows.map(({ id }) => id)
    }
    await platform.pool.query('delete from retention_marks')
    await redactAll(90)
    assert.deepEqual(await redacted(), ['evt_done_old'])
    await platform.pool.query(
      "update stripe_events set status = 'failed', retry_at = null where id = 'evt_owed_old'",
    )
    await redactAll(90)
    assert.deepEqual(await redacted(), ['evt_done_old', 'evt_owed_old'])
  })

  it('works in batches that end, and leaves nothing out', async () => {
    await platform.pool.query(
      `insert into stripe_events (id, type, livemode, payload, status, created_at, received_at)
       select 'evt_batch_' || n, 'batch.test', false, 'x', 'skipped', now(), now() - interval '100 days' + (n / 50) * interval '1 second'
       from generate_series(1, 510) n`,
    )
    await platform.pool.query('delete from retention_marks')
    assert.equal(await redactAll(90), 510)
    assert.equal(await redactAll(90), 0)
  })

  it('is done by one process at a time', async () => {
    const tx = await platform.pool.connect()
    await tx.query("begin; select pg_advisory_xact_lock(hashtextextended('payment_gateway retention', 0))")
    try {
      assert.equal(await redactOldEvents(platform.pool, 90), null)
    } finally {
      await tx.query('rollback')
      tx.release()
    }
  })

  it('runs by itself when a gateway starts, after EVENT_RETENTION_DAYS', async () => {
    const made = await paid()
    await age(made, 3)
    const another = await startGatewayWith({ ...platform.env, PORT: '0', EVENT_RETENTION_DAYS: '2' })
    try {
      await eventually('the redaction', async () => {
        const { rows } = await platform.pool.query<{ done: boolean }>(
          'select bool_and(redacted_at is not null) as done from stripe_events where payment_id = $1',
          [made.paymentId],
        )
        return rows[0]?.done === true
      })
    } finally {
      await another.stop()
    }
  })

  it('removes the status tokens that have run out, however many, and no other', async () => {
    const { paymentId } = await paid()
    await platform.pool.query(
      `insert into status_tokens (token_hash, payment_id, expires_at)
       select 'old ' || n, $1, now() - n * interval '1 day' from generate_series(0, 450) n`,
      [paymentId],
    )
    await redactAll(90)
    const { rows } = await platform.pool.query<{ alive: boolean }>(
      'select expires_at > now() as alive from status_tokens where payment_id = $1',
      [paymentId],
    )
    assert.deepEqual(rows, [{ alive: true }])
  })
})
