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

/** The events of a type as Stripe lists them. */
async function eventsOf(wanted: string): Promise<string[]> {
  const response = await fetch(`${platform.sandbox.url}/v1/events?limit=100`, {
    headers: { authorization: 'Bearer sk_test_platform' },
  })
  const { data } = (await response.json()) as { data: { type: string }[] }
  return data.filter(({ type }) => type === wanted).map((event) => JSON.stringify(event))
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
    events.push(...(await eventsOf('payment_intent.succeeded')))
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

describe('kill -STOP', () => {
  it('frees what the frozen process had claimed; waking up late it neither sends nor writes', async () => {
    const booking = platform.addBooking()
    const opener = await startVictim(platform.booking.url)
    const { body } = await call(opener, 'POST', '/sessions', { body: { bookingId: booking.id } })
    // The call of the first to claim hangs, so that it is frozen with the claim.
    platform.booking.misbehave('hang')
    const calls = platform.booking.calls()
    await payAtSandbox(platform, body.data['sessionId'] ?? '')
    const [paid] = (await eventsOf('payment_intent.succeeded')).filter((payload) =>
      payload.includes(booking.id),
    )
    assert.equal((await deliver(opener, paid ?? '')).status, 200)
    const claimOf = async () => {
      const { rows } = await platform.pool.query<{ claimed_by: number | null; claim: number }>(
        'select claimed_by, claim from deliveries where booking_id = $1',
        [booking.id],
      )
      return rows[0]
    }
    await eventually('its call', () => platform.booking.calls() > calls)
    opener.child.kill('SIGSTOP')
    platform.booking.misbehave(null)

    const other = await startVictim(platform.booking.url)
    await eventually(
      'another process to take over',
      () => platform.booking.toldOf(booking.id).length > 0,
      40_000,
    )
    await eventually('its result', async () => (await claimOf())?.claimed_by === null)
    const { claim } = (await claimOf()) ?? { claim: 0 }
    opener.child.kill('SIGCONT')
    await eventually(
      'the woken process to be at work again',
      async () => (await fetch(`${opener.gateway.url}/readyz`).catch(() => null))?.ok === true,
    )
    assert.deepEqual(await claimOf(), { claimed_by: null, claim })
    const { rows } = await platform.pool.query<{ status: string }>(
      'select status from deliveries where booking_id = $1',
      [booking.id],
    )
    assert.deepEqual(rows, [{ status: 'delivered' }])
    for (const { child } of [opener, other]) child.kill('SIGKILL')
  })
})
