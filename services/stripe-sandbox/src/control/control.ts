import type { FastifyRequest } from 'fastify'
import type { Log } from '@passerelle/kit/log'
import { ApiError } from '../errors.ts'
import type { Deliverer } from '../events/deliver.ts'
import type { Faults } from '../faults/faults.ts'
import { parseForm } from '../http/form.ts'
import type { Scheduler } from '../store/scheduler.ts'
import type { Store } from '../store/store.ts'

export type ControlDeps = {
  readonly store: Store
  readonly scheduler: Scheduler
  readonly deliverer: Deliverer
  readonly faults: Faults
  readonly log: Log
}

export type Handler = (request: FastifyRequest) => Promise<object> | object
export type Route = (method: 'GET' | 'POST', path: string, handler: Handler) => void

/** The body as JSON, or as a form: whatever is easier to type. Nothing sent is {}. */
export function readJson(request: FastifyRequest): Record<string, unknown> {
  const { body } = request
  if (typeof body === 'string') return parseForm(body)
  if (typeof body !== 'object' || body === null || !('json' in body) || body.json === '') return {}
  try {
    const value: unknown = JSON.parse(String(body.json))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw new ApiError(400, { message: 'The body is not a JSON object.', type: 'invalid_request_error' })
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id
}
