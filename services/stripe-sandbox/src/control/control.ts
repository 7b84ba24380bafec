import type { FastifyRequest } from 'fastify'
import type { Log } from '@passerelle/kit/log'
import { invalidRequest } from '../errors.ts'
import type { Deliverer } from '../events/deliver.ts'
import type { Faults } from '../faults/faults.ts'
import { FormError, parseForm } from '../http/form.ts'
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
  try {
    if (typeof body === 'string') return parseForm(body)
    if (typeof body !== 'object' || body === null || !('json' in body) || body.json === '') return {}
    const value: unknown = JSON.parse(String(body.json))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch (error) {
    if (error instanceof FormError) throw invalidRequest(error.message)
    // Said below.
  }
  throw invalidRequest('The body is not a JSON object.')
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A number, also as a form writes it; undefined when nothing was said, NaN when it is none. */
export function numberOf(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
}

export function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id
}
