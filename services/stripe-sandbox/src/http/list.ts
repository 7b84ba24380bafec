import { invalidRequest } from '../errors.ts'
import type { ResourceTable } from '../resources.ts'
import { render } from '../resources.ts'
import type { Records } from '../store/records.ts'
import type { Reads } from '../store/store.ts'
import type { Params, Range } from './params.ts'
import { integer, range, text } from './params.ts'

/** The parameters every list of Stripe's takes. */
export const LIST = { limit: integer({ min: 1, max: 100 }), starting_after: text(), ending_before: text() }
export const LIST_CREATED = { ...LIST, created: range() }

type ListParams = Params<typeof LIST> & { readonly created?: Range | null }
export type Page = {
  readonly object: 'list'
  readonly data: object[]
  readonly has_more: boolean
  readonly url: string
}

/** A page of Stripe's list, newest first, of the rows that `keep` accepts. */
export function listPage<N extends ResourceTable>(
  reads: Reads,
  table: N,
  how: { url: string; params: ListParams; keep?: (row: Records[N]) => boolean; noun: string },
): Page {
  const limit = how.params.limit ?? 10
  const { starting_after: after, ending_before: before } = how.params
  if (after && before) {
    throw invalidRequest('You may only specify one of these parameters: starting_after, ending_before.')
  }
  const cursor = after ?? before
  if (cursor && !reads.get(table, cursor)) {
    throw invalidRequest(`No such ${how.noun}: '${cursor}'`, {
      code: 'resource_missing',
      param: after ? 'starting_after' : 'ending_before',
    })
  }
  const rows = before
    ? reads.table(table).newerThan(before)
    : reads.table(table).newestFirst(after ?? undefined)
  const found: Records[N][] = []
  for (const row of rows) {
    if (!within(row, how.params.created) || how.keep?.(row) === false) continue
    found.push(row)
    if (found.length > limit) break
  }
  const page = found.slice(0, limit)
  if (before) page.reverse()
  return {
    object: 'list',
    data: page.map((row) => render(reads, table, row)),
    has_more: found.length > limit,
    url: how.url,
  }
}

/** A page of what belongs to one object, in its own order. */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  how: { url: string; params: ListParams; shown: (item: T) => object },
): Page {
  const limit = how.params.limit ?? 10
  const { starting_after: after, ending_before: before } = how.params
  const end = before ? items.findIndex(({ id }) => id === before) : items.length
  const first = after ? items.findIndex(({ id }) => id === after) + 1 : 0
  const start = before ? Math.max(0, end - limit) : first
  const page = items.slice(start, before ? end : start + limit)
  return {
    object: 'list',
    data: page.map(how.shown),
    has_more: before ? start > 0 : start + limit < items.length,
    url: how.url,
  }
}

function within(row: object, bounds: Range | null | undefined): boolean {
  return !('created' in row) || typeof row.created !== 'number' || isWithin(row.created, bounds)
}

/** Whether the time lies in the range; no range holds everything. */
export function isWithin(time: number, bounds: Range | null | undefined): boolean {
  if (!bounds) return true
  if (bounds.gt !== undefined && time <= bounds.gt) return false
  if (bounds.gte !== undefined && time < bounds.gte) return false
  if (bounds.lt !== undefined && time >= bounds.lt) return false
  return bounds.lte === undefined || time <= bounds.lte
}
