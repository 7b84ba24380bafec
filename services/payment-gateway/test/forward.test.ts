import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { deliver, eventJson, eventually, freePort, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

type Heard = { readonly headers: IncomingHttpHeaders; readonly body: string }

const key = randomBytes(32)
let platform: Platform
let extension: Server
let answer = 200
const heard: Heard[] = []

before(async () => {
  const port = await freePort()
  extension = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      heard.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      // Another address, and a redirect would lose the body: as frameworks that insist on the last slash have it.
      response.writeHead(request.url === '/stripe-events/' ? answer : 301).end()
    })()
  }).listen(port, '127.0.0.1')
  platform = await startPlatform({
    webhooks: false,
    env: {
      EXTENSION_URL: `http://127.0.0.1:${port}/stripe-events/`,
      EXTENSION_SECRET: `whsec_${key.toString('base64')}`,
    },
  })
})
after(async () => {
  extension.closeAllConnections()
  await new Promise((resolve) => extension.close(resolve))
  await platform.stop()
})

const subscription = (id: string) =>
  eventJson(
    'customer.subscription.created',
    { id: 'sub_1', object: 'subscription', status: 'active' },
    { id },
  )

const heardOf = (id: string): Heard[] => heard.filter(({ headers }) => headers['webhook-id'] === id)

describe('events that are no payment’s', () => {
  it('reach the service that wants them, once, word for word and signed by the Standard Webhooks rules', async () => {
    const payload = subscription('evt_sub_1')
    for (let copy = 0; copy < 3; copy += 1) assert.equal((await deliver(platform, payload)).status, 200)
    const [{ headers, body }] = await eventually('the event', () => {
      const [first] = heardOf('evt_sub_1')
      return first !== undefined && [first]
    })
    assert.equal(body, payload)
    const signed = `evt_sub_1.${String(headers['webhook-timestamp'])}.${body}`
    const expected = createHmac('sha256', key).update(signed).digest('base64')
    assert.equal(headers['webhook-signature'], `v1,${expected}`)
    await eventually('its record', async () => (await statusOf('evt_sub_1')) === 'forwarded')
    await deliver(platform, eventJson('invoice.paid', { id: 'in_1', object: 'invoice' }, { id: 'evt_other' }))
    await deliver(platform, subscription('evt_sub_2'))
    await eventually('the next', () => heardOf('evt_sub_2').length > 0)
    assert.deepEqual([heardOf('evt_sub_1').length, heardOf('evt_other').length], [1, 0])
  })

  it('wait for a service that is away, and fail no webhook', async () => {
    answer = 503
    assert.equal((await deliver(platform, subscription('evt_sub_3'))).status, 200)
    await eventually('a first try', () => heardOf('evt_sub_3').length > 0)
    answer = 204
    await eventually('its record', async () => (await statusOf('evt_sub_3')) === 'forwarded')
    assert.ok(heardOf('evt_sub_3').length >= 2)
  })
})

async function statusOf(eventId: string): Promise<string | undefined> {
  const { rows } = await platform.pool.query<{ status: string }>(
    'select status from forwards where event_id = $1',
    [eventId],
  )
  return rows[0]?.status
}
