import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '@passerelle/kit/log'
import { ApiError, noSuch } from '../errors.ts'
import type { Deliverer } from '../events/deliver.ts'
import type { FormObject, FormValue } from '../http/form.ts'
import { emptyForm, parseForm } from '../http/form.ts'
import { newId } from '../ids.ts'
import { meansOf, submitPayment } from '../pages/submit-payment.ts'
import { TABLES } from '../store/records.ts'
import type { Scheduler } from '../store/scheduler.ts'
import type { Store } from '../store/store.ts'

export type ControlDeps = {
  readonly store: Store
  readonly scheduler: Scheduler
  readonly deliverer: Deliverer
  readonly log: Log
}
type Handler = (request: FastifyRequest) => Promise<object> | object
type WithId = { id: string }

/** The sandbox's own routes, which Stripe does not have: JSON in, JSON out. */
export function serveControl(app: FastifyInstance, deps: ControlDeps): void {
  const { store, deliverer } = deps
  const route = (method: 'GET' | 'POST', url: string, handler: Handler): void => {
    app.route({
      method,
      url: `/_sandbox/${url}`,
      handler: async (request, reply) => answer(handler, request, reply),
    })
  }
  route('GET', 'health', () => ({ status: 'ok', time: new Date(store.clock.nowMs()).toISOString() }))
  route('POST', 'reset', () => reset(deps))
  route('POST', 'sessions/:id/pay', async (request) => {
    const { id } = request.params as WithId
    const body = readBody(request)
    const outcome = await submitPayment(deps, id, {
      means: meansOf(textOf(body['card']) ?? 'pm_card_visa'),
      email: textOf(body['email']),
      submit: newId('submit'),
    })
    return outcome
  })
  route('POST', 'events/:id/resend', async (request) => {
    const { id } = request.params as WithId
    const event = store.get('events', id)
    if (!event) throw noSuch('event', id, { param: 'id' })
    const asked = textOf(readBody(request)['webhook_endpoint'])
    const endpoints = [...store.table('webhook_endpoints').oldestFirst()].filter(
      (endpoint) => asked === undefined || endpoint.id === asked,
    )
    const attempts = await Promise.all(
      endpoints.map(async (endpoint) => ({
        endpoint: endpoint.id,
        attempt: await deliverer.resend(event, endpoint),
      })),
    )
    return { event: id, attempts }
  })
  route('POST', 'webhooks/pause', () => {
    deliverer.setPaused(true)
    return { paused: true }
  })
  route('POST', 'webhooks/resume', () => {
    deliverer.setPaused(false)
    return { paused: false }
  })
  route('GET', 'deliveries', (request) => {
    const query = request.query as { event?: string; status?: string; limit?: string }
    return { paused: deliverer.paused, deliveries: deliveriesOf(store, query) }
  })
}

const DELIVERIES_SHOWN = 100

function deliveriesOf(store: Store, query: { event?: string; status?: string; limit?: string }): object[] {
  const limit = Math.min(Number(query.limit) || DELIVERIES_SHOWN, 1000)
  const shown: object[] = []
  for (const row of store.table('deliveries').newestFirst()) {
    if (query.event !== undefined && row.event !== query.event) continue
    if (query.status !== undefined && row.status !== query.status) continue
    const endpoint = store.get('webhook_endpoints', row.endpoint)
    shown.push({
      event: row.event,
      type: store.get('events', row.event)?.type,
      endpoint: row.endpoint,
      url: endpoint?.url ?? null,
      status: row.status,
      nextAttemptAt: row.nextAttemptMs === null ? null : new Date(row.nextAttemptMs).toISOString(),
      attempts: row.attempts,
    })
    if (shown.length >= limit) break
  }
  return shown
}

// Webhook endpoints are configuration: they survive, as does the clock.
function reset(deps: ControlDeps): object {
  deps.scheduler.clear()
  deps.store.clear(TABLES.filter((table) => table !== 'webhook_endpoints' && table !== 'settings'))
  return { reset: true }
}

/** A JSON body, or a form: whatever is easier to type. */
export function readBody(request: FastifyRequest): FormObject {
  const { body } = request
  if (typeof body === 'string') return parseForm(body)
  if (typeof body !== 'object' || body === null || !('json' in body)) return emptyForm()
  if (body.json === '') return emptyForm()
  try {
    const value: unknown = JSON.parse(String(body.json))
    return Object.assign(emptyForm(), value)
  } catch {
    throw new ApiError(400, { message: 'The body is not JSON.', type: 'invalid_request_error' })
  }
}

export function textOf(value: FormValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

async function answer(handler: Handler, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  // A page on the internet must not be able to drive the sandbox of whoever looks at it.
  if (request.headers['sec-fetch-site'] === 'cross-site')
    return reply.code(403).send({ error: { message: 'Cross-site requests are refused.' } })
  try {
    return await reply.type('application/json').send(JSON.stringify(await handler(request), null, 2))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return reply
      .code(error.status)
      .type('application/json')
      .send(JSON.stringify({ error: error.details }, null, 2))
  }
}
