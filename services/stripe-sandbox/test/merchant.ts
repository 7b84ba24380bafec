import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { once } from 'node:events'
import Stripe from 'stripe'
import { checkSent } from '../../../tools/stripe-schema/sent.ts'
import type { Sandbox, SandboxOptions } from '../src/sandbox.ts'
import { startSandbox as start } from '../src/sandbox.ts'

const checked = checkSent()

/** A sandbox that fails the test in which it sends what the SDK's types do not allow. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return start({ ...checked, ...options })
}

export const SECRET = 'whsec_of_the_tests'

export type Received = {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly event: Stripe.Event
}

/** A merchant's server: listens to webhooks and answers what the test decides. */
export type Receiver = {
  readonly url: string
  readonly received: Received[]
  /** The status of the next answers; a function sees each delivery. */
  answer: (delivery: Received) => number
  types(): string[]
  until(condition: (received: readonly Received[]) => boolean): Promise<void>
  stop(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const watchers = new Set<() => void>()
  const server = createServer((request, response) => {
    // The success page of this merchant.
    if (request.method === 'GET') {
      response.end('Thank you')
      return
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const delivery = {
        headers: request.headers,
        body,
        event: JSON.parse(body.toString('utf8')) as Stripe.Event,
      }
      received.push(delivery)
      response.writeHead(receiver.answer(delivery)).end()
      for (const watch of watchers) watch()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/webhooks`,
    received,
    answer: () => 200,
    types: () => received.map(({ event }) => event.type),
    until: async (condition) => {
      if (condition(received)) return
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const watch = (): void => {
        if (condition(received)) resolve()
      }
      const limit = setTimeout(() => reject(new Error(`Received only: ${receiver.types().join(', ')}`)), 5000)
      watchers.add(watch)
      await promise.finally(() => {
        clearTimeout(limit)
        watchers.delete(watch)
      })
    },
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}

export const FAST = {
  chargeUpdatedDelayMs: 20,
  refundUpdatedDelayMs: 20,
  refundSettledDelayMs: 40,
  disputeOpenedDelayMs: 20,
  disputeDecidedDelayMs: 20,
  debitDelayMs: 20,
  redirectWaitMs: 3000,
  retryDelaysMs: [20, 20, 20],
}

export type World = {
  readonly sandbox: Sandbox
  readonly stripe: Stripe
  readonly receiver: Receiver
  stop(): Promise<void>
}

/** A sandbox with fast delays, the official SDK pointed at it, and a webhook receiver. */
export async function startWorld(options: SandboxOptions = {}): Promise<World> {
  const receiver = await startReceiver()
  const sandbox = await startSandbox({
    webhookUrl: receiver.url,
    webhookSecret: SECRET,
    ...options,
    settings: { ...FAST, ...options.settings },
  })
  return {
    sandbox,
    receiver,
    stripe: sdk(sandbox),
    stop: async () => {
      await sandbox.stop()
      await receiver.stop()
    },
  }
}

export function sdk(sandbox: Sandbox, config: Partial<ConstructorParameters<typeof Stripe>[1]> = {}): Stripe {
  return new Stripe('sk_test_passerelle', {
    host: '127.0.0.1',
    port: sandbox.port,
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 0,
    ...config,
  })
}

export function sessionParams(
  change: Partial<Stripe.Checkout.SessionCreateParams> = {},
): Stripe.Checkout.SessionCreateParams {
  return {
    mode: 'payment',
    line_items: [
      {
        quantity: 1,
        price_data: { currency: 'eur', unit_amount: 12_900, product_data: { name: 'Kayak at dawn' } },
      },
    ],
    success_url: 'http://localhost:5173/success?session_id={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://localhost:5173/cancel',
    metadata: { booking_id: 'b1' },
    payment_intent_data: { metadata: { booking_id: 'b1' } },
    ...change,
  }
}

export async function control<T = Record<string, unknown>>(
  sandbox: Sandbox,
  path: string,
  body?: object,
): Promise<T> {
  const response = await fetch(`${sandbox.url}/_sandbox/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  return (await response.json()) as T
}

/** The SDK's error of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error
    throw error
  }
  throw new Error('The call succeeded.')
}
