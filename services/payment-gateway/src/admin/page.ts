import { ApiError } from '@passerelle/kit/errors'

/** Where a page of a list that is sorted newest first ends: the time as PostgreSQL writes it, to the microsecond, and the id. */
export type Cursor = { readonly at: string; readonly id: string }

export const PAGE_DEFAULT = 50

export type PageQuery = { readonly limit?: string | undefined; readonly cursor?: string | undefined }
export type PageWish = { readonly limit: number; readonly after: Cursor | null }

/** What a list's query asks for; VALIDATION_ERROR for a cursor that is not one of this list's. */
export function pageWish(query: PageQuery, ids: RegExp = TEXT_ID): PageWish {
  return {
    limit: query.limit === undefined ? PAGE_DEFAULT : Number(query.limit),
    after: query.cursor === undefined ? null : readCursor(query.cursor, ids),
  }
}

const TEXT_ID = /^[^\0]{1,255}$/
export const NUMBER_ID = /^[1-9]\d{0,14}$/

/** The values of a list's statement: its filter ($1 to $3), the row it goes on after ($4, $5), and one row too many ($6). */
export function listValues(
  filter: {
    readonly status?: string | undefined
    readonly type?: string | undefined
    readonly bookingId?: string | undefined
  },
  { after, limit }: PageWish,
): (string | number | null)[] {
  return [
    filter.status ?? null,
    filter.type ?? null,
    filter.bookingId ?? null,
    after?.at ?? null,
    after?.id ?? null,
    limit + 1,
  ]
}

/**
 * One page out of up to `limit + 1` rows: the row too many only tells that there is another page, and the cursor names
 * the last row shown.
 */
export function pageOf<Row extends { readonly cursor: Cursor }, View>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => View,
): { success: true; data: View[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    success: true,
    data: shown.map(view),
    nextCursor: rows.length > limit && last !== undefined ? writeCursor(last.cursor) : null,
  }
}

function writeCursor({ at, id }: Cursor): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url')
}

const TIME_OF_POSTGRES = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,6})?\+00$/

function isTime(text: string): boolean {
  const [, day, time] = TIME_OF_POSTGRES.exec(text) ?? []
  const parsed = new Date(`${day}T${time}Z`)
  // Compared with what was meant: a 30th of February is read as a day of March.
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(`${day}T${time}`)
}

function readCursor(text: string, ids: RegExp): Cursor {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (Array.isArray(value)) {
      const [at, id]: unknown[] = value
      if (typeof at === 'string' && isTime(at) && typeof id === 'string' && ids.test(id)) return { at, id }
    }
  } catch {
    // Falls through to the one answer for every cursor that cannot be read.
  }
  throw new ApiError(
    'VALIDATION_ERROR',
    'querystring.cursor is no cursor of this list. Leave it out to begin at the newest.',
  )
}
