import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FAST, SECRET, control, sdk, sessionParams, startReceiver, startSandbox } from './merchant.ts'

const MAIN = new URL('../src/main.ts', import.meta.url).pathname

test('what was answered survives kill -9: objects, events, keys and deliveries still owed', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sandbox-'))
  const receiver = await startReceiver()
  receiver.answer = () => 500
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      PORT: '0',
      SANDBOX_DATA_DIR: dataDir,
      SANDBOX_WEBHOOK_URL: receiver.url,
      SANDBOX_WEBHOOK_SECRET: SECRET,
      LOG_PRETTY: 'off',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await portOf(child.stdout)
  const stripe = sdk({ port } as Parameters<typeof sdk>[0])
  const session = await stripe.checkout.sessions.create(sessionParams(), { idempotencyKey: 'k1' })
  const made = await stripe.customers.create({ email: 'ana@example.com' })
  await receiver.until((received) => received.length >= 1)
  child.kill('SIGKILL')
  await once(child, 'exit')

  receiver.answer = () => 200
  receiver.received.length = 0
  const sandbox = await startSandbox({ dataDir, webhookUrl: receiver.url, webhookSecret: SECRET })
  const again = sdk(sandbox)
  assert.equal(
    (await again.checkout.sessions.create(sessionParams(), { idempotencyKey: 'k1' })).id,
    session.id,
  )
  assert.equal((await again.customers.retrieve(made.id)).id, made.id)
  const [event] = (await again.events.list({ type: 'customer.created' })).data
  await control(sandbox, 'clock/advance', { seconds: 60 })
  await receiver.until((received) => received.some((delivery) => delivery.event.id === event?.id))
  await sandbox.stop()
  await receiver.stop()
})

test('a line torn by a kill is dropped, everything before it is there', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sandbox-'))
  const first = await startSandbox({ dataDir, settings: FAST })
  const made = await sdk(first).customers.create({ name: 'Ana' })
  await first.stop()
  appendFileSync(join(dataDir, 'journal.jsonl'), '[{"t":"customers","put":{"id":"cus_torn","na')
  const second = await startSandbox({ dataDir, settings: FAST })
  const { data } = await sdk(second).customers.list()
  assert.deepEqual(
    data.map(({ id }) => id),
    [made.id],
  )
  await second.stop()
})

test('a second sandbox on the same directory is refused', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sandbox-'))
  writeFileSync(join(dataDir, 'lock'), String(process.ppid))
  await assert.rejects(startSandbox({ dataDir }), /another sandbox \(process \d+\) uses/)
})

test('a burst larger than the endpoint takes at once is delivered once each', async (t) => {
  const receiver = await startReceiver()
  const sandbox = await startSandbox({ webhookUrl: receiver.url, webhookSecret: SECRET, settings: FAST })
  t.after(async () => {
    await sandbox.stop()
    await receiver.stop()
  })
  const stripe = sdk(sandbox)
  await control(sandbox, 'webhooks/pause', {})
  for (let n = 0; n < 120; n++) await stripe.customers.create({})
  await control(sandbox, 'webhooks/resume', {})
  await receiver.until((received) => received.length >= 120)
  assert.equal(new Set(receiver.received.map(({ event }) => event.id)).size, 120)
  assert.equal(receiver.received.length, 120)
})

test('deliveries blocked in the middle of a burst go out once each when unblocked', async (t) => {
  const receiver = await startReceiver()
  const sandbox = await startSandbox({ webhookUrl: receiver.url, webhookSecret: SECRET, settings: FAST })
  t.after(async () => {
    await sandbox.stop()
    await receiver.stop()
  })
  const stripe = sdk(sandbox)
  await control(sandbox, 'webhooks/pause', {})
  for (let n = 0; n < 120; n++) await stripe.customers.create({})
  const blocked = Promise.withResolvers<unknown>()
  receiver.answer = () => {
    if (receiver.received.length === 1) blocked.resolve(control(sandbox, 'webhooks/pause', {}))
    return 200
  }
  await control(sandbox, 'webhooks/resume', {})
  await blocked.promise
  await control(sandbox, 'webhooks/resume', {})
  await receiver.until((received) => received.length >= 120)
  // It waits behind whatever is still queued.
  const last = await stripe.customers.create({})
  await receiver.until((received) =>
    received.some(({ event }) => (event.data.object as { id: string }).id === last.id),
  )
  assert.equal(receiver.received.length, 121)
})

test('a card number is nowhere on disk', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sandbox-'))
  const sandbox = await startSandbox({ dataDir, settings: FAST })
  const session = await sdk(sandbox).checkout.sessions.create(sessionParams())
  await control(sandbox, `sessions/${session.id}/pay`, { card: '4242424242424242' })
  await sandbox.stop()
  const journal = readFileSync(join(dataDir, 'journal.jsonl'), 'utf8')
  assert.ok(journal.includes('"last4":"4242"'))
  assert.ok(!journal.includes('42424242'))
})

async function portOf(stdout: NodeJS.ReadableStream): Promise<number> {
  let text = ''
  for await (const chunk of stdout) {
    text += String(chunk)
    const found = /"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(text)
    if (found) return Number(found[1])
  }
  throw new Error(`The sandbox did not start: ${text}`)
}
