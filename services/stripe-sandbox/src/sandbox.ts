import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import { Writable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fastify } from 'fastify'
import { createLog } from '@passerelle/kit/log'
import type { Log } from '@passerelle/kit/log'
import { catalogOperations } from './accounts/catalog.routes.ts'
import { couponOperations } from './accounts/coupon.routes.ts'
import { paymentLinkOperations } from './accounts/payment-link.routes.ts'
import { sourceOperations } from './accounts/source.routes.ts'
import { sessionOperations } from './checkout/session.routes.ts'
import { serveControl } from './control/control.routes.ts'
import { serveDashboard } from './dashboard/dashboard.routes.ts'
import { serveElements } from './elements/elements.routes.ts'
import { ApiError } from './errors.ts'
import { Deliverer } from './events/deliver.ts'
import type { Resend } from './events/event.routes.ts'
import { eventOperations } from './events/event.routes.ts'
import { eventDestinationOperations } from './events/event-destination.routes.ts'
import { webhookEndpointOperations } from './events/webhook-endpoint.routes.ts'
import { ensureEndpoint, newSecret } from './events/webhook-endpoint.ts'
import { Faults } from './faults/faults.ts'
import { isApi } from './http/answer.ts'
import type { ApiDeps } from './http/api.ts'
import { answerError, apiListener, unknownUrl } from './http/api.ts'
import { forgetOldKeys } from './http/idempotency.ts'
import type { Operation } from './http/operation.ts'
import { newId } from './ids.ts'
import { listenOperations, listenSecret } from './listen/listen.routes.ts'
import { Relay } from './listen/relay.ts'
import { servePages } from './pages/page.routes.ts'
import { servePaymentLinks, serveRecovery } from './pages/payment-link.routes.ts'
import { balanceOperations } from './payments/balance.routes.ts'
import { cashBalanceOperations } from './payments/cash-balance.routes.ts'
import { chargeOperations } from './payments/charge.routes.ts'
import { disputeOperations } from './payments/dispute.routes.ts'
import { paymentIntentOperations } from './payments/payment-intent.routes.ts'
import { paymentMethodOperations } from './payments/payment-method.routes.ts'
import { payoutOperations } from './payments/payout.routes.ts'
import { setupIntentOperations } from './payments/setup-intent.routes.ts'
import { searchOperations } from './search.routes.ts'
import { runTasks } from './run-tasks.ts'
import type { OnSent } from './sent.ts'
import { watchEvents } from './sent.ts'
import type { Settings, SettingsChange } from './settings.ts'
import { changedSettings, DEFAULT_SETTINGS } from './settings.ts'
import { Clock } from './store/clock.ts'
import { Scheduler } from './store/scheduler.ts'
import { NOBODY, Store } from './store/store.ts'

export type SandboxOptions = {
  /** 0, the default, lets the system choose. */
  readonly port?: number
  readonly host?: string
  /** Where browsers reach the sandbox; `http://localhost:<port>` by default. */
  readonly publicUrl?: string
  /** Keeps everything in this directory; without it, in memory only. */
  readonly dataDir?: string
  readonly webhookUrl?: string
  readonly webhookSecret?: string
  readonly log?: Log
  /** Sees every object and event that the sandbox sends, for checking them; see sent.ts. */
  readonly onSent?: OnSent
  /** Delays, fees and assumptions; see settings.ts. */
  readonly settings?: SettingsChange
}

export type Sandbox = {
  readonly url: string
  readonly port: number
  /** The secret of the endpoint at `webhookUrl`. */
  readonly webhookSecret: string
  stop(): Promise<void>
}

/** The whole API: every route with the parameters it takes. */
export const operations = (resend: Resend, relay: Relay): readonly Operation[] => [
  ...sessionOperations,
  ...paymentIntentOperations,
  ...paymentMethodOperations,
  ...chargeOperations,
  ...disputeOperations,
  ...balanceOperations,
  ...eventOperations(resend),
  ...webhookEndpointOperations,
  ...eventDestinationOperations,
  ...listenOperations(relay),
  ...catalogOperations,
  ...couponOperations,
  ...sourceOperations,
  ...paymentLinkOperations,
  ...setupIntentOperations,
  ...payoutOperations,
  ...cashBalanceOperations,
  ...searchOperations,
]

const KEEP_ALIVE_MS = 72_000

