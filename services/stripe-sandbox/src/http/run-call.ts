import type { ErrorDetails } from '../errors.ts'
import { ApiError } from '../errors.ts'
import { atVersion } from '../events/older-versions.ts'
import type { ApiFault } from '../faults/fault.ts'
import { INDETERMINATE } from '../faults/spoil-call.ts'
import type { Cause, Store, Tx } from '../store/store.ts'
import { expand } from './expand.ts'
import type { FormObject } from './form.ts'
import { store as remember } from './idempotency.ts'
import type { Operation } from './operation.ts'
import type { Params, Shape } from './params.ts'
import { list, readParams, text } from './params.ts'
import { pretty } from './pretty.ts'
import { refusalOfUnsupported } from './unsupported.ts'

export type Answer = { readonly status: number; readonly body: string; readonly replayed?: string }

export type Context = {
  readonly operation: Operation
  readonly requestId: string
  /** Called with a publishable key: by a payer's browser. */
  readonly isBrowser: boolean
  readonly key: string | null
  readonly version: string
  readonly fromCommandLine: boolean
  readonly path: string
  readonly id: string
  readonly part: string
}

type Sent = { readonly form: FormObject; readonly print: string; readonly fault?: ApiFault | undefined }

const EXPAND = { expand: list(text(), 20) }

/**
 * Runs the operation and keeps its answer under the idempotency key, in the same commit wherever something was
 * written. As at Stripe a 500 is kept too, whether or not the call took effect.
 */
export function runCall(store: Store, context: Context, sent: Sent): Answer {
  const { requestId, key } = context
  const { expand: paths, ...params } = readAll(context.operation, sent.form)
  const cause: Cause = { requestId, idempotencyKey: key }
  const keep = (tx: Tx, answer: Answer): Answer => {
    if (key !== null) remember(tx, { id: key, fingerprint: sent.print, requestId, ...answer })
    return answer
  }
  if (sent.fault === 'error_before') {
    return store.transact(cause, (tx) => keep(tx, errorAnswer(INDETERMINATE, requestId)))
  }
  try {
    return store.transact(cause, (tx) => {
      const answer = execute(tx, context, { params, paths: paths ?? [] })
      return keep(tx, sent.fault === 'error_after' ? errorAnswer(INDETERMINATE, requestId) : answer)
    })
  } catch (error) {
    if (!(error instanceof ApiError) || error.beforeExecution) throw error
    return store.transact(cause, (tx) => keep(tx, errorAnswer(error, requestId)))
  }
}

const shapes = new WeakMap<Operation, Shape & typeof EXPAND>()

function shapeOf(operation: Operation): Shape & typeof EXPAND {
  const known = shapes.get(operation) ?? { ...operation.shape, ...EXPAND }
  shapes.set(operation, known)
  return known
}

function readAll(operation: Operation, form: FormObject): Params<Shape & typeof EXPAND> {
  try {
    return readParams(shapeOf(operation), form)
  } catch (error) {
    if (!(error instanceof ApiError) || error.details.code !== 'parameter_unknown') throw error
    throw refusalOfUnsupported(`${operation.method} ${operation.path}`, error) ?? error
  }
}

// An error that keeps its effects is an answer like any other; the rest undo the transaction.
function execute(
  tx: Tx,
  context: Context,
  asked: { params: Params<Shape>; paths: readonly string[] },
): Answer {
  const { operation, requestId: _requestId, key: _key, ...where } = context
  try {
    const result = operation.run(tx, { ...where, params: asked.params })
    expand(tx, result, asked.paths)
    return { status: 200, body: pretty(atVersion(result, where.version, tx)) }
  } catch (error) {
    if (error instanceof ApiError && error.keepsEffects) return errorAnswer(error, context.requestId)
    throw error
  }
}

function errorAnswer(error: ApiError, requestId: string): Answer {
  return { status: error.status, body: errorBody(error.details, requestId) }
}

export function errorBody(details: ErrorDetails, requestId: string): string {
  const url = `https://dashboard.stripe.com/test/workbench/logs?object=${requestId}`
  return pretty({ error: { ...details, request_log_url: url } })
}
