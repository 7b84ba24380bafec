import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { SERVICE_TOKEN, dayFrom, startService, tokenOf } from './running-service.ts'
import type { Answer, RunningService } from './running-service.ts'

const GLACIER = 'chamonix-glacier-walk' // 6 seats a day
const DHOW = 'kuwait-bay-by-dhow'

let service: RunningService
let ada: string
let bob: string
let nextDay = 10

before(async () => {
  service = await startService()
  ada = await tokenOf('cus_ada', { email: 'ada@example.com' })
  bob = await tokenOf('cus_bob')
})
after(() => service.stop())

/** A day that no other test books. */
function newDay(): string {
  nextDay += 1
  return dayFrom(service.clock.now, nextDay)
}

function book(
  token: string | undefined,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return service.call('POST', '/api/v1/bookings', { token, body, headers })
}

async function seatsLeft(tourId: string, date: string): Promise<number> {
  const answer = await service.call('GET', `/api/v1/tours/${tourId}/availability?date=${date}`)
  return answer.body.data.seatsLeft
}

describe('GET /api/v1/tours', () => {
  it('shows anyone what is on sale, in currencies with two, no and three decimals', async () => {
    const { status, body } = await service.call('GET', '/api/v1/tours')
    assert.equal(status, 200)
    assert.equal(body.success, true)
    assert.equal(body.data.length, 7)
    const price = (id: string) => {
      const { amount, amountMinor, currency } = body.data.find((tour: { id: string }) => tour.id === id)
      return [amount, amountMinor, currency]
    }
    assert.deepEqual(price('paris-after-dark'), [49.5, 4950, 'eur'])
    assert.deepEqual(price('kyoto-temples-and-tea'), [14_800, 14_800, 'jpy'])
    assert.deepEqual(price(DHOW), [18.5, 18_500, 'kwd'])
  })

  it('shows one tour, and says 404 for what cannot be one', async () => {
    const { body } = await service.call('GET', `/api/v1/tours/${GLACIER}`)
    assert.equal(body.data.timeZone, 'Europe/Paris')
    for (const id of ['nothing', 'a%00b', '%F0%9F%98%80', '..%2Fbookings', 'x'.repeat(250)]) {
      const { status, body } = await service.call('GET', `/api/v1/tours/${id}`)
      assert.deepEqual([status, body.error.code], [404, 'NOT_FOUND'], id)
    }
  })

  it('counts the seats left of a day that can be booked', async () => {
    assert.equal(await seatsLeft(GLACIER, newDay()), 6)
    for (const date of ['2020-01-01', '0000-01-01', '9999-12-31', '2027-02-30', 'tomorrow', '']) {
      const { status, body } = await service.call('GET', `/api/v1/tours/${GLACIER}/availability?date=${date}`)
      assert.deepEqual([status, body.error.code], [400, 'VALIDATION_ERROR'], date)
    }
  })
})

