import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createRequire } from 'node:module'
import type * as Ws from 'ws'
import type { WebSocket, WebSocketServer } from 'ws'
import type { Log } from '@passerelle/kit/log'
import type { Parcel, Result } from '../events/send-parcel.ts'
import { webhookHeaders } from '../events/send-parcel.ts'
import { newId } from '../ids.ts'
import { API_VERSION } from '../settings.ts'
import type { Store } from '../store/store.ts'
import { NOBODY } from '../store/store.ts'
import type { LogFilter, RequestLog } from './request-log.ts'
import { passes } from './request-log.ts'

export type Session = {
  readonly id: string
  /** Where the terminal forwards to, or null when it only prints. */
  readonly forwardTo: string | null
  /** What it tails, when it wants to see the API's calls instead of events. */
  readonly tails: LogFilter | null
  readonly secret: string
  readonly device: string | null
}

type Waiting = { acknowledged: boolean; readonly session: string; readonly finish: (result: Result) => void }

const PATH = '/subscribe'
const FORGOTTEN_AFTER_MS = 30_000
const MAX_MESSAGE_BYTES = 2 ** 20
// The words by which `stripe listen` knows that it must open a new session.
const UNKNOWN_ID = 'Unknown WebSocket ID.'

// Loaded with the first terminal: most sandboxes have none.
function newServer(): WebSocketServer {
  const ws: typeof Ws = createRequire(import.meta.url)('ws')
  return new ws.WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES })
}

/** The sockets of terminals that listen: events go out over them, and what the forwarded target answered comes back. */
export class Relay {
  readonly #store: Store
  readonly #log: Log
  #server: WebSocketServer | undefined
  readonly #sessions = new Map<string, Session>()
  readonly #sockets = new Map<string, WebSocket>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #forgetting = new Map<string, NodeJS.Timeout>()

