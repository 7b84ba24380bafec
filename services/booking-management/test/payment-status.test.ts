import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { inTransaction } from '@passerelle/kit/database'
import { giveUpExpiredHolds } from '../src/bookings/give-up-booking.ts'
import { NEXT_SERVICE_TOKEN, SERVICE_TOKEN, dayFrom, startService, tokenOf } from './running-service.ts'
import type { Answer, RunningService } from './running-service.ts'

const GLACIER = 'chamonix-glacier-walk' // 6 seats a day, 215.00 eur each
const PAID_AT = '2026-11-01T10:00:00.000Z'
const REFUNDED_AT = '2026-11-02T10:00:00.000Z'

let service: RunningService
let ada: string
let nextDay = 10

before(async () => {
  service = await startService()
  ada = await tokenOf('cus_ada')
})
after(() => service.stop())

type Booked = { readonly id: string; readonly date: string; readonly amountMinor: number }

/** A pending booking of Ada's, by default on a day of its own. */
async function booking(seats = 2, date?: string): Promise<Booked> {
  nextDay += 1
  const body = { tourId: GLACIER, date: date ?? dayFrom(service.clock.now, nextDay), seats }
  const answer = await service.call('POST', '/api/v1/bookings', { token: ada, body })
  assert.equal(answer.status, 201)
  return answer.body.data
}

function update(booked: Booked, status: string, version: number, more: object = {}) {
  return {
    status,
    version,
    paymentIntentId: 'pi_1',
    paymentId: 'pay_1',
    amountMinor: booked.amountMinor,
    currency: 'eur',
    paidAt: PAID_AT,
    ...(status === 'cancelled' || status === 'refunded' || status === 'partially_refunded'
      ? { refundedAt: REFUNDED_AT }
      : {}),
    ...more,
  }
}

function put(
  id: string,
  body: unknown,
  options: { token?: string | undefined; headers?: Record<string, string> } = {},
) {
  return service.call('PUT', `/api/v1/bookings/${id}/payment-status`, {
    token: 'token' in options ? options.token : SERVICE_TOKEN,
    body,
    headers: { 'x-service-name': 'payment-gateway-service', ...options.headers },
  })
}

async function get(id: string): Promise<Answer['body']> {
  return (await service.call('GET', `/api/v1/bookings/${id}`, { token: ada })).body.data
}

async function seatsLeft(date: string): Promise<number> {
  const answer = await service.call('GET', `/api/v1/tours/${GLACIER}/availability?date=${date}`)
  return answer.body.data.seatsLeft
}

async function recorded(id: string): Promise<readonly (readonly [number, string, string | null])[]> {
  const { rows } = await service.pool.query<{ version: number; status: string; reason: string | null }>(
    'select version, status, reason from booking_payment_updates where booking_id = $1 order by id',
    [id],
  )
  return rows.map(({ version, status, reason }) => [version, status, reason])
}

const isIgnored = ({ body }: Answer) => [body.data.applied, body.data.reason]

