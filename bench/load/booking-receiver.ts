// The booking service at the other end: takes everything in, answers at once, and remembers what it was told and when.
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { indexOf } from '../lives/ids.ts'

export type BookingReceiver = {
  readonly port: number
  /** Forgets what it was told; from now on `payments` bookings are waited for. */
  readonly begin: (payments: number) => void
  /** When each booking was first told that it is confirmed (performance.now()), 0: not yet. */
  readonly confirmedAt: () => Float64Array
  /** How many bookings were told. */
  readonly confirmed: () => number
  /** Told something else than `confirmed`, or in another version than the first, or more than once. */
  readonly wrong: () => number
  readonly calls: () => number
  /** Told again what it knew already. */
  readonly repeated: () => number
}

const PATH = /^\/api\/v1\/bookings\/([^/]+)(?:\/payment-status)?$/

const TAKEN = '{"success":true,"data":{}}'

export async function startBookingReceiver(amountMinor: number): Promise<BookingReceiver> {
  let confirmedAt = new Float64Array(0)
  let confirmed = 0
  let wrong = 0
  let calls = 0
  let repeated = 0

  function take(id: string, body: string): void {
    calls += 1
    const told = JSON.parse(body) as { status?: string; version?: number; amountMinor?: number }
    const index = indexOf(id)
    if (
      told.status !== 'confirmed' ||
      (told.version ?? 1) !== 1 ||
      (told.amountMinor ?? amountMinor) !== amountMinor
    )
      wrong += 1
    else if (confirmedAt[index] === 0) {
      confirmedAt[index] = performance.now()
      confirmed += 1
    } else repeated += 1
  }

  const bookingOf = (id: string): string =>
    JSON.stringify({
      success: true,
      data: {
        id,
        status: 'pending',
        customerId: 'cus_bench',
        customerEmail: null,
        tourName: 'Kayak in the Calanques',
        amountMinor,
        currency: 'eur',
      },
    })
  const server = createServer((request, response) => {
    const id = PATH.exec(request.url ?? '')?.[1]
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      if (request.method === 'PUT' && id !== undefined) take(id, body)
      const answer = request.method === 'PUT' ? TAKEN : bookingOf(id ?? '')
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
      response.end(answer)
    })
  })
  // Idle connections of the service under test must not be cut between two rows.
  server.keepAliveTimeout = 600_000
  const port = await listen(server)
  return {
    port,
    begin: (payments) => {
      confirmedAt = new Float64Array(payments)
      confirmed = 0
      wrong = 0
      calls = 0
      repeated = 0
    },
    confirmedAt: () => confirmedAt,
    confirmed: () => confirmed,
    wrong: () => wrong,
    calls: () => calls,
    repeated: () => repeated,
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