  constructor(deps: { store: Store; log: Log }) {
    this.#store = deps.store
    this.#log = deps.log
    // Sessions live as long as the process: those of an earlier one must open new ones.
    this.#store.clear(['listeners'])
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session)
    this.#forgetLater(session.id)
  }

  get isTailed(): boolean {
    for (const id of this.#sockets.keys()) if (this.#sessions.get(id)?.tails) return true
    return false
  }

  /** Takes over a connection that asks to become a socket, or refuses it with the words that Stripe uses. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://sandbox')
    const session = this.#sessions.get(String(request.headers['websocket-id'] ?? ''))
    if (url.pathname !== PATH || !session) {
      refuse(socket, UNKNOWN_ID)
      return
    }
    this.#server ??= newServer()
    this.#server.handleUpgrade(request, socket, head, (opened) => this.#open(session, opened))
  }

  /** Sends a webhook over the terminal's socket and resolves with what its target answered. */
  async send(id: string, parcel: Parcel, timeoutMs: number): Promise<Result> {
    const socket = this.#sockets.get(id)
    const session = this.#sessions.get(id)
    if (!socket || !session) return { status: null, error: 'the terminal that listened has gone' }
    // Twice: without a version for those who take the account's, with it for those who asked for the latest.
    const conversations = [null, API_VERSION].map((version) => ({ id: newId('wc'), version }))
    return new Promise((resolve) => {
      const finish = (result: Result): void => {
        clearTimeout(timer)
        for (const conversation of conversations) this.#waiting.delete(conversation.id)
        resolve(result)
      }
      const waiting: Waiting = { acknowledged: false, session: id, finish }
      const timer = setTimeout(() => finish(unanswered(waiting, timeoutMs)), timeoutMs)
      for (const conversation of conversations) {
        this.#waiting.set(conversation.id, waiting)
        socket.send(webhookEvent(id, conversation, parcel))
      }
    })
  }

  /** Shows an API call to the terminals that tail the log. */
  tell(entry: RequestLog): void {
    for (const [id, socket] of this.#sockets) {
      const filter = this.#sessions.get(id)?.tails
      if (!filter || !passes(filter, entry)) continue
      const message = {
        type: 'request_log_event',
        request_log_id: newId('resp'),
        event_payload: JSON.stringify(entry),
      }
      socket.send(JSON.stringify(message))
    }
  }

  stop(): void {
    this.#giveUp(() => true)
    for (const timer of this.#forgetting.values()) clearTimeout(timer)
    for (const socket of this.#sockets.values()) socket.terminate()
    this.#server?.close()
  }

  #open(session: Session, socket: WebSocket): void {
    clearTimeout(this.#forgetting.get(session.id))
    this.#sockets.get(session.id)?.terminate()
    this.#sockets.set(session.id, socket)
    if (session.tails === null) this.#setListening(session, 'enabled')
    this.#log.info({ listener: session.id, forwardTo: session.forwardTo }, 'listener.connected')
    socket.on('message', (data) => this.#hear(session, Buffer.isBuffer(data) ? data.toString('utf8') : ''))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => this.#closed(session, socket))
  }

  #closed(session: Session, socket: WebSocket): void {
    if (this.#sockets.get(session.id) !== socket) return
    this.#sockets.delete(session.id)
    this.#giveUp((waiting) => waiting.session === session.id)
    if (session.tails === null) this.#setListening(session, 'disabled')
    this.#forgetLater(session.id)
  }

  #giveUp(which: (waiting: Waiting) => boolean): void {
    for (const waiting of [...this.#waiting.values()].filter(which)) {
      waiting.finish({ status: null, error: 'the terminal that listened hung up' })
    }
  }

  // A terminal is an endpoint like others, reached over its socket.
  #setListening(session: Session, status: 'disabled' | 'enabled'): void {
    this.#store.transact(NOBODY, (tx) =>
      tx.put('listeners', {
        id: session.id,
        created: tx.now,
        url: session.forwardTo === null ? 'a terminal' : `a terminal, to ${session.forwardTo}`,
        enabledEvents: ['*'],
        apiVersion: API_VERSION,
        description: session.device,
        metadata: {},
        status,
        secrets: [{ value: session.secret, expiresAtMs: null }],
      }),
    )
  }

  #forgetLater(id: string): void {
    const timer = setTimeout(() => {
      this.#sessions.delete(id)
      this.#forgetting.delete(id)
      this.#store.transact(NOBODY, (tx) => tx.remove('listeners', id))
    }, FORGOTTEN_AFTER_MS)
    timer.unref()
    this.#forgetting.set(id, timer)
  }

  #hear(session: Session, text: string): void {
    const message = readMessage(text)
    const waiting = this.#waiting.get(message.conversation)
    if (!waiting) return
    if (message.type === 'webhook_response') waiting.finish({ status: message.status, error: null })
    if (message.type !== 'event_ack') return
    waiting.acknowledged = true
    if (session.forwardTo === null) waiting.finish({ status: 200, error: null })
  }
}

// Acknowledged is delivered: a terminal forwards only the types it was told to, and does not say which.
function unanswered(waiting: Waiting, timeoutMs: number): Result {
  return waiting.acknowledged
    ? { status: 200, error: 'heard by the terminal, which got no answer or did not forward it' }
    : { status: null, error: `no answer within ${timeoutMs} ms` }
}

function webhookEvent(
  id: string,
  conversation: { id: string; version: string | null },
  parcel: Parcel,
): string {
  return JSON.stringify({
    type: 'webhook_event',
    webhook_conversation_id: conversation.id,
    webhook_id: id,
    endpoint: { api_version: conversation.version },
    event_payload: parcel.body,
    http_headers: webhookHeaders(parcel),
  })
}

function readMessage(text: string): { type: string; conversation: string; status: number | null } {
  try {
    const { type, webhook_conversation_id, status } = JSON.parse(text) as Record<string, unknown>
    return {
      type: String(type),
      conversation: String(webhook_conversation_id),
      status: typeof status === 'number' ? status : null,
    }
  } catch {
    return { type: '', conversation: '', status: null }
  }
}

function refuse(socket: Duplex, message: string): void {
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error' } })
  socket.end(
    `HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  )
}
