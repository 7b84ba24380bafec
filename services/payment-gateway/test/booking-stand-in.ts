import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { PaymentStatusUpdate } from '@passerelle/contracts/booking'

/** A booking service at the other end of a real connection: keeps bookings, remembers what it was told, misbehaves on demand. */
export type BookingStandIn = {
  readonly url: string
  readonly bookings: Map<string, StandInBooking>
  /** Every announcement it took in, in the order of arrival. */
  readonly told: Told[]
  toldOf: (bookingId: string) => PaymentStatusUpdate[]
  /** How to answer the next announcements; null: take them in. */
  misbehave: (how: Misbehaviour | null) => void
  readonly calls: () => number
  readonly stop: () => Promise<void>
}

export type StandInBooking = {
  id: string
  status: string
  customerId: string
  customerEmail: string | null
  tourName: string
  amountMinor: number
  currency: string
  overbooked?: boolean
}

export type Told = {
  readonly bookingId: string
  readonly body: PaymentStatusUpdate
  readonly headers: IncomingHttpHeaders
}
/** A status to answer with, 'hang' for no answer at all, 'cut' for taking it in and cutting the connection. */
export type Misbehaviour = number | 'hang' | 'cut'

export async function startBookingStandIn(port = 0): Promise<BookingStandIn> {
  const bookings = new Map<string, StandInBooking>()
  const told: Told[] = []
  let how: Misbehaviour | null = null
  let calls = 0

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, , , , id = '', action] = (request.url ?? '').split('/')
    const booking = bookings.get(decodeURIComponent(id))
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (!booking)
      return answer(response, 404, { success: false, error: { code: 'NOT_FOUND', message: 'no' } })
    if (action !== 'payment-status') return answer(response, 200, { success: true, data: booking })
    calls += 1
    if (how === 'hang') return
    if (typeof how === 'number')
      return answer(response, how, { success: false, error: { code: 'X', message: 'no' } })
    const body = JSON.parse(Buffer.concat(chunks).toString()) as PaymentStatusUpdate
    told.push({ bookingId: booking.id, body, headers: request.headers })
    if (how === 'cut') return void request.socket.destroy()
    answer(response, 200, { success: true, data: booking })
  }
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address()
  const at = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://127.0.0.1:${at}`,
    bookings,
    told,
    toldOf: (bookingId) => told.filter((entry) => entry.bookingId === bookingId).map(({ body }) => body),
    misbehave: (next) => {
      how = next
    },
    calls: () => calls,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
