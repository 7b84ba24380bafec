import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '@passerelle/kit/log'
import { ApiError, invalidParameter } from '../errors.ts'
import type { Faults } from '../faults/faults.ts'
import { refusalOf, resetConnection, truncateAnswer } from '../faults/spoil-call.ts'
import { newId } from '../ids.ts'
import type { Relay } from '../listen/relay.ts'
import { requestLog } from '../listen/request-log.ts'
import type { OnSent } from '../sent.ts'
import type { Clock } from '../store/clock.ts'
import type { Store } from '../store/store.ts'
import { forBrowsers, requireClientSecret } from '../elements/publishable.ts'
import { authenticate } from './authentication.ts'
import type { FormObject } from './form.ts'
import { FormError, formOfJson, parseForm } from './form.ts'
import type { InFlight } from './idempotency.ts'
import { fingerprint, recall } from './idempotency.ts'
import type { Operation } from './operation.ts'
import type { Answer, Context } from './run-call.ts'
import { pretty } from './pretty.ts'
import { errorBody, runCall } from './run-call.ts'
import { isCommandLine, versionOf } from './version.ts'

export type ApiDeps = {
  readonly store: Store
  readonly log: Log
  readonly faults: Faults
  readonly relay: Relay
  /** Sees every answer before it goes out. */
  readonly onSent?: OnSent | undefined
}

/** Serves the operations as Stripe's API: authentication, idempotency, one transaction, Stripe's headers and errors. */
export function serveApi(app: FastifyInstance, deps: ApiDeps, operations: readonly Operation[]): void {
  const running: InFlight = new Set()
  for (const operation of operations) {
    app.route({
      method: operation.method,
      url: operation.path,
      handler: async (request, reply) => {
        const requestId = newId('req', 14)
        try {
          const isBrowser = authenticate(request.headers.authorization) === 'publishable'
          await handle(deps, running, { operation, requestId, isBrowser }, { request, reply })
        } catch (error) {
          answerError(deps, { error, requestId }, request, reply)
        }
        return reply
      },
    })
  }
}

async function handle(
  deps: ApiDeps,
  running: InFlight,
  call: Pick<Context, 'operation' | 'requestId' | 'isBrowser'>,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
): Promise<void> {
  const form = readForm(request)
  const context: Context = {
    ...call,
    key: call.operation.method === 'GET' ? null : (headerOf(request, 'idempotency-key') ?? null),
    version: versionOf(request.headers),
    fromCommandLine: isCommandLine(request.headers),
    path: request.url.split('?')[0] ?? '',
    id: pathPart(request, 'id'),
    part: pathPart(request, 'part'),
  }
  const { key } = context
  const { method, path } = call.operation
  if (call.isBrowser) requireClientSecret(deps.store, { method, path, id: context.id, form })
  const print = key === null ? '' : fingerprint(method, context.path, form)
  const stored = key === null ? undefined : recall(deps.store, running, key, print)
  if (stored) {
    send(deps, reply, context, { status: stored.status, body: stored.body, replayed: stored.requestId })
    return
  }
  if (key !== null) running.add(key)
  try {
    await answerCall(deps, context, { form, print }, reply)
  } finally {
    if (key !== null) running.delete(key)
  }
}

async function answerCall(
  deps: ApiDeps,
  context: Context,
  sent: { form: FormObject; print: string },
  reply: FastifyReply,
): Promise<void> {
  const { store, faults } = deps
  if (store.settings.apiLatencyMs > 0) await delay(store.settings.apiLatencyMs)
  const rule = faults.forCall(context.operation.method, context.path)
  if (rule)
    deps.log.info({ fault: rule.fault, path: context.path, requestId: context.requestId }, 'fault.struck')
  if (rule?.fault === 'delay') await delay(rule.delayMs)
  if (rule?.fault === 'reset_before') {
    resetConnection(reply)
    return
  }
  const refusal = rule && refusalOf(rule.fault, context.key)
  if (refusal) throw refusal
  const answer = runCall(store, context, { ...sent, fault: rule?.fault })
  if (rule?.fault === 'reset_after') resetConnection(reply)
  else if (rule?.fault === 'truncate') truncateAnswer(reply, answer)
  else send(deps, reply, context, answer)
}

