import { ApiError } from '@passerelle/kit/errors'
import type { ReplayWish } from './replay-events.ts'

const BATCH_DEFAULT = 100

type ManyBody = {
  readonly status?: string | undefined
  readonly type?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly limit?: number
  readonly dryRun?: boolean
}

/** A filter over many; VALIDATION_ERROR without any condition, so that nobody touches everything by an empty body. */
export function manyWish(body: ManyBody): ReplayWish {
  const { status, type, since, until, limit, dryRun } = body
  const filter = { status, type, since: timeOf('since', since), until: timeOf('until', until) }
  if (Object.values(filter).every((value) => value === undefined))
    throw new ApiError('VALIDATION_ERROR', 'Name at least one of status, type, since and until.')
  return { filter, limit: limit ?? BATCH_DEFAULT, dryRun: dryRun ?? false }
}

/** The time in UTC; a text of the right form may still name a moment neither JavaScript nor PostgreSQL has. */
function timeOf(field: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const time = new Date(text)
  if (!(time.getUTCFullYear() > 0)) throw new ApiError('VALIDATION_ERROR', `body.${field} is no time.`)
  return time.toISOString()
}