describe('POST /api/v1/bookings', () => {
  describe('201', () => {
    it("books at the tour's price for the customer of the token, pending, with every field of the contract", async () => {
      const date = newDay()
      const { status, body } = await book(ada, {
        tourId: DHOW,
        date,
        seats: 3,
        amount: 0.01,
        customerId: 'cus_bob',
      })
      assert.equal(status, 201)
      const { id, createdAt, holdExpiresAt, ...rest } = body.data
      assert.match(id, /^bkg_[0-9a-f]{32}$/)
      assert.equal(Date.parse(holdExpiresAt) - Date.parse(createdAt), 25 * 60 * 60 * 1000)
      assert.deepEqual(rest, {
        status: 'pending',
        customerId: 'cus_ada',
        customerEmail: 'ada@example.com',
        tourId: DHOW,
        tourName: 'Kuwait Bay by Dhow',
        date,
        seats: 3,
        amount: 55.5,
        amountMinor: 55_500,
        currency: 'kwd',
        paymentIntentId: null,
        paidAt: null,
        refundedAt: null,
        refundedAmount: 0,
        refundedAmountMinor: 0,
        paymentVersion: 0,
        overbooked: false,
      })
      assert.equal(await seatsLeft(DHOW, date), 17)
    })

    it('writes to the address of the body rather than to that of the token, and to none when there is none', async () => {
      const order = { tourId: DHOW, date: newDay(), seats: 1 }
      const given = await book(ada, { ...order, customerEmail: 'work@example.com' })
      assert.equal(given.body.data.customerEmail, 'work@example.com')
      assert.equal((await book(bob, order)).body.data.customerEmail, null)
    })

    it('does not keep what a token calls an address and Stripe would refuse', async () => {
      for (const email of ['', 'ada', 'ada@', 'ada\u0000@example.com', `${'a'.repeat(250)}@example.com`]) {
        const token = await tokenOf('cus_odd', { email })
        const { status, body } = await book(token, { tourId: DHOW, date: newDay(), seats: 1 })
        assert.deepEqual([status, body.data?.customerEmail], [201, null], JSON.stringify(email))
      }
    })

    it('sells the last five seats to five of fifty who ask at once', async () => {
      const date = newDay()
      await book(ada, { tourId: GLACIER, date, seats: 1 })
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, index) =>
          book(await tokenOf(`cus_${index}`), { tourId: GLACIER, date, seats: 1 }),
        ),
      )
      const sold = answers.filter(({ status }) => status === 201)
      const refused = answers.filter(
        ({ status, body }) => status === 409 && body.error.code === 'NO_SEATS_LEFT',
      )
      assert.deepEqual([sold.length, refused.length], [5, 45])
      assert.equal(await seatsLeft(GLACIER, date), 0)
    })

    it('makes one booking of a request that is repeated twenty times at once, also for the last seats', async () => {
      const order = { tourId: GLACIER, date: newDay(), seats: 6 }
      const headers = { 'idempotency-key': 'one-click' }
      const answers = await Promise.all(Array.from({ length: 20 }, () => book(ada, order, headers)))
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]))
      assert.equal(new Set(answers.map(({ body }) => body.data.id)).size, 1)
      const other = await book(bob, { ...order, date: newDay() }, headers)
      assert.equal(other.status, 201, 'a key belongs to its customer')
      assert.notEqual(other.body.data.id, answers[0]?.body.data.id)
    })
  })

  describe('400', () => {
    it('names the field that is wrong, and books nothing', async () => {
      const date = newDay()
      const order = { tourId: GLACIER, date, seats: 1 }
      const wrong: [unknown, string][] = [
        [{ ...order, seats: 0 }, 'body.seats'],
        [{ ...order, seats: 1.5 }, 'body.seats'],
        [{ ...order, seats: '1' }, 'body.seats'],
        [{ ...order, seats: 21 }, 'body.seats'],
        [{ ...order, date: '2027-02-30' }, 'body.date'],
        [{ ...order, date: dayFrom(service.clock.now, -3) }, 'body.date'],
        [{ ...order, date: dayFrom(service.clock.now, 400) }, 'body.date'],
        [{ ...order, customerEmail: 'ada' }, 'body.customerEmail'],
        [{ tourId: GLACIER, date }, 'body.seats'],
        [[], 'body'],
      ]
      for (const [body, field] of wrong) {
        const answer = await book(ada, body)
        assert.deepEqual(
          [answer.status, answer.body.error.code],
          [400, 'VALIDATION_ERROR'],
          JSON.stringify(body),
        )
        assert.equal(answer.body.error.details[0].field, field)
      }
      assert.equal((await book(ada, '{"tourId":')).body.error.code, 'VALIDATION_ERROR')
      assert.equal(await seatsLeft(GLACIER, date), 6)
    })
  })

  describe('401 and 403', () => {
    it('lets nobody book without a valid token, and no service book for itself', async () => {
      const order = { tourId: GLACIER, date: newDay(), seats: 1 }
      const forged = await tokenOf('cus_ada', {}, { secret: 'another secret' })
      const expired = await tokenOf('cus_ada', {}, { expiresAt: '1 minute ago' })
      for (const token of [undefined, 'nonsense', forged, expired]) {
        const { status, body } = await book(token, order)
        assert.deepEqual([status, body.error.code], [401, 'UNAUTHENTICATED'])
      }
      assert.deepEqual((await book(SERVICE_TOKEN, order)).status, 403)
    })
  })

  describe('404', () => {
    it('knows only the tours on sale', async () => {
      for (const tourId of ['nothing', 'a\u0000b', '💶']) {
        const { status, body } = await book(ada, { tourId, date: newDay(), seats: 1 })
        assert.deepEqual([status, body.error.code], [404, 'NOT_FOUND'])
      }
    })
  })

  describe('409', () => {
    it('sells all the seats that are asked for, or none', async () => {
      const date = newDay()
      await book(ada, { tourId: GLACIER, date, seats: 4 })
      const { status, body } = await book(bob, { tourId: GLACIER, date, seats: 3 })
      assert.deepEqual([status, body.error.code], [409, 'NO_SEATS_LEFT'])
      assert.equal(await seatsLeft(GLACIER, date), 2)
      assert.equal(
        (await book(bob, { tourId: GLACIER, date: newDay(), seats: 7 })).body.error.code,
        'NO_SEATS_LEFT',
      )
    })

    it('takes a key that comes back with another order for a mistake', async () => {
      const order = { tourId: DHOW, date: newDay(), seats: 1 }
      const headers = { 'idempotency-key': 'reused' }
      await book(ada, order, headers)
      const { status, body } = await book(ada, { ...order, seats: 2 }, headers)
      assert.deepEqual([status, body.error.code], [409, 'IDEMPOTENCY_KEY_REUSED'])
      assert.equal(await seatsLeft(DHOW, order.date), 19)
    })
  })
})