/** Starts a Stripe of your own on 127.0.0.1. Resolves when it answers. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const log =
    options.log ??
    createLog({
      name: 'stripe-sandbox',
      level: 'silent',
      destination: new Writable({ write: (_chunk, _encoding, done) => done() }),
    })
  const settings = changedSettings(DEFAULT_SETTINGS, options.settings ?? {})
  const { store, clock } = openStore(settings, options.dataDir)
  const scheduler = new Scheduler(clock, (error) => log.error({ err: error }, 'task.crashed'))
  const faults = new Faults()
  const relay = new Relay({ store, log })
  const deliverer = new Deliverer({ store, scheduler, log, faults, relay })
  runTasks(store, scheduler, log)
  if (options.onSent) watchEvents(store, options.onSent)
  const api = { store, log, faults, relay, onSent: options.onSent }
  const resend: Resend = (event, to) => deliverer.resendAll(event, to)
  const app = buildApp(api, apiListener(api, operations(resend, relay)))
  app.server.on('upgrade', (request, socket, head) => relay.upgrade(request, socket, head))
  serveElements(app)
  servePaymentLinks(app, store)
  serveRecovery(app, store)
  servePages(app, { store, deliverer, log })
  serveDashboard(app, { store, deliverer, faults })
  serveControl(app, { store, scheduler, deliverer, faults, log })

  const host = options.host ?? '127.0.0.1'
  await app.listen({ host, port: options.port ?? 0 })
  const port = portOf(app)
  settings.publicUrl = options.publicUrl ?? `http://localhost:${port}`
  const webhookSecret = prepareEndpoint(store, options)
  deliverer.resume()
  log.info({ url: `http://${host}:${port}`, webhooks: options.webhookUrl ?? 'none' }, 'sandbox.listening')
  return {
    url: `http://${host}:${port}`,
    port,
    webhookSecret,
    stop: async () => {
      scheduler.stop()
      relay.stop()
      await deliverer.stop()
      await app.close()
      store.close()
    },
  }
}

function openStore(settings: Settings, dataDir: string | undefined): { store: Store; clock: Clock } {
  const clock = new Clock()
  const store = new Store(clock, settings, dataDir)
  const setting = store.get('settings', 'clock')
  if (setting?.id === 'clock') clock.restore(setting)
  store.transact(NOBODY, forgetOldKeys)
  return { store, clock }
}

function prepareEndpoint(store: Store, options: SandboxOptions): string {
  const { webhookUrl, webhookSecret } = options
  if (webhookSecret !== undefined) store.transact(NOBODY, (tx) => listenSecret(tx, webhookSecret))
  if (webhookUrl === undefined) return webhookSecret ?? newSecret()
  const endpoint = store.transact(NOBODY, (tx) => ensureEndpoint(tx, webhookUrl, webhookSecret))
  return endpoint.secrets[0]?.value ?? ''
}

// Only pages and the sandbox's own routes are Fastify's, and none of them has a schema. It would load its own compilers
// all the same, which takes a third of starting it.
const noSchemas = (): never => {
  throw new Error('The sandbox has no routes with schemas.')
}

// The API's calls go past the framework, which would cost a fourth of a bare answer.
function buildApp(deps: ApiDeps, serveApi: RequestListener): FastifyInstance {
  const app = fastify({
    serverFactory: (servePages) =>
      createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) =>
        isApi(request.url) ? serveApi(request, response) : servePages(request, response),
      ),
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 500, ignoreTrailingSlash: true },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/x-www-form-urlencoded', 'text/plain'],
    { parseAs: 'string' },
    (_request, body, done) => done(null, body),
  )
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, { json: body }),
  )
  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    reply.hijack()
    const exchange = { request: request.raw, response: reply.raw }
    answerError(deps, { error, requestId: newId('req', 14) }, exchange)
  }
  app.setNotFoundHandler((request, reply) => refuse(unknownUrl(request.raw), request, reply))
  app.setErrorHandler((error: { statusCode?: number; message: string }, request, reply) => {
    const { statusCode = 500, message } = error
    const known = statusCode < 500
    refuse(
      known ? new ApiError(statusCode, { message, type: 'invalid_request_error' }) : error,
      request,
      reply,
    )
  })
  return app
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address()
  return typeof address === 'object' && address ? address.port : 0
}
