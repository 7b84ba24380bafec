// `npm run bench:sandbox`: how many payments a second one core of the sandbox carries, webhooks included. The sandbox is a
// process of its own; its processor time is read from the system, so that what else the machine does changes the wall
// clock but not the figure. `--against <folder>` measures the sandbox of another working copy in turn, `--rounds` times:
// a busy machine makes both dearer, and the ratio stays.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { freePort } from '../tools/ports.ts'
import { cpuSeconds, median, memoryMb } from './measure.ts'

const HERE = fileURLToPath(new URL('..', import.meta.url))
const MAIN = 'services/stripe-sandbox/src/main.ts'
const { values } = parseArgs({
  options: {
    payments: { type: 'string', default: '5000' },
    warmup: { type: 'string', default: '1000' },
    clients: { type: 'string', default: '32' },
    only: { type: 'string' },
    prof: { type: 'boolean', default: false },
    against: { type: 'string' },
    rounds: { type: 'string', default: '1' },
  },
})
const PAYMENTS = Number(values.payments)

type Sandbox = {
  readonly url: string
  readonly pid: number
  readonly readyMs: number
  readonly child: ChildProcess
}
type Sink = { readonly url: string; readonly heard: () => number; readonly server: Server }

/** The cheapest receiver there can be: counts requests and answers 200, on connections that stay open. */
async function startSink(): Promise<Sink> {
  let heard = 0
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    let rest = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      for (;;) {
        const end = rest.indexOf('\r\n\r\n')
        if (end === -1) return
        const [, length = '0'] = /content-length: (\d+)/i.exec(rest.toString('latin1', 0, end)) ?? []
        const whole = end + 4 + Number(length)
        if (rest.length < whole) return
        rest = rest.subarray(whole)
        heard++
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { url: `http://127.0.0.1:${port}/webhooks`, heard: () => heard, server }
}

async function startSandbox(folder: string, env: Record<string, string>): Promise<Sandbox> {
  const started = performance.now()
  const flags = values.prof ? ['--cpu-prof', '--cpu-prof-dir=/tmp/passerelle-profiles'] : []
  const child = spawn(process.execPath, [...flags, join(folder, MAIN)], {
    env: { ...process.env, PORT: '0', LOG_LEVEL: 'warn', PASSERELLE_PARENT_PID: String(process.pid), ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const port = Number(env['PORT'])
  const url = `http://127.0.0.1:${port}`
  for (;;) {
    if (child.exitCode !== null) throw new Error('The sandbox did not start.')
    const alive = await fetch(`${url}/_sandbox/health`).then(
      (response) => response.ok,
      () => false,
    )
    if (alive) break
  }
  return { url, pid: child.pid ?? 0, readyMs: performance.now() - started, child }
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 })

async function post(url: string, path: string, body: string, key: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const call = request(`${url}${path}`, {
    method: 'POST',
    agent,
    headers: {
      authorization: 'Bearer sk_test_bench',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': key,
      'stripe-version': '2026-10-28.endive',
    },
  })
  call.on('response', (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    response.on('end', () => {
      if (response.statusCode === 200) resolve(text)
      else reject(new Error(`${path}: ${response.statusCode} ${text}`))
    })
  })
  call.on('error', reject)
  call.end(body)
  return promise
}

let keys = 0
const DETAILS = 'amount=12900&currency=eur&metadata[booking_id]=b1&metadata[payment_id]=p1'

type Kind = 'one call' | 'create, then confirm' | 'Checkout'

async function pay(url: string, kind: Kind): Promise<void> {
  const key = `bench-${keys++}`
  if (kind === 'one call') {
    await post(url, '/v1/payment_intents', `${DETAILS}&payment_method=pm_card_visa&confirm=true`, key)
    return
  }
  if (kind === 'create, then confirm') {
    const made = await post(url, '/v1/payment_intents', DETAILS, key)
    const [, id = ''] = /"id": "(pi_\w+)"/.exec(made) ?? []
    await post(url, `/v1/payment_intents/${id}/confirm`, 'payment_method=pm_card_visa', `${key}-c`)
    return
  }
  const item =
    'line_items[0][quantity]=1&line_items[0][price_data][currency]=eur&line_items[0][price_data][unit_amount]=12900&line_items[0][price_data][product_data][name]=Kayak'
  const made = await post(
    url,
    '/v1/checkout/sessions',
    `mode=payment&success_url=http://localhost/ok&${item}`,
    key,
  )
  const [, id = ''] = /"id": "(cs_\w+)"/.exec(made) ?? []
  await post(
    url,
    `/v1/payment_pages/${id}/confirm`,
    'payment_method=pm_card_visa&expected_amount=12900',
    `${key}-c`,
  )
}

async function many(url: string, kind: Kind, count: number): Promise<void> {
  let left = count
  const client = async (): Promise<void> => {
    while (left-- > 0) await pay(url, kind)
  }
  await Promise.all(Array.from({ length: Number(values.clients) }, client))
}

const EVENTS: Readonly<Record<Kind, number>> = { 'one call': 4, 'create, then confirm': 4, Checkout: 5 }

async function until(what: string, done: () => boolean): Promise<void> {
  const end = Date.now() + 120_000
  while (!done()) {
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Processor microseconds of a payment in the sandbox of that working copy. */
async function measure(folder: string, kind: Kind, durable: boolean): Promise<number> {
  const sink = await startSink()
  const data = mkdtempSync(join(tmpdir(), 'passerelle-bench-'))
  const sandbox = await startSandbox(folder, {
    PORT: String(await freePort('127.0.0.1')),
    SANDBOX_WEBHOOK_URL: sink.url,
    ...(durable ? { SANDBOX_DATA_DIR: data } : {}),
  })
  const heard = (payments: number) => () => sink.heard() >= payments * EVENTS[kind]
  await many(sandbox.url, kind, Number(values.warmup))
  await until('the webhooks of the warm-up', heard(Number(values.warmup)))
  const cpu = cpuSeconds([sandbox.pid])
  const started = performance.now()
  await many(sandbox.url, kind, PAYMENTS)
  const answered = (performance.now() - started) / 1000
  await until('the webhooks', heard(Number(values.warmup) + PAYMENTS))
  const used = cpuSeconds([sandbox.pid]) - cpu
  const memory = Math.round(memoryMb([sandbox.pid]))
  sandbox.child.kill('SIGTERM')
  await once(sandbox.child, 'exit')
  sink.server.close()
  rmSync(data, { recursive: true, force: true })
  console.log(
    (folder === HERE ? nameOf(kind, durable) : '  against').padEnd(30),
    `${String(Math.round(PAYMENTS / used)).padStart(6)} payments per second of one core,`,
    `${EVENTS[kind]} webhooks each;`,
    `wall ${Math.round(PAYMENTS / answered)}/s, ready after ${Math.round(sandbox.readyMs)} ms, ${memory} MB`,
  )
  return (used / PAYMENTS) * 1e6
}

const nameOf = (kind: Kind, durable: boolean): string => `${kind}${durable ? ', on disk' : ''}`

async function compare(kind: Kind, durable: boolean, against: string): Promise<void> {
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < Number(values.rounds); round++) {
    ours.push(await measure(HERE, kind, durable))
    theirs.push(await measure(against, kind, durable))
  }
  const [now, then] = [median(ours), median(theirs)]
  const change = `${Math.round(then)} -> ${Math.round(now)} us a payment`
  console.log(`  ${nameOf(kind, durable)}: ${change}, x ${(then / now).toFixed(2)} payments per second`)
}

const KINDS = ['one call', 'create, then confirm', 'Checkout'] as const
for (const kind of values.only ? KINDS.filter((name) => name === values.only) : KINDS) {
  for (const durable of values.prof ? [false] : [false, true]) {
    if (values.against === undefined) await measure(HERE, kind, durable)
    else await compare(kind, durable, resolve(values.against))
  }
}
process.exit(0)
