import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { startBalancer } from './balancer.ts'
import type { Balancer } from './balancer.ts'
import { bookTour, call, deliverEvent, pay, SECRETS, startPlatform, tokenOf } from './platform.ts'
import type { Platform, Service } from './platform.ts'
import { ROOT, until } from './stack.ts'

const API = '/api/v1/payment-gateway'
let balancer: Balancer
let platform: Platform
let booking: Service
before(async () => {
  balancer = await startBalancer()
  platform = await startPlatform({ webhookUrl: `${balancer.url}${API}/webhooks/stripe` })
  booking = await platform.booking()
})
after(async () => {
  await platform.stop()
  await balancer.stop()
})

/** What was acknowledged must be there, whoever acknowledged it. */
async function missingOf(acknowledged: readonly string[]): Promise<string[]> {
  const client = new Client({ connectionString: platform.databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ id: string }>(
      'select id from unnest($1::text[]) as id where id not in (select id from payment_gateway.stripe_events)',
      [acknowledged],
    )
    return rows.map(({ id }) => id)
  } finally {
    await client.end()
  }
}

describe('a rolling restart under load', () => {
  it('fails no request: each process says it is leaving, answers what still comes, and ends with nothing lost', async () => {
    const drain = { SHUTDOWN_DRAIN_SECONDS: '1' }
    let gateways = [await platform.gateway(drain), await platform.gateway(drain)]
    for (const gateway of gateways) balancer.add(gateway)
    await until('both to be balanced', () => balancer.ready().length === 2)

    const bearer = await tokenOf('cus_rolling')
    const bookingId = await bookTour(booking.url, bearer)
    const open = () => call(`${balancer.url}${API}/sessions`, 'POST', { bearer, body: { bookingId } })
    assert.equal((await open()).status, 200)

    const acknowledged: string[] = []
    const failures: string[] = []
    let answered = 0
    const kinds: (() => Promise<number>)[] = [
      async () => {
        const id = `evt_${randomUUID()}`
        const status = await deliverEvent(balancer.url, { id })
        if (status === 200) acknowledged.push(id)
        return status
      },
      async () =>
        (await call(`${balancer.url}${API}/payments/${bookingId}/status`, 'GET', { bearer })).status,
      async () => (await open()).status,
    ]
    const done = new AbortController()
    const client = async (kind: number): Promise<void> => {
      for (let turn = kind; !done.signal.aborted; turn += 1) {
        const status = await kinds[turn % kinds.length]!().catch(
          (error: Error) => (error.cause instanceof Error ? error.cause : error).message,
        )
        if (status === 200) answered += 1
        else failures.push(String(status))
      }
    }
    const clients = Array.from({ length: 4 }, (_, index) => client(index))

    for (const old of gateways) {
      const next = await platform.gateway(drain)
      balancer.add(next)
      await until('the new one to be balanced', () => balancer.ready().includes(next.port))
      assert.equal(await old.stop(), 0)
      assert.ok(!balancer.ready().includes(old.port), 'it said that it was leaving')
      balancer.remove(old.port)
      gateways = [...gateways, next]
      const before = answered
      await until('the next to take its share', () => answered > before + 100)
    }
    done.abort()
    await Promise.all(clients)
    assert.deepEqual(failures, [])
    assert.ok(acknowledged.length > 100, `${acknowledged.length} events under the restart`)
    assert.deepEqual(await missingOf(acknowledged), [])
    for (const gateway of gateways.slice(2)) {
      balancer.remove(gateway.port)
      await gateway.stop()
    }
  })
})

describe('a database that goes away and comes back', () => {
  it('turns every answer into an honest no, kills no process, and loses nothing that was acknowledged', async () => {
    const gateway = await platform.gateway()
    balancer.add(gateway)
    const bearer = await tokenOf('cus_failover')
    const bookingId = await bookTour(booking.url, bearer)
    const { data } = await call(`${gateway.url}${API}/sessions`, 'POST', { bearer, body: { bookingId } })

    const acknowledged: string[] = []
    const statuses = new Set<number>()
    const done = new AbortController()
    const client = async (): Promise<void> => {
      while (!done.signal.aborted) {
        const id = `evt_${randomUUID()}`
        const status = await deliverEvent(gateway.url, { id })
        statuses.add(status)
        if (status === 200) acknowledged.push(id)
      }
    }
    const clients = Array.from({ length: 4 }, client)
    await until('events to flow', () => acknowledged.length > 50)

    await platform.stopPostgres()
    await until(
      'the gateway to say it is not ready',
      async () => (await call(`${gateway.url}/readyz`, 'GET')).status === 503,
    )
    assert.equal((await call(`${booking.url}/readyz`, 'GET')).status, 503)
    assert.equal((await call(`${gateway.url}/healthz`, 'GET')).status, 200)
    assert.match((await call(`${gateway.url}/metrics`, 'GET')).text, /^passerelle_database_up 0$/m)
    const refused = await call(`${gateway.url}${API}/payments/${bookingId}/status`, 'GET', { bearer })
    assert.equal(refused.status, 503)
    assert.doesNotMatch(refused.text, /ECONN|postgres|terminat|sql/i)
    // Money moves while we are away.
    await pay(platform.sandbox.url, data['sessionId'] ?? '')

    await platform.startPostgres()
    await until(
      'the gateway to be ready again',
      async () => (await call(`${gateway.url}/readyz`, 'GET')).status === 200,
    )
    const before = acknowledged.length
    await until('events to flow again', () => acknowledged.length > before + 50)
    done.abort()
    await Promise.all(clients)
    assert.deepEqual(
      [...statuses].sort((a, b) => a - b),
      [200, 500],
    )
    assert.deepEqual(await missingOf(acknowledged), [])
    assert.equal(gateway.child.exitCode, null)

    await call(`${gateway.url}${API}/sessions/${data['sessionId']}/verify`, 'GET', { bearer })
    await until('the booking to be confirmed', async () => {
      const answer = await call(`${booking.url}/api/v1/bookings/${bookingId}`, 'GET', { bearer })
      return answer.data['status'] === 'confirmed'
    })
    balancer.remove(gateway.port)
    await gateway.stop()
  })
})

