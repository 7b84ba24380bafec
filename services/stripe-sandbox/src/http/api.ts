import { setTimeout as delay } from 'node:timers/promises'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { Log } from '@passerelle/kit/log'
import { ApiError, invalidParameter } from '../errors.ts'
import type { Faults } from '../faults/faults.ts'
import { refusalOf, resetConnection, truncateAnswer } from '../faults/spoil-call.ts'
import { newId } from '../ids.ts'
import type { Relay } from '../listen/relay.ts'
import type { OnSent } from '../sent.ts'
import type { Store } from '../store/store.ts'
import { forBrowsers, requireClientSecret } from '../elements/publishable.ts'
import type { Exchange } from './answer.ts'
import { answer } from './answer.ts'
import { authenticate } from './authentication.ts'
import type { Body } from './body.ts'
import { readBody } from './body.ts'
import type { FormObject } from './form.ts'
import { FormError, formOfJson, parseForm } from './form.ts'
import type { InFlight } from './idempotency.ts'
import { fingerprint, recall } from './idempotency.ts'
import type { Operation } from './operation.ts'
import { Routes } from './routes.ts'
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

/** Answers the operations as Stripe's API does: authentication, idempotency, one transaction, Stripe's headers and errors. */
export function apiListener(deps: ApiDeps, operations: readonly Operation[]): RequestListener {
  const routes = new Routes(operations)
  const running: InFlight = new Set()
  return (request, response) => void serve(deps, { routes, running }, { request, response })
}

async function serve(
  deps: ApiDeps,
  { routes, running }: { readonly routes: Routes; readonly running: InFlight },
  exchange: Exchange,
): Promise<void> {
  const { method = '', url = '', headers } = exchange.request
  const [path = '', query = ''] = url.split('?')
  const found = routes.find(method, path)
  const requestId = newId('req', 14)
  try {
    if (!found) throw unknownUrl(exchange.request)
    const isBrowser = authenticate(headers.authorization) === 'publishable'
    const context: Context = {
      ...found,
      requestId,
      isBrowser,
      key: found.operation.method === 'GET' ? null : (headerOf(exchange.request, 'idempotency-key') ?? null),
      version: versionOf(headers),
      fromCommandLine: isCommandLine(headers),
      path,
    }
    await handle(deps, running, context, { exchange, form: await readForm(exchange.request, query) })
  } catch (error) {
    answerError(deps, { error, requestId, route: found && routeOf(found.operation) }, exchange)
  }
}

async function handle(
  deps: ApiDeps,
  running: InFlight,
  context: Context,
  { exchange, form }: { exchange: Exchange; form: FormObject },
): Promise<void> {
  const { key, id, operation } = context
  const { method, path } = operation
  if (context.isBrowser) requireClientSecret(deps.store, { method, path, id, form })
  if (key === null) return answerCall(deps, context, { form, print: '' }, exchange)
  const print = fingerprint(method, context.path, form)
  const stored = recall(deps.store, running, key, print)
  if (stored) {
    send(deps, exchange, context, { status: stored.status, body: stored.body, replayed: stored.requestId })
    return
  }
  running.add(key)
  try {
    await answerCall(deps, context, { form, print }, exchange)
  } finally {
    running.delete(key)
  }
}

async function answerCall(
  deps: ApiDeps,
  context: Context,
  sent: { form: FormObject; print: string },
  exchange: Exchange,
): Promise<void> {
  const { store, faults } = deps
  if (store.settings.apiLatencyMs > 0) await delay(store.settings.apiLatencyMs)
  const rule = faults.forCall(context.operation.method, context.path)
  if (rule)
    deps.log.info({ fault: rule.fault, path: context.path, requestId: context.requestId }, 'fault.struck')
  if (rule?.fault === 'delay') await delay(rule.delayMs)
  if (rule?.fault === 'reset_before') {
    resetConnection(exchange.response)
    return
  }
  const refusal = rule && refusalOf(rule.fault, context.key)
  if (refusal) throw refusal
  const result = runCall(store, context, { ...sent, fault: rule?.fault })
  if (rule?.fault === 'reset_after') resetConnection(exchange.response)
  else if (rule?.fault === 'truncate') truncateAnswer(exchange.response, result)
  else send(deps, exchange, context, result)
}

const BODILESS: Body = { text: '', isJson: false }

async function readForm(request: IncomingMessage, query: string): Promise<FormObject> {
  const { method, url } = request
  const { text, isJson } = method === 'POST' ? await readBody(request) : BODILESS
  try {
    if (!isJson) return parseForm([query, text].filter((part) => part !== '').join('&'))
    return url?.startsWith('/v2/') ? formOfJson(text) : parseForm(query)
  } catch (error) {
    if (error instanceof FormError) throw invalidParameter(error.message)
    throw error
  }
}

function send(deps: ApiDeps, exchange: Exchange, context: Context, result: Answer): void {
  const { key, requestId, version, operation } = context
  const { status, replayed } = result
  deps.onSent?.({ kind: 'answer', what: routeOf(operation), version, body: JSON.parse(result.body) })
  const body = context.isBrowser ? forBrowsers(result.body) : result.body
  const headers = {
    'Request-Id': requestId,
    'Stripe-Version': version,
    ...(key === null ? {} : { 'Idempotency-Key': key, 'Original-Request': replayed ?? requestId }),
    ...(key !== null && status < 400 ? { 'Stripe-Should-Retry': 'false' } : {}),
    ...(replayed === undefined ? {} : { 'Idempotent-Replayed': 'true' }),
  }
  answer(deps, exchange, { status, body, headers })
}

/** Answers what was thrown, in Stripe's shape; an unexpected error is logged and becomes a 500. */
export function answerError(
  deps: ApiDeps,
  failure: { error: unknown; requestId: string; route?: string | undefined },
  exchange: Exchange,
): void {
  const { error, requestId } = failure
  const { request, response } = exchange
  if (response.headersSent) return
  const id = { 'Request-Id': requestId }
  if (!(error instanceof ApiError)) {
    deps.log.error({ err: error, requestId }, 'api.crashed')
    const message = 'An unknown error occurred in the sandbox. This is a defect of the sandbox: see its log.'
    const body = errorBody({ type: 'api_error', message }, requestId)
    answer(deps, exchange, { status: 500, body, headers: id })
    return
  }
  if (error.status === 401) {
    const headers = { 'Www-Authenticate': 'Bearer realm="Stripe"' }
    answer(deps, exchange, { status: 401, body: pretty({ error: error.details }), headers })
    return
  }
  const version = headerOf(request, 'stripe-version')
  const body = errorBody(error.details, requestId)
  const what = failure.route ?? `${request.method} elsewhere`
  deps.onSent?.({ kind: 'answer', what, version: versionOf(request.headers), body: JSON.parse(body) })
  const headers = { ...id, ...(version === undefined ? {} : { 'Stripe-Version': version }), ...error.headers }
  answer(deps, exchange, { status: error.status, body, headers })
}

/** The 404 of an address that Stripe has not, or the sandbox has not. */
export function unknownUrl({ method = '', url = '' }: IncomingMessage): ApiError {
  const message = `Unrecognized request URL (${method}: ${url.split('?')[0] ?? ''}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/. (The README of this sandbox says what of Stripe it has.)`
  return new ApiError(404, { message, type: 'invalid_request_error' })
}

function routeOf({ method, path }: Operation): string {
  return `${method} ${path}`
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}
