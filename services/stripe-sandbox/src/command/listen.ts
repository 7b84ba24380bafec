import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { Call, Command } from './command.ts'
import { addressOf, CommandError, textOption, wordsOf } from './command.ts'

type Session = {
  readonly id: string
  readonly url: string
  readonly secret: string
  readonly version: string
}
type Webhook = {
  readonly conversation: string
  readonly webhook: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}
type Target = { readonly url: string | undefined; readonly types: ReadonlySet<string> | undefined }

const RETRY_MS = 1000
const FORWARD_TIMEOUT_MS = 30_000

export const listen: Command = {
  does: "prints every event as it happens and forwards it, as Stripe's own command line does",
  usage: [
    'listen [--forward-to localhost:3000/webhooks] [--events charge.refunded,customer.created]',
    'listen --print-secret',
  ],
  options: { 'forward-to': 'string', events: 'string', 'print-secret': 'boolean' },
  run: async (call) => {
    wordsOf(call, 0)
    if (call.options['print-secret']) {
      call.print((await openSession(call, undefined)).secret)
      return
    }
    const forwardTo = textOption(call, 'forward-to')
    const events = textOption(call, 'events')
    const target = {
      url: forwardTo === undefined ? undefined : addressOf(forwardTo),
      types: events === undefined ? undefined : new Set(events.split(',').map((type) => type.trim())),
    }
    await follow(call, await openSession(call, target.url), target)
  },
}

async function openSession({ sandbox }: Call, forwardTo: string | undefined): Promise<Session> {
  const answer = await sandbox.api('POST', '/v1/stripecli/sessions', {
    device_name: 'passerelle-sandbox',
    websocket_features: ['webhooks'],
    ...(forwardTo === undefined ? {} : { forward_to_url: forwardTo }),
  })
  // Where the sandbox was found, not where it believes to be.
  const url = `${sandbox.url.replace(/^http/, 'ws')}/subscribe?websocket_feature=webhooks`
  return {
    id: String(answer['websocket_id']),
    url,
    secret: String(answer['secret']),
    version: String(answer['default_version']),
  }
}

/** Until Ctrl-C: a sandbox that goes away and comes back is listened to again. */
async function follow(call: Call, first: Session, target: Target): Promise<void> {
  let session: Session | undefined = first
  while (!call.signal.aborted) {
    if (session) await listenOnce(call, session, target)
    if (call.signal.aborted) return
    if (session) call.print('The sandbox is gone; waiting for it to come back …')
    await delay(RETRY_MS, undefined, { signal: call.signal }).catch(() => {})
    session = await openSession(call, target.url).catch((error: unknown) => {
      if (error instanceof CommandError) return undefined
      throw error
    })
  }
}

async function listenOnce(call: Call, session: Session, target: Target): Promise<void> {
  const socket = new WebSocket(session.url, { headers: { 'Websocket-Id': session.id } })
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = (): void => socket.close()
  call.signal.addEventListener('abort', stop, { once: true })
  socket.on('error', () => {})
  socket.on('open', () =>
    call.print(
      `> Ready! You are using Stripe API Version [${session.version}]. Your webhook signing secret is ${session.secret} (^C to quit)`,
    ),
  )
  socket.on('close', () => resolve())
  socket.on('message', (data) => {
    const webhook = Buffer.isBuffer(data) ? readWebhook(data.toString('utf8')) : undefined
    if (webhook) void take(call, socket, { webhook, target })
  })
  await promise
  call.signal.removeEventListener('abort', stop)
}

// The sandbox sends each event for the account's version and for the latest; one of them is enough here.
function readWebhook(text: string): Webhook | undefined {
  const message = JSON.parse(text) as Record<string, unknown>
  const { api_version: version } = (message['endpoint'] ?? {}) as { api_version?: string | null }
  if (message['type'] !== 'webhook_event' || version) return undefined
  return {
    conversation: String(message['webhook_conversation_id']),
    webhook: String(message['webhook_id']),
    body: String(message['event_payload']),
    headers: message['http_headers'] as Record<string, string>,
  }
}

async function take(
  { print }: Call,
  socket: WebSocket,
  { webhook, target }: { webhook: Webhook; target: Target },
): Promise<void> {
  const event = JSON.parse(webhook.body) as { id: string; type: string }
  const about = { webhook_conversation_id: webhook.conversation, webhook_id: webhook.webhook }
  socket.send(JSON.stringify({ type: 'event_ack', event_id: event.id, ...about }))
  if (target.types && !target.types.has(event.type)) return
  print(`${moment()}   --> ${event.type} [${event.id}]`)
  if (target.url === undefined) return
  try {
    const { status } = await fetch(target.url, {
      method: 'POST',
      headers: webhook.headers,
      body: webhook.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(FORWARD_TIMEOUT_MS),
    })
    print(`${moment()}  <--  [${status}] POST ${target.url} [${event.id}]`)
    socket.send(JSON.stringify({ type: 'webhook_response', status, forward_url: target.url, ...about }))
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } }
    print(`${moment()}  [ERROR] Failed to POST: ${target.url} (${cause?.code ?? 'no answer'}) [${event.id}]`)
  }
}

function moment(): string {
  return new Date().toISOString().slice(0, 19).replace('T', ' ')
}
