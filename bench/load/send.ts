// Sends prepared requests over keep-alive connections, one at a time on each: as cheap as Node can.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Lives } from '../lives/render-lives.ts'

/**
 *  closed  every connection sends its next request when the answer to the last is there
 *  open    requests are due at a fixed rate, whatever the answers do; a request is late from the moment it is due
 */
export type Model = { readonly kind: 'closed' } | { readonly kind: 'open'; readonly perSecond: number }

export type Plan = {
  readonly ports: readonly number[]
  readonly connections: number
  readonly model: Model
}

export type Sent = {
  readonly seconds: number
  /** Milliseconds from due to answered, in the order of the answers. */
  readonly latencies: Float64Array
  /** Requests that were not answered with a 2xx, or not at all; they are sent again, as Stripe does. */
  readonly refused: Readonly<Record<string, number>>
  /** Requests that were given up. */
  readonly lost: number
}

type Connection = {
  readonly port: number
  socket: Socket
  /** The request under way, -1: none. */
  current: number
  answer: Buffer | null
}

const TRIES_MAX = 5
const RETRY_MS = 250

export type Hearing = {
  /** Hears the moment at which a request was due. */
  readonly onSent: (request: number, dueMs: number) => void
  /** Hears the moment at which it was answered with a 2xx, which means that it is committed. */
  readonly onAnswered: (request: number, nowMs: number) => void
}

/** Sends everything once, and again what was refused. */
export async function sendAll(
  lives: Pick<Lives, 'requests'>,
  plan: Plan,
  { onSent, onAnswered }: Hearing,
): Promise<Sent> {
  const { requests } = lives
  const connections = await openConnections(plan)
  const done = Promise.withResolvers<void>()
  const latencies = new Float64Array(requests.length)
  const dueAt = new Float64Array(requests.length)
  const tries = new Uint8Array(requests.length)
  const refused: Record<string, number> = {}
  const idle: Connection[] = [...connections]
  const again: number[] = []
  let next = 0
  let answered = 0
  let lost = 0
  let waitingAgain = 0
  const startedMs = performance.now()
  const { model } = plan

  function take(nowMs: number): number {
    const retry = again.pop()
    if (retry !== undefined) return retry
    if (next >= requests.length) return -1
    if (model.kind === 'closed') {
      dueAt[next] = nowMs
      return next++
    }
    const due = startedMs + (next * 1000) / model.perSecond
    if (due > nowMs) return -1
    dueAt[next] = due
    return next++
  }
  function pump(): void {
    const nowMs = performance.now()
    while (idle.length > 0) {
      const request = take(nowMs)
      if (request < 0) return
      const connection = idle.pop()
      const bytes = requests[request]
      if (!connection || !bytes) return
      connection.current = request
      if (tries[request] === 0) onSent(request, dueAt[request] ?? nowMs)
      tries[request] = (tries[request] ?? 0) + 1
      connection.socket.write(bytes)
    }
  }
  function ended(connection: Connection, outcome: string): void {
    const request = connection.current
    connection.current = -1
    connection.answer = null
    idle.push(connection)
    if (request < 0) return
    if (outcome.startsWith('2')) {
      const nowMs = performance.now()
      latencies[answered] = nowMs - (dueAt[request] ?? 0)
      onAnswered(request, nowMs)
      answered += 1
    } else {
      refused[outcome] = (refused[outcome] ?? 0) + 1
      if ((tries[request] ?? 0) < TRIES_MAX) {
        waitingAgain += 1
        setTimeout(() => {
          waitingAgain -= 1
          again.push(request)
          pump()
        }, RETRY_MS)
      } else lost += 1
    }
    if (answered + lost === requests.length && waitingAgain === 0) done.resolve()
    else pump()
  }

  for (const connection of connections) listen(connection, ended)
  // The clock of the open model: Node's timers are no finer than a millisecond.
  const clock = model.kind === 'open' ? setInterval(pump, 1) : undefined
  pump()
  await done.promise
  clearInterval(clock)
  const seconds = (performance.now() - startedMs) / 1000
  for (const { socket } of connections) socket.removeAllListeners('close').destroy()
  return { seconds, latencies: latencies.subarray(0, answered), refused, lost }
}

async function openConnections(plan: Plan): Promise<Connection[]> {
  return Promise.all(
    Array.from({ length: plan.connections }, async (_, index) => {
      const port = plan.ports[index % plan.ports.length] ?? 0
      return { port, socket: await openSocket(port), current: -1, answer: null }
    }),
  )
}

function openSocket(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

function listen(connection: Connection, ended: (connection: Connection, outcome: string) => void): void {
  const { socket } = connection
  socket.on('data', (chunk: Buffer) => {
    const answer = connection.answer === null ? chunk : Buffer.concat([connection.answer, chunk])
    if (isWhole(answer)) ended(connection, answer.toString('latin1', 9, 12))
    else connection.answer = answer
  })
  socket.on('error', () => {})
  // A server that closes the connection, because it was idle for long or because it dies, leaves the request, if there is
  // one, to be sent again on a new one.
  socket.once('close', () => {
    const reopen = (): void => {
      openSocket(connection.port)
        .then((fresh) => {
          connection.socket = fresh
          listen(connection, ended)
          if (connection.current >= 0) ended(connection, 'cut')
        })
        .catch(() => setTimeout(reopen, RETRY_MS))
    }
    reopen()
  })
}

// Answers to the same request have the same length: once one was read, its length tells the next ones.
let wholeLength = -1

function isWhole(answer: Buffer): boolean {
  if (answer.length === wholeLength) return true
  const end = answer.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.toString('latin1', 0, end + 2))?.[1]
  if (length === undefined) throw new Error('an answer without content-length cannot be measured')
  if (answer.length < end + 4 + Number(length)) return false
  if (answer.toString('latin1', 9, 10) === '2') wholeLength = answer.length
  return true
}