describe('PUT /api/v1/bookings/:id/payment-status', () => {
  describe('200', () => {
    it('confirms a booking that is paid, and says so to its customer', async () => {
      const booked = await booking()
      const { status, body } = await put(booked.id, update(booked, 'confirmed', 1))
      assert.equal(status, 200)
      assert.equal(body.success, true)
      const { applied, reason, ...data } = body.data
      assert.deepEqual([applied, reason], [true, null])
      assert.deepEqual(
        [data.status, data.paymentIntentId, data.paidAt, data.paymentVersion, data.holdExpiresAt],
        ['confirmed', 'pi_1', PAID_AT, 1, null],
      )
      assert.deepEqual(await get(booked.id), data)
    })

    it('ends the booking of a payment that was given back in full, whichever word is used, and frees its seats', async () => {
      for (const status of ['cancelled', 'refunded']) {
        const booked = await booking(5)
        await put(booked.id, update(booked, 'confirmed', 1))
        assert.equal(await seatsLeft(booked.date), 1)
        const amounts = { refundedAmountMinor: booked.amountMinor }
        const { body } = await put(booked.id, update(booked, status, 2, amounts))
        assert.deepEqual(
          [body.data.status, body.data.refundedAt, body.data.refundedAmount, body.data.paidAt],
          ['cancelled', REFUNDED_AT, 1075, PAID_AT],
        )
        assert.equal(await seatsLeft(booked.date), 6)
      }
    })

    it('keeps the seats of a booking that is partly refunded, disputed, or waits for a second try to pay', async () => {
      const booked = await booking(5)
      for (const [index, status] of [
        'payment_failed',
        'confirmed',
        'partially_refunded',
        'disputed',
      ].entries()) {
        const { body } = await put(booked.id, update(booked, status, index + 1, { refundedAmountMinor: 500 }))
        assert.equal(body.data.status, status)
        assert.equal(await seatsLeft(booked.date), 1)
      }
      assert.equal((await get(booked.id)).refundedAmount, 5)
    })

    it('says that a repetition was applied already and that a late one is older, and changes nothing', async () => {
      const booked = await booking()
      const second = await put(booked.id, update(booked, 'confirmed', 2))
      const before = await get(booked.id)
      assert.deepEqual(isIgnored(await put(booked.id, update(booked, 'confirmed', 2))), [
        false,
        'already_applied',
      ])
      assert.deepEqual(isIgnored(await put(booked.id, update(booked, 'payment_failed', 1))), [
        false,
        'older_version',
      ])
      assert.equal(second.body.data.applied, true)
      assert.deepEqual(await get(booked.id), before)
      assert.deepEqual(await recorded(booked.id), [
        [2, 'confirmed', null],
        [2, 'confirmed', 'already_applied'],
        [1, 'payment_failed', 'older_version'],
      ])
    })

    it('ends in the same row for every order of arrival, with every update sent twice', async () => {
      const orders = [
        [1, 2, 3],
        [1, 3, 2],
        [2, 1, 3],
        [2, 3, 1],
        [3, 1, 2],
        [3, 2, 1],
      ]
      const statuses = ['', 'confirmed', 'partially_refunded', 'cancelled']
      for (const order of orders) {
        const booked = await booking(6)
        for (const version of [...order, ...order])
          await put(booked.id, update(booked, statuses[version] ?? '', version))
        const { status, paymentVersion, paidAt, refundedAt } = await get(booked.id)
        assert.deepEqual([status, paymentVersion, paidAt, refundedAt], ['cancelled', 3, PAID_AT, REFUNDED_AT])
        assert.equal(await seatsLeft(booked.date), 6, 'the seats are freed once')
      }
    })

    it('applies each version once and only upwards when thirty updates arrive at once', async () => {
      const booked = await booking(6)
      const versions = Array.from({ length: 30 }, (_, index) => (index % 10) + 1)
      const answers = await Promise.all(
        versions.map((version) =>
          put(booked.id, update(booked, version % 2 === 0 ? 'cancelled' : 'confirmed', version)),
        ),
      )
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
      const { status, paymentVersion } = await get(booked.id)
      assert.deepEqual([status, paymentVersion], ['cancelled', 10])
      assert.equal(await seatsLeft(booked.date), 6)
      const applied = (await recorded(booked.id)).filter(([, , reason]) => reason === null)
      const appliedVersions = applied.map(([version]) => version)
      assert.deepEqual(
        appliedVersions,
        [...new Set(appliedVersions)].toSorted((a, b) => a - b),
      )
    })

    it('takes any of the service tokens, whatever X-Service-Name says', async () => {
      const booked = await booking()
      for (const [index, token] of [SERVICE_TOKEN, NEXT_SERVICE_TOKEN].entries()) {
        const headers = { 'x-service-name': 'somebody-else' }
        const answer = await put(booked.id, update(booked, 'confirmed', index + 1), { token, headers })
        assert.equal(answer.status, 200)
      }
    })

    it('records who sent what, and lets nobody rewrite the record', async () => {
      const booked = await booking()
      const headers = { 'idempotency-key': 'dlv_1', 'x-request-id': 'req-from-gateway' }
      const answer = await put(
        booked.id,
        { ...update(booked, 'confirmed', 1), surprise: '\u0000' },
        { headers },
      )
      assert.equal(answer.headers.get('x-request-id'), 'req-from-gateway')
      const { rows } = await service.pool.query(
        'select idempotency_key, request_id, applied, body from booking_payment_updates where booking_id = $1',
        [booked.id],
      )
      assert.deepEqual(rows, [
        {
          idempotency_key: 'dlv_1',
          request_id: 'req-from-gateway',
          applied: true,
          body: update(booked, 'confirmed', 1),
        },
      ])
      for (const sql of [
        'delete from booking_payment_updates',
        'update booking_payment_updates set version = 9',
      ])
        await assert.rejects(service.pool.query(sql), /append-only/)
    })
  })

  describe('400', () => {
    it('calls a status it does not know INVALID_STATUS, also when nothing else is right', async () => {
      const booked = await booking()
      for (const body of [update(booked, 'paid', 1), { status: 'succeeded' }, { status: '' }]) {
        const answer = await put(booked.id, body)
        assert.deepEqual([answer.status, answer.body.error.code], [400, 'INVALID_STATUS'])
      }
      assert.equal((await get(booked.id)).status, 'pending')
    })

    it('names the field that is malformed, and changes nothing', async () => {
      const booked = await booking()
      const good = update(booked, 'confirmed', 1)
      const wrong: [string, unknown][] = [
        ['status', { ...good, status: undefined }],
        ['status', { ...good, status: 1 }],
        ['version', { ...good, version: undefined }],
        ['version', { ...good, version: 0 }],
        ['version', { ...good, version: 1.5 }],
        ['version', { ...good, version: '1' }],
        ['version', { ...good, version: 1e300 }],
        ['amountMinor', { ...good, amountMinor: undefined }],
        ['amountMinor', { ...good, amountMinor: -1 }],
        ['currency', { ...good, currency: 'euro' }],
        ['paymentId', { ...good, paymentId: 'pay\u0000' }],
        ['paymentIntentId', { ...good, paymentIntentId: '' }],
        ['paidAt', { ...good, paidAt: 'yesterday' }],
        ['paidAt', { ...good, paidAt: '2026-12-31T23:59:60Z' }],
        ['refundedAt', { ...good, refundedAt: 1 }],
        ['refundedAmountMinor', { ...good, refundedAmountMinor: 0.5 }],
      ]
      for (const [field, body] of wrong) {
        const answer = await put(booked.id, body)
        assert.deepEqual(
          [answer.status, answer.body.error.code],
          [400, 'VALIDATION_ERROR'],
          JSON.stringify(body),
        )
        assert.equal(answer.body.error.details[0].field, `body.${field}`)
      }
      for (const body of ['', '{', '[]', 'null', '"confirmed"'])
        assert.equal((await put(booked.id, body)).body.error.code, 'VALIDATION_ERROR', body)
      assert.equal((await get(booked.id)).paymentVersion, 0)
      assert.deepEqual(await recorded(booked.id), [])
    })
  })

  describe('401', () => {
    it('wants a token, before it looks at anything else', async () => {
      for (const token of [undefined, 'service-token-in-us', 'nonsense']) {
        const { status, body } = await put('nothing', { status: 'x' }, { token })
        assert.deepEqual([status, body.error.code], [401, 'UNAUTHENTICATED'])
      }
    })
  })

  describe('403', () => {
    it('lets no user change a payment, neither its customer nor an operator, whatever X-Service-Name says', async () => {
      const booked = await booking()
      for (const token of [ada, await tokenOf('cus_op', { roles: ['operator'] })]) {
        const { status, body } = await put(booked.id, update(booked, 'confirmed', 1), { token })
        assert.deepEqual([status, body.error.code], [403, 'FORBIDDEN'])
      }
      assert.equal((await get(booked.id)).status, 'pending')
    })
  })

  describe('404', () => {
    it('says so for a booking that does not exist, or cannot', async () => {
      const booked = await booking()
      for (const id of ['bkg_none', 'a%00b', '%E2%82%AC', '..%2F..%2Ftours', 'x'.repeat(200)]) {
        const { status, body } = await put(id, update(booked, 'confirmed', 1))
        assert.deepEqual([status, body.error.code], [404, 'NOT_FOUND'], id)
      }
    })
  })

  describe('409', () => {
    it('confirms for no other price than its own, and can still be confirmed for the right one', async () => {
      const booked = await booking()
      for (const money of [
        { amountMinor: booked.amountMinor - 1 },
        { amountMinor: 430 },
        { currency: 'usd' },
      ]) {
        const { status, body } = await put(booked.id, update(booked, 'confirmed', 1, money))
        assert.deepEqual([status, body.error.code], [409, 'AMOUNT_MISMATCH'])
      }
      const { status, paymentVersion, paidAt } = await get(booked.id)
      assert.deepEqual([status, paymentVersion, paidAt], ['pending', 0, null])
      assert.equal((await put(booked.id, update(booked, 'confirmed', 1))).body.data.applied, true)
      assert.deepEqual(
        (await recorded(booked.id)).map(([, , reason]) => reason),
        ['amount_mismatch', 'amount_mismatch', 'amount_mismatch', null],
      )
    })

    it('never applies another content under a version it has applied', async () => {
      const booked = await booking()
      await put(booked.id, update(booked, 'confirmed', 1))
      const { status, body } = await put(booked.id, update(booked, 'cancelled', 1))
      assert.deepEqual([status, body.error.code], [409, 'INVALID_STATE'])
      assert.equal((await get(booked.id)).status, 'confirmed')
      assert.deepEqual((await recorded(booked.id)).at(-1), [1, 'cancelled', 'version_reused'])
    })
  })
})

