import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { call, deliver, eventually, freePort, payAtSandbox, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

// The platform's own gateway opens the sessions; the one that takes the webhooks is a process that is killed.
let platform: Platform
before(async () => {
  platform = await startPlatform({ webhooks: false, env: { BOOKING_SERVICE_URL: 'http://127.0.0.1:9' } })
})
after(() => platform.stop())

type Victim = {
  readonly gateway: { readonly url: string; readonly port: number; readonly stop: () => Promise<void> }
  readonly child: ChildProcess
}

async function startVictim(bookingUrl: string): Promise<Victim> {
  const port = await freePort()
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...platform.env, PORT: String(port), BOOKING_SERVICE_URL: bookingUrl },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const url = `http://127.0.0.1:${port}`
  await eventually(
    'the process to be ready',
    async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok === true,
  )
  return { child, gateway: { url, port, stop: async () => void child.kill('SIGTERM') } }
}

describe('kill -9', () => {
  it('between the 2xx and the announcement loses nothing and doubles nothing', async () => {
    const bookings: string[] = []
    const events: string[] = []
    for (let index = 0; index < 12; index += 1) {
      const booking = platform.addBooking()
      platform.booking.bookings.set(booking.id, booking)
      bookings.push(booking.id)
    }
    const opener = await startVictim(platform.booking.url)
    for (const bookingId of bookings) {
      const { body } = await call(opener, 'POST', '/sessions', { body: { bookingId } })
      await payAtSandbox(platform, body.data['sessionId'] ?? '')
    }
    const list = (await (
      await fetch(`${platform.sandbox.url}/v1/events?limit=100`, {
        headers: { authorization: 'Bearer sk_test_platform' },
      })
    ).json()) as { data: { type: string }[] }
    events.push(
      ...list.data
        .filter(({ type }) => type === 'payment_intent.succeeded')
        .map((event) => JSON.stringify(event)),
    )
    assert.equal(events.length, bookings.length)

    let victim = opener
    for (const payload of events) {
      // Acknowledged, then killed before anything else can happen.
      assert.equal((await deliver(victim, payload)).status, 200)
      victim.child.kill('SIGKILL')
      victim = await startVictim(platform.booking.url)
    }
    for (const bookingId of bookings)
      await eventually(
        `the confirmation of ${bookingId}`,
        () => platform.booking.toldOf(bookingId).length > 0,
      )
    const { rows } = await platform.pool.query(
      'select booking_id, count(*)::int as deliveries from deliveries group by booking_id having count(*) <> 1',
    )
    assert.deepEqual(rows, [])
    // The announcement itself may have been under way when the process died: then it is repeated, under the same key.
    for (const bookingId of bookings)
      assert.deepEqual(
        new Set(platform.booking.toldOf(bookingId).map(({ version }) => version)),
        new Set([1]),
      )
    const stopped = new Promise((resolve) => victim.child.once('exit', (code) => resolve(code)))
    victim.child.kill('SIGTERM')
    assert.equal(await stopped, 0)
  })
})
