// `npm run bench:streams`: thousands of open status streams on one gateway process. Measures how long a change takes from
// Stripe's webhook to the payer's page, and what the streams cost in memory. Some readers never read.
//   --streams 5000 --changes 500 --rate 50 --deaf 100
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { freePort } from '../tools/ports.ts'
import { ensureDatabase, startPostgres } from '../tools/postgres.ts'

const SECRET = 'whsec_k3J9sVb2QxT7pLr5Wd8NzYf4HmCg6Ea1'
const API = '/api/v1/payment-gateway'
const WAIT_MS_MAX = 60_000
const OPENING_AT_ONCE = 100

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '5000' },
    changes: { type: 'string', default: '500' },
    rate: { type: 'string', default: '50' },
    deaf: { type: 'string', default: '100' },
  },
})
const [streams, changes, rate, deaf] = [values.streams, values.changes, values.rate, values.deaf].map(
  Number,
) as [number, number, number, number]

/** A gateway as in production: a process of its own. */
async function startGateway(
  databaseUrl: string,
  bookingUrl: string,
): Promise<{ child: ChildProcess; port: number }> {
  const port = await freePort('127.0.0.1')
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=16', 'services/payment-gateway/src/main.ts'],
    {
      env: {
        PATH: process.env['PATH'] ?? '',
        PORT: String(port),
        DATABASE_URL: databaseUrl,
        STRIPE_SECRET_KEY: 'sk_test_51QbenchStreams7f3a9c2e',
        STRIPE_WEBHOOK_SECRET: SECRET,
        STRIPE_API_BASE: 'http://127.0.0.1:9',
        INTERNAL_SERVICE_TOKEN: 'f3b1c9d27a5e4806b8d1e0c7a96f5423',
        AUTH_JWT_SECRET: '9a7c5e3b1d2f4860a8c6e4b2d0f19375c4',
        BOOKING_SERVICE_URL: bookingUrl,
        SWEEP_INTERVAL_SECONDS: '0',
        RECONCILE_INTERVAL_SECONDS: '0',
        RATE_LIMIT_PER_MINUTE: '0',
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  await until('the gateway is ready', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null)
    return answer?.ok === true
  })
  return { child, port }
}

/** Payments that wait for their payer, each with an intent and a status token, as checkout leaves them. */
async function seed(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl, options: '-c search_path=payment_gateway' })
  await client.connect()
  await client.query(
    `insert into payments (id, booking_id, customer_id, livemode, amount_minor, currency, known, version)
     select 'pay_' || i, 'bkg_' || i, 'cus_' || i, false, 1000, 'eur',
       jsonb_build_object('attempts', jsonb_build_object('att_' || i, jsonb_build_object(
         'number', 1, 'amountMinor', 1000, 'currency', 'eur', 'livemode', false, 'withdrawn', false))), 1
     from generate_series(0, $1::int - 1) i`,
    [streams],
  )
  await client.query(
    `insert into status_tokens (token_hash, payment_id, expires_at)
     select hash, id, now() + interval '1 day' from unnest($1::text[], $2::text[]) n(hash, id)`,
    [
      Array.from({ length: streams }, (_, index) =>
        createHash('sha256').update(tokenOf(index)).digest('hex'),
      ),
      Array.from({ length: streams }, (_, index) => `pay_${index}`),
    ],
  )
  await client.end()
}

const tokenOf = (index: number): string => `token-of-payment-${index}`

type Reader = { readonly socket: Socket; arrivedAt: number | null; state: 'opening' | 'open' | 'closed' }

/** One page: a bare connection that asks for its stream and looks for the success. */
function open(port: number, index: number, isDeaf: boolean): Reader {
  const socket = connect(port, '127.0.0.1')
  const reader: Reader = { socket, arrivedAt: null, state: 'opening' }
  socket.write(
    `GET ${API}/payments/bkg_${index}/stream?token=${tokenOf(index)} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n`,
  )
  socket.on('data', (chunk) => {
    if (reader.state === 'opening' && chunk.includes('event: status')) {
      reader.state = 'open'
      if (isDeaf) socket.pause()
    }
    if (reader.arrivedAt === null && chunk.includes('"succeeded"')) reader.arrivedAt = performance.now()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    reader.state = 'closed'
  })
  return reader
}

