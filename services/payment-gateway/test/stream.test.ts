import assert from 'node:assert/strict'
import { get } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { createAuthenticate } from '@passerelle/kit/caller'
import { createPool } from '@passerelle/kit/database'
import { createHttpServer, listen } from '@passerelle/kit/http'
import { createLog } from '@passerelle/kit/log'
import { createRateLimiter } from '@passerelle/kit/rate-limit'
import { SCHEMA } from '../src/app.ts'
import { gatewayConfig } from '../src/config.ts'
import { createPaymentWatchers } from '../src/payments/payment-stream.ts'
import { paymentStreamRoutes } from '../src/payments/payment-stream.routes.ts'
import { findPayments } from '../src/payments/payment.repository.ts'
import { call, eventually, payAtSandbox, startGatewayWith, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform()
})
after(() => platform.stop())

type Stream = {
  readonly status: number
  readonly events: { id: string; data: Record<string, unknown> }[]
  readonly close: () => void
  readonly ended: () => boolean
}

async function open(url: string, headers: Record<string, string> = {}): Promise<Stream> {
  const abort = new AbortController()
  const response = await fetch(url, { headers, signal: abort.signal })
  const events: Stream['events'] = []
  let ended = false
  const read = async (): Promise<void> => {
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString()
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const fields = Object.fromEntries(
          block
            .split('\n')
            .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
        )
        if (fields['event'] === 'status')
          events.push({
            id: fields['id'] ?? '',
            data: JSON.parse(fields['data'] ?? '') as Record<string, unknown>,
          })
      }
    }
  }
  void read()
    .catch(() => {})
    .finally(() => {
      ended = true
    })
  return { status: response.status, events, close: () => abort.abort(), ended: () => ended }
}

async function opened(): Promise<{ bookingId: string; sessionId: string; path: string }> {
  const booking = platform.addBooking()
  const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
  const path = `/api/v1/payment-gateway/payments/${booking.id}/stream?token=${body.data['statusToken']}`
  return { bookingId: booking.id, sessionId: body.data['sessionId'] ?? '', path }
}

/** The streams alone, over one connection to the database, with a look at who watches. */
async function ownStreams() {
  const log = createLog({ name: 'test', level: 'silent' })
  const pool = createPool({
    url: platform.database.url,
    schema: SCHEMA,
    applicationName: 'streams',
    connectionsMax: 1,
    log,
  })
  const watchers = createPaymentWatchers({ log, find: (ids) => findPayments(pool, ids) })
  const server = createHttpServer({ log, corsOrigin: 'http://localhost:5173', trustedProxies: [] })
  const unlimited = createRateLimiter(0)
  const authenticate = createAuthenticate(gatewayConfig(platform.env).auth, {
    limits: { customers: unlimited, failures: unlimited },
  })
  const stopping = new AbortController().signal
  paymentStreamRoutes(server, { pool, watchers, authenticate, anonymous: unlimited, stopping })
  const { url } = await listen(server, { host: '127.0.0.1', port: 0 })
  return { server, watchers, pool, url }
}

describe('GET /payments/:bookingId/stream', () => {
  it('tells the state at once and every change, with the version as id, from any process', async () => {
    const { bookingId, sessionId, path } = await opened()
    const other = await startGatewayWith({ ...platform.env, PORT: '0' })
    const here = await open(platform.gateway.url + path)
    const there = await open(other.url + path)
    await eventually('the first state', () => here.events.length === 1 && there.events.length === 1)
    assert.equal(here.events[0]?.data['status'], 'pending')
    await payAtSandbox(platform, sessionId)
    for (const stream of [here, there]) {
      await eventually('the success', () => stream.events.at(-1)?.data['status'] === 'succeeded')
      const ids = stream.events.map(({ id }) => Number(id))
      assert.deepEqual(
        ids,
        [...new Set(ids)].sort((a, b) => a - b),
      )
      assert.equal(stream.events.at(-1)?.id, String(stream.events.at(-1)?.data['version']))
    }
    const { body } = await call(platform, 'GET', `/payments/${bookingId}/status`)
    const last = here.events.at(-1)?.data ?? {}
    assert.deepEqual(Object.keys(last).sort(), Object.keys(body.data).sort())
    here.close()
    await other.stop()
    await eventually('the stream of the stopped process to end', () => there.ended())
  })

  it('tells a page that comes back only what is newer than what it saw', async () => {
    const { sessionId, path } = await opened()
    const url = platform.gateway.url + path
    const first = await open(url)
    await eventually('the first state', () => first.events.length === 1)
    const seen = first.events[0]?.id ?? ''
    first.close()
    const again = await open(url, { 'last-event-id': seen })
    await payAtSandbox(platform, sessionId)
    await eventually('the success', () => again.events.at(-1)?.data['status'] === 'succeeded')
    assert.ok(again.events.every(({ id }) => Number(id) > Number(seen)))
    again.close()
    assert.equal((await fetch(url, { headers: { 'last-event-id': 'yesterday' } })).status, 400)
  })

  it('costs one listening connection however many pages are open', async () => {
    const streams = await Promise.all(
      Array.from({ length: 20 }, async () => open(platform.gateway.url + (await opened()).path)),
    )
    await eventually('the states', () => streams.every(({ events }) => events.length > 0))
    const { rows } = await platform.pool.query<{ listening: number }>(
      // By name: what a connection ran last is its heartbeat, sooner or later.
      `select count(*)::int as listening from pg_stat_activity
       where datname = current_database() and backend_type = 'client backend'
         and application_name not in ('payment-gateway', 'payment-gateway events', 'test')`,
    )
    assert.equal(rows[0]?.listening, 1)
    for (const stream of streams) stream.close()
  })

  it('keeps nothing of a page that is gone before its payment was looked up', async () => {
    const { path } = await opened()
    const { server, watchers, pool, url } = await ownStreams()
    const blocker = await platform.pool.connect()
    try {
      await blocker.query('begin; lock table payments in access exclusive mode')
      const page = get(url + path.slice('/api/v1/payment-gateway'.length)).on('error', () => {})
      await eventually('the look-up', () => pool.idleCount === 0 && pool.totalCount === 1)
      page.destroy()
      await eventually(
        'its end',
        async () => (await promisify(server.server.getConnections.bind(server.server))()) === 0,
      )
      await blocker.query('rollback')
      // One connection serves all in turn: when the third of these is answered, so is all that the route asks.
      for (const _ of [1, 2, 3]) await pool.query('select')
      assert.equal(watchers.count(), 0)
    } finally {
      blocker.release()
      await server.close()
      await pool.end()
    }
  })

  it('is closed to everybody who may not see the payment', async () => {
    const { path } = await opened()
    const foreign = await opened()
    assert.equal((await fetch(platform.gateway.url + path.split('?')[0])).status, 401)
    assert.equal(
      (await fetch(`${platform.gateway.url}${path.split('?')[0]}?token=${foreign.path.split('token=')[1]}`))
        .status,
      404,
    )
  })

  it('allows the shop and no other origin', async () => {
    const { path } = await opened()
    const abort = new AbortController()
    const response = await fetch(platform.gateway.url + path, {
      headers: { origin: 'http://localhost:5173' },
      signal: abort.signal,
    })
    assert.equal(response.headers.get('access-control-allow-origin'), 'http://localhost:5173')
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
    abort.abort()
    const other = await fetch(platform.gateway.url + path, {
      headers: { origin: 'http://evil.example' },
      signal: AbortSignal.timeout(3000),
    })
    assert.equal(other.headers.get('access-control-allow-origin'), null)
    await other.body?.cancel()
  })
})