describe('a booking that nobody pays', () => {
  const giveUpDeps = (now: Date) => ({ pool: service.pool, log: service.log, now: () => now })
  const afterHold = () => new Date(service.clock.now.getTime() + 25 * 60 * 60 * 1000 + 1)

  it('keeps its seats to the end of its hold, then frees them once however many processes sweep', async () => {
    const booked = await booking(4)
    const paid = await booking(2, booked.date)
    await put(paid.id, update(paid, 'confirmed', 1))
    await giveUpExpiredHolds(giveUpDeps(new Date(service.clock.now.getTime() + 25 * 60 * 60 * 1000 - 60_000)))
    assert.equal((await get(booked.id)).status, 'pending')
    await Promise.all(Array.from({ length: 4 }, () => giveUpExpiredHolds(giveUpDeps(afterHold()))))
    assert.equal((await get(booked.id)).status, 'cancelled')
    assert.equal((await get(paid.id)).status, 'confirmed')
    assert.equal(await seatsLeft(booked.date), 4)
  })

  it('does not keep the others waiting when somebody is changing it at this moment', async () => {
    const busy = await booking(1)
    const idle = await booking(1)
    await inTransaction(service.pool, async (tx) => {
      await tx.query('select id from bookings where id = $1 for update', [busy.id])
      await giveUpExpiredHolds(giveUpDeps(afterHold()))
      assert.equal((await get(idle.id)).status, 'cancelled')
    })
    assert.equal((await get(busy.id)).status, 'pending')
    await giveUpExpiredHolds(giveUpDeps(afterHold()))
    assert.equal((await get(busy.id)).status, 'cancelled')
  })

  it('is confirmed with its seats again when the money comes after all', async () => {
    const booked = await booking(4)
    await giveUpExpiredHolds(giveUpDeps(afterHold()))
    assert.equal(await seatsLeft(booked.date), 6)
    const { body } = await put(booked.id, update(booked, 'confirmed', 1))
    assert.deepEqual([body.data.status, body.data.overbooked], ['confirmed', false])
    assert.equal(await seatsLeft(booked.date), 2)
  })

  it('is confirmed and called overbooked, loudly, when its seats are gone by the time the money comes', async () => {
    const booked = await booking(4)
    await service.call('POST', `/api/v1/bookings/${booked.id}/cancel`, { token: ada })
    await booking(6, booked.date)
    const { body } = await put(booked.id, update(booked, 'confirmed', 1))
    assert.deepEqual([body.data.status, body.data.overbooked], ['confirmed', true])
    assert.equal(await seatsLeft(booked.date), 0)
    const line = service.logLines.find(
      ({ msg, bookingId }) => msg === 'booking.overbooked' && bookingId === booked.id,
    )
    assert.deepEqual([line?.['level'], line?.['overbooked']], ['error', true])

    const refunded = await put(booked.id, update(booked, 'cancelled', 2))
    assert.deepEqual([refunded.body.data.status, refunded.body.data.overbooked], ['cancelled', false])
    assert.equal(await seatsLeft(booked.date), 0, 'it frees no seats that it does not hold')
  })
})

describe('POST /api/v1/bookings/:id/cancel', () => {
  it('ends no booking that is paid: that takes a refund', async () => {
    const booked = await booking()
    await put(booked.id, update(booked, 'confirmed', 1))
    const { status, body } = await service.call('POST', `/api/v1/bookings/${booked.id}/cancel`, {
      token: ada,
    })
    assert.deepEqual([status, body.error.code], [409, 'BOOKING_ALREADY_PAID'])
    assert.equal((await get(booked.id)).status, 'confirmed')
  })
})