describe('a customer who is erased', () => {
  it('is gone from both services by one command, while the booking and the payment stay', async () => {
    const gateway = await platform.gateway()
    const bearer = await tokenOf('cus_erased', { email: 'erased@example.com' })
    const bookingId = await bookTour(booking.url, bearer)
    assert.equal(
      (await call(`${gateway.url}${API}/sessions`, 'POST', { bearer, body: { bookingId } })).status,
      200,
    )
    const script = ['tools/erase-customer.ts', 'cus_erased', '--reason', 'asked for it']
    const env = {
      PASSERELLE_URL: gateway.url,
      BOOKING_SERVICE_URL: booking.url,
      INTERNAL_SERVICE_TOKEN: SECRETS.token,
    }
    const { stdout } = await promisify(execFile)(process.execPath, script, { cwd: ROOT, env })
    assert.match(stdout, /payment gateway: 200 .*"payments":1/)
    assert.match(stdout, /booking service: 200 .*"bookings":1/)
    assert.equal((await call(`${booking.url}/api/v1/bookings/${bookingId}`, 'GET', { bearer })).status, 404)
    const kept = await call(`${booking.url}/api/v1/bookings/${bookingId}`, 'GET', { bearer: SECRETS.token })
    assert.match(kept.data['customerId'] ?? '', /^erased_/)
    assert.equal(kept.data['customerEmail'], null)
    await gateway.stop()
  })
})

describe('a secret that is rolled', () => {
  const next = (secret: string): string => `${secret}-next`

  it('is accepted beside the new one, and refused once it has expired: webhooks and tokens of users', async () => {
    const both = await platform.gateway({
      STRIPE_WEBHOOK_SECRET: `${next(SECRETS.webhook)},${SECRETS.webhook}`,
      AUTH_JWT_SECRET: `${next(SECRETS.jwt)},${SECRETS.jwt}`,
    })
    const rolled = await platform.gateway({
      STRIPE_WEBHOOK_SECRET: next(SECRETS.webhook),
      AUTH_JWT_SECRET: next(SECRETS.jwt),
    })
    const event = () => ({ id: `evt_${randomUUID()}` })
    assert.equal(await deliverEvent(both.url, event(), SECRETS.webhook), 200)
    assert.equal(await deliverEvent(both.url, event(), next(SECRETS.webhook)), 200)
    assert.equal(await deliverEvent(rolled.url, event(), SECRETS.webhook), 400)
    assert.equal(await deliverEvent(rolled.url, event(), next(SECRETS.webhook)), 200)

    const look = async (gateway: Service, options: { secret?: string; expires?: string }) =>
      (
        await call(`${gateway.url}${API}/payments/none/status`, 'GET', {
          bearer: await tokenOf('cus_rolled', {}, options),
        })
      ).status
    assert.equal(await look(both, {}), 404)
    assert.equal(await look(both, { secret: next(SECRETS.jwt) }), 404)
    assert.equal(await look(rolled, {}), 401)
    assert.equal(await look(rolled, { secret: next(SECRETS.jwt) }), 404)
    assert.equal(await look(both, { expires: '1 minute ago' }), 401)
    await both.stop()
    await rolled.stop()
  })

  it('between the services costs no announcement: what is refused waits, and arrives once the token is known', async () => {
    const gateway = await platform.gateway({ INTERNAL_SERVICE_TOKEN: next(SECRETS.token) })
    const old = await platform.gateway()
    balancer.add(gateway)
    await until('it to be balanced', () => balancer.ready().length === 1)
    const bearer = await tokenOf('cus_token')
    const bookingId = await bookTour(booking.url, bearer)
    const opened = await call(`${old.url}${API}/sessions`, 'POST', { bearer, body: { bookingId } })
    await old.stop()
    await pay(platform.sandbox.url, opened.data['sessionId'] ?? '')
    await until('the announcement to be refused', () =>
      gateway.lines.some((line) => line.includes('delivery.attempted') && line.includes('"status":401')),
    )
    await booking.stop()
    booking = await platform.booking({ INTERNAL_SERVICE_TOKEN: `${next(SECRETS.token)},${SECRETS.token}` })
    await until('the booking to be confirmed', async () => {
      const answer = await call(`${booking.url}/api/v1/bookings/${bookingId}`, 'GET', { bearer })
      return answer.data['status'] === 'confirmed'
    })
    balancer.remove(gateway.port)
    await gateway.stop()
  })

  it('that is weak or a placeholder keeps a service from starting where it is for real, with its name and without its content', async () => {
    for (const [name, value] of [
      ['INTERNAL_SERVICE_TOKEN', 'changeme'],
      ['AUTH_JWT_SECRET', 'tooshort-4711'],
      ['STRIPE_WEBHOOK_SECRET', 'whsec_your-4711'],
    ] as const)
      await assert.rejects(platform.gateway({ [name]: value }), (error: Error) => {
        assert.match(error.message, new RegExp(`cannot start:\\s+${name} is `))
        assert.doesNotMatch(error.message, /changeme|4711/)
        return true
      })
  })
})