describe('GET /api/v1/bookings/:id', () => {
  it('shows a booking to its customer, to an operator and to services, and to nobody else', async () => {
    const { body } = await book(ada, { tourId: DHOW, date: newDay(), seats: 1 })
    const path = `/api/v1/bookings/${body.data.id}`
    const operator = await tokenOf('cus_op', { roles: ['operator'] })
    for (const token of [ada, operator, SERVICE_TOKEN])
      assert.deepEqual((await service.call('GET', path, { token })).body.data, body.data)
    const others = await service.call('GET', path, { token: bob })
    const unknown = await service.call('GET', '/api/v1/bookings/bkg_none', { token: bob })
    assert.deepEqual([others.status, others.body.error.message], [404, unknown.body.error.message])
    assert.equal((await service.call('GET', path)).status, 401)
  })

  it('says 404 for an id that no booking can have', async () => {
    for (const id of ['a%00b', '%E2%82%AC', '1%27%20or%20true--', 'x'.repeat(200)])
      assert.equal(
        (await service.call('GET', `/api/v1/bookings/${id}`, { token: SERVICE_TOKEN })).status,
        404,
        id,
      )
  })
})

describe('GET /api/v1/bookings', () => {
  it("lists the customer's own bookings, newest first, as many as asked for", async () => {
    const token = await tokenOf('cus_lister')
    const ids: string[] = []
    for (const seats of [1, 2, 3]) {
      service.clock.now = new Date(service.clock.now.getTime() + 1000)
      const { body } = await book(token, { tourId: DHOW, date: newDay(), seats })
      ids.unshift(body.data.id)
    }
    const idsOf = ({ body }: Answer) => body.data.map((booking: { id: string }) => booking.id)
    assert.deepEqual(idsOf(await service.call('GET', '/api/v1/bookings', { token })), ids)
    assert.deepEqual(idsOf(await service.call('GET', '/api/v1/bookings?limit=2', { token })), ids.slice(0, 2))
    for (const limit of ['0', '101', '-1', 'many'])
      assert.equal((await service.call('GET', `/api/v1/bookings?limit=${limit}`, { token })).status, 400)
  })
})

describe('POST /api/v1/bookings/:id/cancel', () => {
  it('frees the seats of an unpaid booking once, and again changes nothing', async () => {
    const date = newDay()
    const { body } = await book(ada, { tourId: GLACIER, date, seats: 5 })
    const path = `/api/v1/bookings/${body.data.id}/cancel`
    assert.equal((await service.call('POST', path, { token: bob, body: {} })).status, 404)
    assert.equal(await seatsLeft(GLACIER, date), 1)
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => service.call('POST', path, { token: ada })),
    )
    for (const { status, body } of answers) assert.deepEqual([status, body.data.status], [200, 'cancelled'])
    assert.equal(await seatsLeft(GLACIER, date), 6)
  })
})
