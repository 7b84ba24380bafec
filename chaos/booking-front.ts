// Stands in front of the real booking service: writes down every announcement that arrives, and misbehaves.
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { countFault } from './history.ts'
import type { History, Told } from './history.ts'
import type { Random } from './random.ts'

export type BookingFront = {
  readonly url: string
  /** A whole outage, or null for none. */
  readonly setOutage: (how: 'refuse' | 'answer_503' | null) => void
  /** Whether single calls fail at random. */
  readonly setFaults: (on: boolean) => void
  readonly stop: () => Promise<void>
}

/** How often each happens to a call, in per mille. */
const FAULTS = {
  none: 770,
  answers_503: 45,
  answers_500: 35,
  cut_before: 25,
  cut_after: 35,
  bad_gateway_after: 25,
  hangs_after: 3,
  slow: 60,
  html_after: 2,
} as const
type Fault = keyof typeof FAULTS
const SLOW_MS_MAX = 1500

type Front = { readonly servicePort: number; readonly history: History; readonly random: Random }

export async function startBookingFront(front: Front): Promise<BookingFront> {
  let outage: 'refuse' | 'answer_503' | null = null
  let faulty = false
  const server = createServer((request, response) => {
    const fault = outage === null ? (faulty ? front.random.weighted<Fault>(FAULTS) : 'none') : outage
    void serve(front, { request, response }, fault).catch(() => request.socket.destroy())
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    setOutage: (how) => {
      outage = how
    },
    setFaults: (on) => {
      faulty = on
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse }
type Trouble = Fault | 'refuse' | 'answer_503'

async function serve(front: Front, exchange: Exchange, trouble: Trouble): Promise<void> {
  const { request, response } = exchange
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const told = remember(front.history, request, body)
  if (trouble !== 'none') countFault(front.history, `booking call: ${trouble}`)
  const answer = (status: number, text: string, headers: Record<string, string> = {}): void => {
    if (told !== null) {
      told.answered = status
      told.answeredMs = Date.now()
    }
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
  }
  if (trouble === 'refuse' || trouble === 'cut_before') return void request.socket.destroy()
  if (trouble === 'answer_503' || trouble === 'answers_503')
    return answer(503, '{}', retryAfter(front.random))
  if (trouble === 'answers_500') return answer(500, '{"success":false}')
  if (trouble === 'slow') await sleep(front.random.integer(100, SLOW_MS_MAX))
  const passed = await passOn(front.servicePort, request, body)
  if (told !== null) told.serviceAnswered = passed?.status ?? null
  if (passed === null || trouble === 'cut_after') return void request.socket.destroy()
  if (trouble === 'hangs_after') return
  if (trouble === 'bad_gateway_after')
    return answer(502, '<html>bad gateway</html>', { 'content-type': 'text/html' })
  if (trouble === 'html_after' && passed.status < 300)
    return answer(200, '<html>ok</html>', { 'content-type': 'text/html' })
  answer(passed.status, passed.text)
}

function retryAfter(random: Random): Record<string, string> {
  return random.chance(0.5) ? { 'retry-after': '1' } : {}
}

function remember(history: History, request: IncomingMessage, body: Buffer): Told | null {
  const [, bookingId] = /^\/api\/v1\/bookings\/([^/]+)\/payment-status$/.exec(request.url ?? '') ?? []
  if (request.method !== 'PUT' || bookingId === undefined) return null
  const key = request.headers['idempotency-key']
  const told: Told = {
    bookingId: decodeURIComponent(bookingId),
    key: typeof key === 'string' ? key : null,
    body: JSON.parse(body.toString()) as Told['body'],
    arrivedMs: Date.now(),
    answered: null,
    answeredMs: null,
    serviceAnswered: null,
  }
  history.told.push(told)
  return told
}

function passOn(
  port: number,
  request: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; text: string } | null> {
  return new Promise((resolve) => {
    const { connection: _connection, 'content-length': _length, ...headers } = request.headers
    const call = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method: request.method,
        path: request.url,
        headers: { ...headers, 'content-length': String(body.length) },
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 502, text: Buffer.concat(chunks).toString() }),
        )
        answer.on('error', () => resolve(null))
      },
    )
    call.on('error', () => resolve(null))
    call.end(body)
  })
}