function isJson(body: unknown): body is { readonly json: string } {
  return typeof body === 'object' && body !== null && 'json' in body && body.json !== ''
}

function readForm(request: FastifyRequest): FormObject {
  try {
    const query = request.url.split('?')[1] ?? ''
    if (request.url.startsWith('/v2/') && isJson(request.body)) return formOfJson(request.body.json)
    const body = typeof request.body === 'string' ? request.body : ''
    return parseForm(
      request.method === 'POST' ? [query, body].filter((part) => part !== '').join('&') : query,
    )
  } catch (error) {
    if (error instanceof FormError) throw invalidParameter(error.message)
    throw error
  }
}

function send(deps: ApiDeps, reply: FastifyReply, context: Context, answer: Answer): void {
  const { operation, version } = context
  const what = `${operation.method} ${operation.path}`
  deps.onSent?.({ kind: 'answer', what, version, body: JSON.parse(answer.body) })
  const { key, requestId } = context
  const body = context.isBrowser ? forBrowsers(answer.body) : answer.body
  // Past the framework, which would look at each of these headers and at the body again: a fifth of answering.
  reply.hijack()
  reply.raw.writeHead(answer.status, {
    ...STRIPE_HEADERS,
    'Content-Length': Buffer.byteLength(body),
    Date: sandboxDate(deps.store.clock),
    'Request-Id': requestId,
    'Stripe-Version': version,
    ...(key === null ? {} : { 'Idempotency-Key': key, 'Original-Request': answer.replayed ?? requestId }),
    ...(key !== null && answer.status < 400 ? { 'Stripe-Should-Retry': 'false' } : {}),
    ...(answer.replayed === undefined ? {} : { 'Idempotent-Replayed': 'true' }),
  })
  reply.raw.end(body)
  const { relay } = deps
  if (relay.isTailed) relay.tell(requestLog(reply.request, { status: answer.status, requestId, body }))
}

/** Answers what was thrown, in Stripe's shape; an unexpected error is logged and becomes a 500. */
export function answerError(
  deps: Pick<ApiDeps, 'log' | 'onSent'>,
  failure: { error: unknown; requestId: string },
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { error, requestId } = failure
  if (reply.sent) return
  reply.headers(STRIPE_HEADERS)
  if (!(error instanceof ApiError)) {
    deps.log.error({ err: error, requestId }, 'api.crashed')
    const message = 'An unknown error occurred in the sandbox. This is a defect of the sandbox: see its log.'
    void reply
      .header('Request-Id', requestId)
      .code(500)
      .send(errorBody({ type: 'api_error', message }, requestId))
    return
  }
  if (error.status === 401) {
    void reply
      .header('Www-Authenticate', 'Bearer realm="Stripe"')
      .code(401)
      .send(pretty({ error: error.details }))
    return
  }
  const version = headerOf(request, 'stripe-version')
  if (version !== undefined) reply.header('Stripe-Version', version)
  reply.headers(error.headers)
  const body = errorBody(error.details, requestId)
  const what = `${request.method} ${request.routeOptions.url ?? 'elsewhere'}`
  deps.onSent?.({ kind: 'answer', what, version: versionOf(request.headers), body: JSON.parse(body) })
  void reply.header('Request-Id', requestId).code(error.status).send(body)
}

const STRIPE_HEADERS = {
  // Stripe names no charset.
  'Content-Type': 'application/json',
  'Cache-Control': 'no-cache, no-store',
  Vary: 'Origin',
  'Access-Control-Allow-Credentials': 'true',
  'Access-Control-Allow-Methods': 'GET, HEAD, PUT, PATCH, POST, DELETE',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Request-Id, Stripe-Manage-Version, Stripe-Should-Retry',
  'Access-Control-Max-Age': '300',
  'Strict-Transport-Security': 'max-age=63072000; includeSubDomains; preload',
  'X-Stripe-Routing-Context-Priority-Tier': 'api-testmode',
} as const

/** Every answer tells the time, and that is the sandbox's own, as in every `created`. */
export function sandboxDate(clock: Clock): string {
  return new Date(clock.nowMs()).toUTCString()
}

function pathPart(request: FastifyRequest, name: 'id' | 'part'): string {
  return (request.params as { id?: string; part?: string })[name] ?? ''
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}
