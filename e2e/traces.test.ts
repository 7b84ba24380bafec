import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { freePort } from '../tools/ports.ts'
import { bookTour, call, pay, SECRETS, startPlatform, tokenOf } from './platform.ts'
import type { Platform, Service } from './platform.ts'
import { until } from './stack.ts'
import { startTraceCollector } from './trace-collector.ts'
import type { CollectedSpan, TraceCollector } from './trace-collector.ts'

const API = '/api/v1/payment-gateway'
const CALLER_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER_SPAN = '00f067aa0ba902b7'
// With the flag that asks to keep the trace.
const CALLER = `00-${CALLER_TRACE}-${CALLER_SPAN}-01`
const HEADER_SECRET = 'collector-key-4711'
const PERSON = { email: 'canary.traced@example.com', tour: 'Canary Person' }

let collector: TraceCollector
let platform: Platform
let gatewayPort: number
before(async () => {
  collector = await startTraceCollector()
  gatewayPort = await freePort('127.0.0.1')
  platform = await startPlatform({ webhookUrl: `http://127.0.0.1:${gatewayPort}${API}/webhooks/stripe` })
})
after(async () => {
  await platform.stop()
  await collector.stop()
})

type Run = { readonly booking: Service; readonly gateway: Service }

async function startServices(
  otel: Record<string, string>,
  gatewayOtel: Record<string, string> = {},
): Promise<Run> {
  const booking = await platform.booking(otel)
  const gateway = await platform.gateway({ PORT: String(gatewayPort), ...otel, ...gatewayOtel })
  return { booking, gateway }
}

/** Stops both, which sends what is left of their traces. */
async function stopServices({ booking, gateway }: Run): Promise<void> {
  assert.equal(await gateway.stop(), 0)
  assert.equal(await booking.stop(), 0)
}

/** A purchase from checkout to the booking that is confirmed. */
async function buy({ booking, gateway }: Run, headers: Record<string, string> = {}): Promise<string> {
  const bearer = await tokenOf('cus_traced')
  const bookingId = await bookTour(booking.url, bearer)
  const { status, data } = await call(`${gateway.url}${API}/sessions`, 'POST', {
    bearer,
    headers,
    body: { bookingId, customerEmail: PERSON.email, tourName: PERSON.tour },
  })
  assert.equal(status, 200)
  await pay(platform.sandbox.url, data['sessionId'] ?? '', PERSON.email)
  await until('the booking to be confirmed', async () => {
    const answer = await call(`${booking.url}/api/v1/bookings/${bookingId}`, 'GET', { bearer })
    return answer.data['status'] === 'confirmed'
  })
  return bookingId
}

const named = (spans: readonly CollectedSpan[], service: string, name: string): CollectedSpan => {
  const span = spans.find((one) => one.service === service && one.name === name)
  assert.ok(span, `${service}: ${name} among ${spans.map((one) => `${one.service}: ${one.name}`).join(', ')}`)
  return span
}

