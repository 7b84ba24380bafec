// The disk of the tables fills up while payers pay, and nothing else happens: no process is started again.
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { FAST_HEALING, untilRight } from './campaign.ts'
import { ask } from './client.ts'
import type { Answer } from './client.ts'
import { createHistory } from './history.ts'
import { planPayments } from './plan.ts'
import { GATEWAY_MAIN, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'
import { webhookOf } from './poison.ts'
import { mayMount } from './small-disk.ts'
import type { SmallDisk } from './small-disk.ts'
import { CARDS, open, pay } from './steps.ts'
import { book } from './world.ts'
import type { Journey, World } from './world.ts'

const PAYERS = 16
const HEAL_MS_MAX = 60_000
// Larger than what is left free in the pages the tables have already.
const PADDING_BYTES = 4000
const REFUSED_WANTED = 20
const EVENTS_MAX = 5000

const skip = mayMount() ? false : 'only root on Linux may make a small disk'

describe('a full disk of the tables', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'passerelle-full-disk-'))
  const history = createHistory()
  let platform: Platform
  let disk: SmallDisk | null
  let world: World

  before(async () => {
    mkdirSync(join(folder, 'postgres'), { mode: 0o755 })
    // Nobody balances load away from a gateway that stops here.
    const gatewayEnv = { LOG_LEVEL: 'info', SHUTDOWN_DRAIN_SECONDS: '0', ...FAST_HEALING }
    const more = { wireLog: null, gatewayMain: GATEWAY_MAIN, earlier: null, gatewayEnv }
    platform = await startPlatform({ folder, seed: 1, history, ...more })
    disk = platform.database.smallDisk
    world = {
      gatewayUrl: platform.balancer.url,
      bookingUrl: platform.bookingFront.url,
      sandboxUrl: platform.sandbox.url,
      history,
      isOver: () => false,
    }
  })
  after(async () => {
    await platform.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('loses nothing that was acknowledged, is told to callers, and is over as soon as there is room', async (t) => {
    if (disk === null) return t.skip('mounting is not allowed here')
    const booked = await Promise.all(planPayments(1, 2 * PAYERS).map((plan) => book(world, plan)))
    const journeys = booked.filter((journey): journey is Journey => journey !== null)
    const opened = await Promise.all(journeys.slice(0, PAYERS).map((journey) => open(journey)))

    assert.ok(disk.fill())
    const { acknowledged, refused } = await sendUntilRefused(world)
    const paying = journeys.slice(0, PAYERS).map(async (journey, index) => {
      const session = opened[index]
      return session ? pay(journey, session, CARDS.good) : 'not opened'
    })
    const answers = await Promise.all(journeys.slice(PAYERS).map((journey) => openOnce(world, journey)))
    assert.deepEqual(
      [...new Set(answers)].filter((status) => status !== 200),
      [503],
    )
    assert.deepEqual(new Set(await Promise.all(paying)), new Set(['complete']))

    disk.makeRoom()
    for (const payload of refused) assert.equal((await ask(webhookOf(world, payload)))?.status, 200)
    for (const journey of journeys.slice(PAYERS)) {
      const session = await open(journey)
      assert.ok(session !== null)
      assert.equal(await pay(journey, session, CARDS.good), 'complete')
    }
    const healed = await untilRight(platform, history, { healMsMax: HEAL_MS_MAX, extended: false })
    assert.deepEqual(healed.violations, [])
    const { payments, events } = healed.evidence.rows
    assert.equal(payments.filter(({ paid }) => paid).length, 2 * PAYERS)
    const stored = new Set(events.map(({ id }) => id))
    assert.deepEqual(
      acknowledged.filter((id) => !stored.has(id)),
      [],
    )
  })
})

type Sent = { readonly acknowledged: readonly string[]; readonly refused: readonly string[] }

/** Sends events until the disk has no room for them, and some more; refused ones as they were sent. */
async function sendUntilRefused(world: World): Promise<Sent> {
  const acknowledged: string[] = []
  const refused: string[] = []
  for (let sent = 0; sent < EVENTS_MAX && refused.length < REFUSED_WANTED; sent += 1) {
    const id = `evt_${randomUUID().replaceAll('-', '')}`
    const payload = JSON.stringify({
      id,
      object: 'event',
      api_version: '2026-10-28.endive',
      created: Math.floor(Date.now() / 1000),
      livemode: false,
      type: 'customer.subscription.updated',
      data: { object: { object: 'subscription', metadata: { padding: paddingOf(PADDING_BYTES) } } },
    })
    const { status } = (await ask(webhookOf(world, payload))) as Answer
    assert.ok(status === 200 || status === 500, `an event was answered ${status}`)
    if (status === 200) acknowledged.push(id)
    else refused.push(payload)
  }
  assert.equal(refused.length, REFUSED_WANTED, `${acknowledged.length} events found room`)
  return { acknowledged, refused }
}

/** Text that cannot be compressed. */
function paddingOf(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}

/** One impatient try to open the payment; its status. */
async function openOnce(world: World, { bookingId, token }: Journey): Promise<number | null> {
  const answer = await ask({
    method: 'POST',
    url: `${world.gatewayUrl}/api/v1/payment-gateway/sessions`,
    headers: { authorization: `Bearer ${token}` },
    body: { bookingId },
  })
  return answer?.status ?? null
}
