import type { ServerResponse } from 'node:http'
import { BookingParams, StatusTokenQuery } from '@passerelle/contracts/payment'
import { Type } from 'typebox'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { readable, readerOf } from './authorize.ts'
import type { ReaderDeps } from './authorize.ts'
import type { PaymentWatchers } from './payment-stream.ts'
import { paymentView } from './payment-view.ts'
import { findPaymentByBooking } from './payment.repository.ts'
import type { Payment } from './payment.repository.ts'

export type StreamDeps = ReaderDeps & {
  readonly pool: Pool
  readonly watchers: PaymentWatchers
  /** Aborted when the process stops: every stream ends, and its page asks another process. */
  readonly stopping: AbortSignal
}

// Proxies close a silent connection after a minute or less.
const HEARTBEAT_MS = 15_000
// A page that is closed without its connection being cut must not hold a place for ever; it reconnects by itself.
const LIFE_MS_MAX = 30 * 60_000
const STREAMS_MAX = 20_000
const RECONNECT_MS = 2000
const END_GRACE_MS = 500
// A reader that takes nothing for this many heartbeats (a sleeping laptop, a dead line) is let go. Until then it costs
// at most one event in memory: what it missed is told as the newest state once it reads again.
const MISSED_HEARTBEATS_MAX = 2
const StreamHeaders = Type.Object({ 'last-event-id': Type.Optional(Type.String({ pattern: '^\\d{1,10}$' })) })
const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  // An ended stream's connection is of no further use.
  connection: 'close',
}

/**
 * The status of a payment as Server-Sent Events: at once, at every change, and a comment every 15 seconds. A page that
 * comes back with `Last-Event-ID` is told only what is newer.
 */
export function paymentStreamRoutes(server: HttpServer, deps: StreamDeps): void {
  const open = openStreams(deps.stopping)
  server.get(
    '/payments/:bookingId/stream',
    {
      config: { quiet: true },
      schema: {
        summary:
          'Where the payment of a booking stands, at once and at every change (Server-Sent Events `status`)',
        tags: ['payments'],
        params: BookingParams,
        querystring: StatusTokenQuery,
        headers: StreamHeaders,
      },
    },
    async (request, reply) => {
      const reader = await readerOf(request, deps)
      const find = () => findPaymentByBooking(deps.pool, request.params.bookingId)
      const payment = await readable(deps.pool, await find(), reader)
      if (deps.watchers.count() >= STREAMS_MAX || deps.stopping.aborted)
        throw new ApiError(
          'SERVICE_UNAVAILABLE',
          'No more streams can be opened here right now. Poll the status instead.',
          { retryAfterSeconds: 5 },
        )
      reply.hijack()
      // Gone while it was looked up: its end has been told already, and nobody would end the subscription.
      if (reply.raw.destroyed) return
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value)
      reply.raw.writeHead(200, STREAM_HEADERS)
      reply.raw.write(`retry: ${RECONNECT_MS}\n\n`)
      const seen = Number(request.headers['last-event-id'] ?? -1)
      stream(reply.raw, { ...deps, open }, { payment, seen })
      // What changed between the first look and the subscription is caught by a second look.
      deps.watchers.changed(payment.id)
    },
  )
}

type OpenStream = { readonly beat: () => void; readonly end: () => void }

/** The open streams of the process, under one timer and one listener for the end, however many they are. */
function openStreams(stopping: AbortSignal): Set<OpenStream> {
  const open = new Set<OpenStream>()
  const timer = setInterval(() => {
    for (const { beat } of open) beat()
  }, HEARTBEAT_MS)
  timer.unref()
  const onStop = (): void => {
    clearInterval(timer)
    for (const { end } of open) end()
  }
  stopping.addEventListener('abort', onStop, { once: true })
  return open
}

type StreamParts = StreamDeps & { readonly open: Set<OpenStream> }

function stream(
  response: ServerResponse,
  { watchers, open }: StreamParts,
  { payment: first, seen }: { readonly payment: Payment; readonly seen: number },
): void {
  let sentVersion = seen
  let waiting: Payment | null = null
  let missed = 0

  const send = (payment: Payment): void => {
    if (payment.version <= sentVersion) return
    // A reader that does not keep up gets the newest state once it does, not every one in between.
    if (response.writableNeedDrain) {
      waiting = payment
      return
    }
    sentVersion = payment.version
    response.write(`id: ${payment.version}\nevent: status\ndata: ${JSON.stringify(paymentView(payment))}\n\n`)
  }
  const onDrain = (): void => {
    const next = waiting
    waiting = null
    missed = 0
    if (next !== null) send(next)
  }
  const beat = (): void => {
    if (!response.writableNeedDrain) response.write(': still here\n\n')
    else if ((missed += 1) >= MISSED_HEARTBEATS_MAX) response.destroy()
  }
  const end = (): void => {
    response.end()
    // A reader that does not read (a sleeping tab) would keep the connection, and a stopping process, open.
    setTimeout(() => response.destroy(), END_GRACE_MS).unref()
  }
  const unwatch = watchers.watch(first.id, send)
  const own = { beat, end }
  open.add(own)
  const lifetime = setTimeout(end, LIFE_MS_MAX)
  response.on('drain', onDrain)
  response.once('close', () => {
    unwatch()
    open.delete(own)
    clearTimeout(lifetime)
  })
  send(first)
}
