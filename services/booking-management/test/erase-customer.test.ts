// A customer is erased from the bookings: what the platform owes the law stays, the person does not.
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { SERVICE_TOKEN, dayFrom, startService, tokenOf } from './running-service.ts'
import type { Answer, RunningService } from './running-service.ts'

const CUSTOMER = 'cus_to_be_forgotten'
const EMAIL = 'forgotten@example.com'

let service: RunningService
before(async () => {
  service = await startService()
})
after(() => service.stop())

function erase(token: string | undefined, customerId: string): Promise<Answer> {
  return service.call('POST', '/api/v1/customers/erase', { token, body: { customerId } })
}

async function book(token: string, day: number, key: string): Promise<string> {
  const date = dayFrom(service.clock.now, day)
  const { body } = await service.call('POST', '/api/v1/bookings', {
    token,
    body: { tourId: 'paris-after-dark', date, seats: 1, customerEmail: EMAIL },
    headers: { 'idempotency-key': key },
  })
  return body.data.id
}

it('leaves the bookings without the person: neither id, address, nor anything an address could be tried against', async () => {
  const token = await tokenOf(CUSTOMER)
  const ids = [await book(token, 20, `${CUSTOMER}-1`), await book(token, 21, `${CUSTOMER}-2`)]
  const other = await book(await tokenOf('cus_other'), 22, 'other')
  const { status, body } = await erase(SERVICE_TOKEN, CUSTOMER)
  assert.deepEqual([status, body.data.bookings], [200, 2])
  assert.match(body.data.pseudonym, /^erased_/)

  const { rows } = await service.pool.query<{ row: Record<string, unknown> }>(
    'select to_jsonb(bookings) as row from bookings where id = any($1)',
    [ids],
  )
  assert.equal(rows.length, 2)
  for (const { row } of rows) {
    assert.doesNotMatch(JSON.stringify(row), /forgotten/)
    // A hash of the address is the address to whoever has a list of addresses.
    assert.deepEqual([row['idempotency_key'], row['idempotency_fingerprint']], [null, null])
    assert.deepEqual([row['customer_id'], row['seats'], row['amount_minor']], [body.data.pseudonym, 1, 4950])
  }
  const untouched = await service.call('GET', `/api/v1/bookings/${other}`, { token: SERVICE_TOKEN })
  assert.deepEqual([untouched.body.data.customerId, untouched.body.data.customerEmail], ['cus_other', EMAIL])
  assert.doesNotMatch(JSON.stringify(service.logLines), /forgotten/)
})

it('finds nobody the second time, and says so', async () => {
  const { status, body } = await erase(SERVICE_TOKEN, 'cus_nobody')
  assert.deepEqual([status, body.data], [200, { pseudonym: null, bookings: 0 }])
})

it('is for operators and services alone', async () => {
  assert.equal((await erase(undefined, 'cus_other')).status, 401)
  assert.equal((await erase(await tokenOf('cus_other'), 'cus_other')).status, 403)
  assert.equal((await erase(await tokenOf('op_1', { roles: ['operator'] }), 'cus_nobody')).status, 200)
})
