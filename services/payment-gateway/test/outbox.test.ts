import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import {
  call,
  deliver,
  eventJson,
  eventually,
  payAtSandbox,
  startGatewayWith,
  startPlatform,
} from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform()
})
after(() => platform.stop())

async function pay(at = platform): Promise<string> {
  const booking = at.addBooking()
  const { body } = await call(at, 'POST', '/sessions', { body: { bookingId: booking.id } })
  await payAtSandbox(at, body.data['sessionId'] ?? '')
  return booking.id
}

async function deliveriesOf(
  bookingId: string,
  at = platform,
): Promise<{ status: string; attempts: number; last_error: string | null }[]> {
  const { rows } = await at.pool.query<{ status: string; attempts: number; last_error: string | null }>(
    'select status, attempts, last_error from deliveries where booking_id = $1 order by version',
    [bookingId],
  )
  return rows
}

describe('the outbox', () => {
  it('confirms a payment made while the booking service was down within seconds of its return', async () => {
    platform.booking.misbehave(503)
    const bookings = await Promise.all(Array.from({ length: 8 }, () => pay()))
    await eventually('failing attempts', async () =>
      (await Promise.all(bookings.map((id) => deliveriesOf(id)))).some(
        ([delivery]) => (delivery?.attempts ?? 0) > 1,
      ),
    )
    for (const id of bookings) assert.deepEqual(platform.booking.toldOf(id), [])
    assert.equal(
      (await call(platform, 'GET', `/payments/${bookings[0]}/status`)).body.data['status'],
      'succeeded',
    )
    platform.booking.misbehave(null)
    for (const id of bookings)
      await eventually('the confirmation', () => platform.booking.toldOf(id).length === 1)
  })

  it('leaves the destination in peace while it is down: it probes, and does not hammer', async () => {
    const lonely = await startPlatform()
    try {
      lonely.booking.misbehave(500)
      const bookings = await Promise.all(Array.from({ length: 12 }, () => pay(lonely)))
      await eventually('the breaker to open', () => lonely.booking.calls() >= 5)
      const before = lonely.booking.calls()
      await eventually('a few probes', () => lonely.booking.calls() >= before + 2)
      // 12 deliveries that each retried on their own schedule would have called several times as often.
      assert.ok(lonely.booking.calls() < 12 * 4, `${lonely.booking.calls()} calls`)
      lonely.booking.misbehave(null)
      for (const id of bookings)
        await eventually('the confirmation', () => lonely.booking.toldOf(id).length > 0)
    } finally {
      await lonely.stop()
    }
  })

  it('repeats with the same idempotency key and version when the answer was lost', async () => {
    platform.booking.misbehave('cut')
    const id = await pay()
    await eventually('a second attempt', () => platform.booking.toldOf(id).length >= 2)
    platform.booking.misbehave(null)
    await eventually('the delivery', async () => (await deliveriesOf(id))[0]?.status === 'delivered')
    const told = platform.booking.told.filter(({ bookingId }) => bookingId === id)
    assert.equal(new Set(told.map(({ headers }) => headers['idempotency-key'])).size, 1)
    assert.deepEqual(new Set(told.map(({ body }) => body.version)), new Set([1]))
    assert.equal(new Set(told.map(({ body }) => JSON.stringify(body))).size, 1)
  })

  it('gives a permanent refusal up at once, keeps it for a person, and raises an incident', async () => {
    platform.booking.misbehave(404)
    const id = await pay()
    const dead = await eventually('the dead letter', async () => {
      const [delivery] = await deliveriesOf(id)
      return delivery?.status === 'dead' && delivery
    })
    assert.deepEqual(dead, { status: 'dead', attempts: 1, last_error: 'answered 404' })
    const { rows } = await platform.pool.query(
      'select i.kind from incidents i join deliveries d on d.id = i.subject where d.booking_id = $1',
      [id],
    )
    assert.deepEqual(rows, [{ kind: 'delivery_dead' }])
    platform.booking.misbehave(null)
  })

  it('tells refunds after the confirmation and in the order in which they happened', async () => {
    platform.booking.misbehave(503)
    const id = await pay()
    const { rows } = await platform.pool.query<{ payment_intent_id: string }>(
      'select payment_intent_id from payments where booking_id = $1',
      [id],
    )
    const refund = (refundId: string, amount: number, created: number): string =>
      eventJson('refund.created', {
        id: refundId,
        object: 'refund',
        status: 'succeeded',
        amount,
        currency: 'eur',
        created,
        payment_intent: rows[0]?.payment_intent_id,
        charge: 'ch_x',
      })
    await deliver(platform, refund(`re_a_${id}`, 2900, 1_800_000_000))
    await deliver(platform, refund(`re_b_${id}`, 10_000, 1_800_000_001))
    platform.booking.misbehave(null)
    const told = await eventually(
      'all three',
      () => platform.booking.toldOf(id).length === 3 && platform.booking.toldOf(id),
    )
    assert.deepEqual(
      told.map(({ status, version, refundedAmountMinor }) => [status, version, refundedAmountMinor]),
      [
        ['confirmed', 1, undefined],
        ['partially_refunded', 2, 2900],
        ['cancelled', 3, 12_900],
      ],
    )
  })

  it('lets another process take over at once what a process was sending when its session died', async () => {
    const two = await startPlatform()
    const second = await startGatewayWith({ ...two.env, PORT: '0' })
    try {
      two.booking.misbehave('hang')
      const id = await pay(two)
      await eventually(
        'a claim',
        async () =>
          (await two.pool.query('select from deliveries where claimed_by is not null')).rowCount === 1,
      )
      two.booking.misbehave(null)
      // What a kill -9 does, as PostgreSQL sees it: the sessions of all workers end; the sender's claim is free.
      await two.pool.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'payment-gateway worker' and datname = current_database()",
      )
      await eventually('the confirmation', () => two.booking.toldOf(id).length === 1)
      await eventually('the delivery', async () => (await deliveriesOf(id, two))[0]?.status === 'delivered')
    } finally {
      await second.stop()
      await two.stop()
    }
  })

  it('sends what it wrote as its own under a commit whose answer never came', async () => {
    const query: unknown = Reflect.get(pg.Client.prototype, 'query')
    let cut: Promise<unknown> | null = null
    try {
      // Looks on until a connection writes a delivery: it hears no answer any more, and is lost once the delivery is there.
      const deaf = function (this: { connection: { stream: Duplex } }, ...args: unknown[]): unknown {
        const { statements = [] } = (args[0] ?? {}) as { statements?: readonly { name: string }[] }
        if (cut === null && statements.some(({ name }) => name === 'insert_deliveries')) {
          const { stream } = this.connection
          stream.pause()
          const isThere = async (): Promise<boolean> =>
            (await platform.pool.query('select from deliveries where claimed_by is not null')).rowCount === 1
          cut = eventually('the commit', isThere).finally(() => stream.destroy())
        }
        return Reflect.apply(query as () => unknown, this, args)
      }
      Reflect.set(pg.Client.prototype, 'query', deaf)
      const id = await pay()
      await eventually('the confirmation', () => platform.booking.toldOf(id).length > 0)
      await eventually('the delivery', async () => (await deliveriesOf(id))[0]?.status === 'delivered')
      assert.notEqual(cut, null)
      const { rows } = await platform.pool.query('select claim from deliveries where booking_id = $1', [id])
      assert.deepEqual(rows, [{ claim: 2 }])
      assert.deepEqual(platform.booking.toldOf(id).length, 1)
    } finally {
      Reflect.set(pg.Client.prototype, 'query', query)
    }
  })
})