/** Delivers the success of a payment as Stripe does; resolves when it is acknowledged, which means applied. */
async function payAt(port: number, index: number): Promise<{ sentAt: number; appliedAt: number }> {
  const second = Math.floor(Date.now() / 1000)
  const ids = { payment_id: `pay_${index}`, booking_id: `bkg_${index}`, attempt_id: `att_${index}` }
  const body = JSON.stringify({
    id: `evt_${index}`,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: second,
    livemode: false,
    type: 'payment_intent.succeeded',
    data: {
      object: {
        id: `pi_${index}`,
        object: 'payment_intent',
        status: 'succeeded',
        amount: 1000,
        amount_received: 1000,
        currency: 'eur',
        livemode: false,
        last_payment_error: null,
        latest_charge: `ch_${index}`,
        metadata: ids,
      },
    },
  })
  const signature = createHmac('sha256', SECRET).update(`${second}.${body}`).digest('hex')
  const sentAt = performance.now()
  const answer = await fetch(`http://127.0.0.1:${port}${API}/webhooks/stripe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'stripe-signature': `t=${second},v1=${signature}` },
    body,
  })
  if (answer.status !== 200) throw new Error(`the webhook was answered ${answer.status}`)
  return { sentAt, appliedAt: performance.now() }
}

function memoryMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
}

function spread(values: readonly number[]): Record<string, number> {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

async function until(what: string, fits: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + WAIT_MS_MAX; Date.now() < end; await setTimeout(20)) if (await fits()) return
  throw new Error(`waited in vain until ${what}`)
}

async function openAll(port: number): Promise<Reader[]> {
  const readers: Reader[] = []
  while (readers.length < streams) {
    const from = readers.length
    for (let index = from; index < Math.min(from + OPENING_AT_ONCE, streams); index += 1)
      readers.push(open(port, index, index >= streams - deaf))
    await until(`streams up to ${readers.length} are open`, () =>
      readers.slice(from).every(({ state }) => state !== 'opening'),
    )
  }
  return readers
}

/** Changes at a steady rate, whatever the answers: how long each took to its page, and to its acknowledgement. */
async function changeAll(port: number, readers: readonly Reader[]): Promise<object> {
  const paid = await Promise.all(
    Array.from({ length: changes }, async (_, index) => {
      await setTimeout((index * 1000) / rate)
      return await payAt(port, index)
    }),
  )
  await until('every change has reached its page', () =>
    readers.slice(0, changes).every(({ arrivedAt }) => arrivedAt !== null),
  )
  const arrived = paid.map(({ sentAt, appliedAt }, index) => {
    const at = readers[index]?.arrivedAt ?? Number.NaN
    return { fromWebhook: at - sentAt, acknowledged: appliedAt - sentAt }
  })
  return {
    webhookToPageMs: spread(arrived.map(({ fromWebhook }) => fromWebhook)),
    webhookTo2xxMs: spread(arrived.map(({ acknowledged }) => acknowledged)),
  }
}

const directory = mkdtempSync(join(tmpdir(), 'passerelle-streams-'))
const postgres = await startPostgres({ directory })
const booking = createServer((request, response) => {
  request.resume()
  response.setHeader('content-type', 'application/json').end('{"success":true,"data":{}}')
})
await new Promise<void>((resolve) => booking.listen(0, '127.0.0.1', resolve))
const databaseUrl = await ensureDatabase(postgres, 'streams')
const bookingUrl = `http://127.0.0.1:${(booking.address() as AddressInfo).port}`
const { child, port } = await startGateway(databaseUrl, bookingUrl)
try {
  await seed(databaseUrl)
  const emptyMb = memoryMb(child.pid)
  const startedAt = performance.now()
  const readers = await openAll(port)
  const openedMs = Math.round(performance.now() - startedAt)
  const openMb = memoryMb(child.pid)
  const latency = await changeAll(port, readers)
  const afterMb = memoryMb(child.pid)
  const stillOpen = readers.filter(({ state }) => state === 'open').length
  console.log(
    JSON.stringify(
      {
        node: process.version,
        streams,
        deaf,
        changes,
        ratePerSecond: rate,
        openedMs,
        stillOpen,
        ...latency,
        gatewayMemoryMb: { beforeStreams: emptyMb, withStreams: openMb, afterChanges: afterMb },
        kbPerStream: Math.round(((openMb - emptyMb) * 1024) / streams),
      },
      null,
      2,
    ),
  )
  for (const { socket } of readers) socket.destroy()
} finally {
  child.kill('SIGKILL')
  booking.close()
  await postgres.stop()
  rmSync(directory, { recursive: true, force: true })
}