describe('a trace', () => {
  it('is one over checkout, Stripe and webhook to the booking service, and names nobody', async () => {
    const run = await startServices(
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${HEADER_SECRET}`,
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=trial',
      },
      { OTEL_SERVICE_NAME: 'gateway-of-the-trial' },
    )
    const bookingId = await buy(run, { traceparent: CALLER })
    await stopServices(run)

    const [gateway, booking] = ['gateway-of-the-trial', 'booking-management']
    const checkout = named(collector.spans(), gateway, `POST ${API}/sessions`)
    // The shop's page calls with its customer's token: its trace is linked, not joined.
    assert.deepEqual([checkout.parentId, checkout.links], ['', [CALLER_TRACE]])
    assert.notEqual(checkout.traceId, CALLER_TRACE)
    const spans = collector.spans().filter(({ traceId }) => traceId === checkout.traceId)
    assert.equal(checkout.attributes['http.response.status_code'], '200')
    assert.equal(checkout.resource['deployment.environment.name'], 'trial')
    const asked = named(spans, gateway, 'booking find')
    assert.equal(asked.parentId, checkout.spanId)
    assert.equal(named(spans, booking, 'GET /api/v1/bookings/:bookingId').parentId, asked.spanId)
    assert.equal(named(spans, gateway, 'stripe createSession').parentId, checkout.spanId)
    const webhook = named(spans, gateway, 'stripe webhook')
    assert.equal(webhook.parentId, checkout.spanId)
    assert.match(webhook.attributes['passerelle.event_id'] ?? '', /^evt_/)
    const told = named(spans, gateway, 'booking announce')
    assert.equal(told.parentId, checkout.spanId)
    assert.equal(told.attributes['passerelle.outcome'], 'delivered')
    const handled = named(spans, booking, 'PUT /api/v1/bookings/:bookingId/payment-status')
    assert.equal(handled.parentId, told.spanId)
    assert.equal(handled.isFailed, false)

    // The log's lines and the traces find each other.
    const line = run.gateway.lines.find((one) => one.includes(`"path":"${API}/sessions"`)) ?? ''
    assert.ok(line.includes(`"traceId":"${checkout.traceId}"`), line)
    assert.ok(collector.requests.every(({ path }) => path === '/v1/traces'))
    assert.ok(collector.requests.every(({ headers }) => headers['x-collector-key'] === HEADER_SECRET))
    const sent = Buffer.concat(collector.requests.map(({ body }) => body)).toString('latin1')
    for (const secret of [...Object.values(SECRETS), HEADER_SECRET, PERSON.email, PERSON.tour, 'cus_traced'])
      assert.ok(!sent.includes(secret), `${secret} was sent to the collector`)
    assert.ok(!sent.includes(bookingId), 'only ids that the gateway itself made are sent')
    const logged = [...run.gateway.lines, ...run.booking.lines].join('\n')
    assert.ok(!logged.includes(HEADER_SECRET))
  })

  it('is joined, and kept, at the word of services only: a stranger’s traceparent decides nothing', async () => {
    const before = collector.spans().length
    // Stripe's last events of the payments before come whenever they come, in the traces of those.
    const traced = new Set(collector.spans().map(({ traceId }) => traceId))
    const run = await startServices({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    })
    const headers = { traceparent: CALLER }
    const bookingId = await buy(run, headers)
    const status = `${run.gateway.url}${API}/payments/${bookingId}/status`
    for (const bearer of [await tokenOf('cus_traced'), `${SECRETS.token}.`, SECRETS.token])
      await call(status, 'GET', { bearer, headers })
    await stopServices(run)
    assert.deepEqual(
      collector
        .spans()
        .slice(before)
        .filter(({ traceId }) => !traced.has(traceId))
        .map(({ name, traceId, parentId }) => [name, traceId, parentId]),
      [[`GET ${API}/payments/:bookingId/status`, CALLER_TRACE, CALLER_SPAN]],
    )
  })

  it('is not begun where the sampler says so, and a traceparent that is none begins a new one', async () => {
    const before = collector.spans().length
    const traced = new Set(collector.spans().map(({ traceId }) => traceId))
    const off = await startServices({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER: 'always_off',
    })
    await buy(off)
    await stopServices(off)
    const begun = collector.spans().slice(before)
    assert.deepEqual(
      begun.filter(({ traceId }) => !traced.has(traceId)),
      [],
    )

    const on = await startServices({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
    await buy(on, { traceparent: `00-${'0'.repeat(32)}-${CALLER_SPAN}-01` })
    await buy(on, { traceparent: "';drop table payments;--" })
    await stopServices(on)
    const spans = collector.spans().slice(before)
    const checkouts = spans.filter(({ name }) => name === `POST ${API}/sessions`)
    assert.equal(checkouts.length, 2)
    for (const { traceId, parentId } of checkouts) {
      assert.notEqual(traceId, '0'.repeat(32))
      assert.equal(parentId, '')
      named(
        spans.filter((one) => one.traceId === traceId),
        'booking-management',
        'PUT /api/v1/bookings/:bookingId/payment-status',
      )
    }
  })
})

describe('a collector that does not answer', () => {
  it('harms nothing: payments are confirmed, the services stop in time, and the log says so once', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const silentPort = typeof address === 'object' && address !== null ? address.port : 0
    const nobody = `http://127.0.0.1:${await freePort('127.0.0.1')}`
    const run = await startServices(
      { OTEL_EXPORTER_OTLP_ENDPOINT: nobody, OTEL_EXPORTER_OTLP_TIMEOUT: '500' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${silentPort}` },
    )
    await buy(run)
    const complaints = ({ lines }: Service): number =>
      lines.filter((line) => line.includes('"traces.not_sent"')).length
    await until('both to say that nobody listens', () => {
      return complaints(run.gateway) > 0 && complaints(run.booking) > 0
    })
    await buy(run)
    await stopServices(run)
    assert.deepEqual([complaints(run.gateway), complaints(run.booking)], [1, 1])
    silent.closeAllConnections()
    silent.close()
  })
})
