import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { createTestDatabase } from '@passerelle/kit/test-database'
import { MIGRATIONS, SCHEMA, startBooking } from '../src/app.ts'
import { bookingConfig } from '../src/config.ts'
import { dayFrom, environment, SERVICE_TOKEN, startService, tokenOf } from './running-service.ts'
import type { RunningService } from './running-service.ts'

const ROOT = new URL('../../../', import.meta.url)
const PREFIX = 'passerelle_booking_service_'

let service: RunningService
before(async () => {
  service = await startService()
})
after(() => service.stop())

const metrics = async (): Promise<string> => (await fetch(`${service.url}/metrics`)).text()
const valueOf = (text: string, series: string): number | null => {
  const line = text.split('\n').find((one) => one.startsWith(`${PREFIX}${series} `))
  return line === undefined ? null : Number(line.slice(line.lastIndexOf(' ')))
}

async function book(): Promise<{ id: string; amountMinor: number; currency: string }> {
  const tours = await service.call('GET', '/api/v1/tours')
  const { body } = await service.call('POST', '/api/v1/bookings', {
    token: await tokenOf('cus_metrics'),
    body: { tourId: tours.body.data[0].id, date: dayFrom(new Date(), 20), seats: 1 },
  })
  return body.data
}

describe('/metrics of the booking service', () => {
  it('counts messages as applied, duplicate, out of order, refused and of unknown bookings', async () => {
    assert.equal(valueOf(await metrics(), 'last_message_age_seconds'), null, 'nothing was said yet')
    const { id, amountMinor, currency } = await book()
    const tell = (bookingId: string, over: Record<string, unknown>) =>
      service.call('PUT', `/api/v1/bookings/${bookingId}/payment-status`, {
        token: SERVICE_TOKEN,
        body: {
          status: 'confirmed',
          paymentIntentId: 'pi_metrics',
          paidAt: '2026-01-02T03:04:05.000Z',
          version: 5,
          paymentId: 'pay_metrics',
          amountMinor,
          currency,
          ...over,
        },
      })
    await tell(id, {})
    await tell(id, {})
    await tell(id, { version: 3 })
    await tell(id, { version: 6, amountMinor: amountMinor + 1 })
    await tell('bkg_nobody', {})

    // The age is read at most once a second.
    const deadline = AbortSignal.timeout(10_000)
    let text = await metrics()
    while (valueOf(text, 'last_message_age_seconds') === null && !deadline.aborted) text = await metrics()
    for (const outcome of ['applied', 'duplicate', 'out_of_order', 'refused', 'unknown_booking'])
      assert.equal(valueOf(text, `messages_total{outcome="${outcome}"}`), 1, outcome)
    assert.ok((valueOf(text, 'last_message_age_seconds') ?? -1) >= 0)
    assert.equal(valueOf(text, 'database_up'), 1)
    const put = `{method="PUT",route="/api/v1/bookings/:bookingId/payment-status",status="2xx"}`
    assert.equal(valueOf(text, `http_request_duration_seconds_count${put}`), 3)
    assert.doesNotMatch(text, /bkg_|cus_|pay_|pi_/, 'no label holds an id')
  })

  it('counts bookings by status as they are when the service begins to be asked', async () => {
    await book()
    const second = await startBooking(
      bookingConfig(environment(service.databaseUrl)),
      service.log,
      () => new Date(),
    )
    try {
      const text = await (await fetch(`${second.url}/metrics`)).text()
      assert.equal(valueOf(text, 'bookings{status="pending"}'), 1)
      assert.equal(valueOf(text, 'bookings{status="confirmed"}'), 1)
      assert.equal(valueOf(text, 'bookings{status="cancelled"}'), 0)
      assert.equal(valueOf(text, 'overbooked_bookings'), 0)
    } finally {
      await second.stop()
    }
  })

  it('says that the database is gone, and shows no number from before', async () => {
    const { url } = await createTestDatabase({ migrations: MIGRATIONS, schema: SCHEMA })
    const lonely = await startBooking(bookingConfig(environment(url)), service.log)
    try {
      await service.pool.query(`drop database ${new URL(url).pathname.slice(1)} with (force)`)
      const answer = await fetch(`${lonely.url}/metrics`)
      const text = await answer.text()
      assert.equal(answer.status, 200)
      assert.equal(valueOf(text, 'database_up'), 0)
      assert.equal(valueOf(text, 'bookings{status="pending"}'), null)
    } finally {
      await lonely.stop()
    }
  })

  it('exposes what the alert rules and the dashboard ask for', async () => {
    const text = await metrics()
    const files = ['ops/alerts.yml', 'ops/grafana-dashboard.json']
    const asked = files.flatMap((path) => [
      ...readFileSync(new URL(path, ROOT), 'utf8').matchAll(new RegExp(`${PREFIX}[a-z_]+`, 'g')),
    ])
    assert.ok(asked.length >= 10)
    for (const [name] of asked) assert.ok(new RegExp(`^${name}[ {]`, 'm').test(text), name)
  })
})
