import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { returnTo, sendRefusal } from '../dashboard/return-to.ts'
import { ApiError, noSuch } from '../errors.ts'
import { endpointOf, endpointsOf } from '../events/webhook-endpoint.ts'
import { TABLES } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import type { ControlDeps, Handler, Route } from './control.ts'
import { idOf, readJson, textOf } from './control.ts'
import { isForeign } from './foreign.ts'
import { outcomes } from './outcome.routes.ts'
import { provocations } from './provoke.routes.ts'
import { timeAndTrouble } from './time.routes.ts'

const DELIVERIES_SHOWN = 100
const CONFIGURATION = new Set<string>(['webhook_endpoints', 'listeners', 'settings'])
const SECRET_TABLES = new Set<string>(['webhook_endpoints', 'listeners', 'settings', 'idempotency'])

/** The sandbox's own routes, which Stripe does not have: JSON in, JSON out. */
export function serveControl(app: FastifyInstance, deps: ControlDeps): void {
  const { store, deliverer } = deps
  const route: Route = (method, path, handler) => {
    app.route({
      method,
      url: `/_sandbox/${path}`,
      handler: async (request, reply) => answer(handler, request, reply),
    })
  }
  route('GET', 'health', () => ({ status: 'ok', time: new Date(store.clock.nowMs()).toISOString() }))
  route('POST', 'reset', () => reset(deps))
  route('GET', 'snapshot', () => snapshot(store))
  route('GET', 'deliveries', (request) => ({
    paused: deliverer.paused,
    deliveries: deliveriesOf(store, request.query as Query),
  }))
  route('POST', 'webhooks/pause', () => pause(deps, true))
  route('POST', 'webhooks/resume', () => pause(deps, false))
  route('POST', 'events/:id/resend', (request) => resend(deps, request))
  outcomes(route, deps)
  provocations(route, deps)
  timeAndTrouble(route, deps)
}

function pause(deps: ControlDeps, paused: boolean): object {
  deps.deliverer.setPaused(paused)
  return { paused }
}

async function resend(deps: ControlDeps, request: FastifyRequest): Promise<object> {
  const event = deps.store.get('events', idOf(request))
  if (!event) throw noSuch('event', idOf(request), { param: 'id' })
  const asked = textOf(readJson(request)['webhook_endpoint'])
  const endpoints = endpointsOf(deps.store).filter((endpoint) => asked === undefined || endpoint.id === asked)
  const attempts = endpoints.map(async (endpoint) => ({
    endpoint: endpoint.id,
    attempt: await deps.deliverer.resend(event, endpoint),
  }))
  return { event: event.id, attempts: await Promise.all(attempts) }
}

type Query = { readonly event?: string; readonly status?: string; readonly limit?: string }

function deliveriesOf(store: Store, query: Query): object[] {
  const limit = Math.min(Number(query.limit) || DELIVERIES_SHOWN, 1000)
  const shown: object[] = []
  for (const row of store.table('deliveries').newestFirst()) {
    if (query.event !== undefined && row.event !== query.event) continue
    if (query.status !== undefined && row.status !== query.status) continue
    shown.push({
      event: row.event,
      type: store.get('events', row.event)?.type,
      endpoint: row.endpoint,
      url: endpointOf(store, row.endpoint)?.url ?? null,
      status: row.status,
      nextAttemptAt: row.nextAttemptMs === null ? null : new Date(row.nextAttemptMs).toISOString(),
      attempts: row.attempts,
    })
    if (shown.length >= limit) break
  }
  return shown
}

// Everything but secrets, for a bug report or a look inside.
function snapshot(store: Store): object {
  const tables = TABLES.filter((table) => !SECRET_TABLES.has(table))
  return Object.fromEntries(tables.map((table) => [table, [...store.table(table).oldestFirst()]]))
}

// Webhook endpoints and the clock are configuration: they stay.
function reset(deps: ControlDeps): object {
  deps.scheduler.clear()
  deps.faults.set([], 1)
  deps.store.clear(TABLES.filter((table) => !CONFIGURATION.has(table)))
  return { reset: true }
}

async function answer(handler: Handler, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  if (isForeign(request)) {
    return reply.code(403).send({ error: { message: 'Requests of other sites are refused.' } })
  }
  const back = returnTo(request)
  try {
    const result = await handler(request)
    if (back !== undefined) return await reply.redirect(back, 303)
    return await reply.type('application/json').send(JSON.stringify(result, null, 2))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (back !== undefined) return await sendRefusal(reply, back, error)
    return reply
      .code(error.status)
      .type('application/json')
      .send(JSON.stringify({ error: error.details }, null, 2))
  }
}
