import type { ApiError } from '../errors.ts'
import { invalidParameter, missingParameter } from '../errors.ts'
import { render } from '../resources.ts'
import type { Reads } from '../store/store.ts'
import type { Params } from './params.ts'
import { integer, text } from './params.ts'

// Stripe's search query language: `status:'succeeded' AND metadata['order']:'7'`, `-` for not; AND or OR, never both.

export const SEARCH = { limit: integer({ min: 1, max: 100 }), page: text(), query: text() }

export type SearchTable = 'charges' | 'customers' | 'payment_intents' | 'prices' | 'products'
/** What of a resource can be searched: its fields as they are shown, dotted; metadata by key always. */
export type Searchable = { readonly noun: string; readonly fields: readonly string[] }

type Value = string | number | null
type Clause = {
  readonly isNegated: boolean
  readonly path: readonly string[]
  readonly operator: string
  readonly value: Value
}
type Query = { readonly clauses: readonly Clause[]; readonly isAny: boolean }

const QUOTED = String.raw`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"`
const CLAUSE = new RegExp(
  String.raw`\s*(-?)([a-z_.\d]+)(?:\[(${QUOTED})\])?\s*(:|~|>=|<=|>|<)\s*(${QUOTED}|null|-?\d+(?:\.\d+)?|true|false)\s*`,
  'y',
)
const JOINT = /(AND|OR)\s/iy
const CLAUSES_MAX = 10
const SUBSTRING_CHARACTERS_MIN = 3

/** A page of what the query finds, newest first; what is younger than `searchLagMs` is not found yet. */
export function searchPage(
  reads: Reads,
  table: SearchTable,
  how: { url: string; params: Params<typeof SEARCH>; searchable: Searchable },
): object {
  const { query: asked, limit, page } = how.params
  if (!asked) throw missingParameter('query')
  if (page && !reads.get(table, page)) throw invalid('Invalid page token.', 'page')
  const query = parseQuery(asked, how.searchable)
  const found: object[] = []
  let last: string | null = null
  for (const row of reads.table(table).newestFirst(page ?? undefined)) {
    if (!isThere(reads, row)) continue
    const shown = render(reads, table, row)
    if (!isFound(shown, query)) continue
    if (found.length === (limit ?? 10)) return pageOf(how.url, found, last)
    found.push(shown)
    last = row.id
  }
  return pageOf(how.url, found, null)
}

function pageOf(url: string, data: readonly object[], next: string | null): object {
  return { object: 'search_result', data, has_more: next !== null, next_page: next, url }
}

function isThere(reads: Reads, row: { readonly created: number; readonly deleted?: boolean }): boolean {
  const newest = reads.nowSeconds() - reads.settings.searchLagMs / 1000
  return row.deleted !== true && row.created <= newest
}

function parseQuery(asked: string, searchable: Searchable): Query {
  const clauses: Clause[] = []
  const joints = new Set<string>()
  for (let at = 0; ;) {
    CLAUSE.lastIndex = at
    const match = CLAUSE.exec(asked)
    if (!match) throw invalid(`We were unable to parse your search query at: ${asked.slice(at, at + 40)}`)
    clauses.push(clauseOf(match, searchable))
    at = CLAUSE.lastIndex
    if (at === asked.length) break
    JOINT.lastIndex = at
    const joint = JOINT.exec(asked)?.[1]
    if (!joint) throw invalid(`We were unable to parse your search query at: ${asked.slice(at, at + 40)}`)
    joints.add(joint.toUpperCase())
    at = JOINT.lastIndex
  }
  if (joints.size > 1) throw invalid('A search query holds AND or OR, never both.')
  if (clauses.length > CLAUSES_MAX) throw invalid(`A search query has at most ${CLAUSES_MAX} clauses.`)
  return { clauses, isAny: joints.has('OR') }
}

function clauseOf(match: RegExpExecArray, { noun, fields }: Searchable): Clause {
  const [, minus, field = '', key, operator = ':', written = ''] = match
  const isMetadata = field === 'metadata' && key !== undefined
  if (!isMetadata && (key !== undefined || !fields.includes(field)))
    throw invalid(
      `Field \`${field}\` is an unsupported search field for resource \`${noun}\`. Supported: ${[...fields, "metadata['key']"].join(', ')}.`,
    )
  const value = valueOf(written)
  if (operator === '~' && (typeof value !== 'string' || value.length < SUBSTRING_CHARACTERS_MIN))
    throw invalid(`The operator ~ takes a text of at least ${SUBSTRING_CHARACTERS_MIN} characters.`)
  if (/[<>]/.test(operator) && typeof numberOf(value) !== 'number')
    throw invalid(`The operator ${operator} takes a number.`)
  const path = isMetadata ? ['metadata', unquoted(key)] : field.split('.')
  return { isNegated: minus === '-', path, operator, value }
}

function isFound(shown: object, { clauses, isAny }: Query): boolean {
  const holds = (clause: Clause): boolean => fits(at(shown, clause.path), clause) !== clause.isNegated
  return isAny ? clauses.some(holds) : clauses.every(holds)
}

function fits(actual: unknown, { operator, value }: Clause): boolean {
  if (value === null) return actual === null || actual === undefined
  if (typeof actual !== 'string' && typeof actual !== 'number' && typeof actual !== 'boolean') return false
  const [number, bound] = [Number(actual), numberOf(value)]
  switch (operator) {
    case '~':
      return String(actual).toLowerCase().includes(String(value).toLowerCase())
    case '>':
      return number > (bound ?? Number.NaN)
    case '>=':
      return number >= (bound ?? Number.NaN)
    case '<':
      return number < (bound ?? Number.NaN)
    case '<=':
      return number <= (bound ?? Number.NaN)
    default:
      return String(actual).toLowerCase() === String(value).toLowerCase()
  }
}

function at(shown: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : undefined,
    shown,
  )
}

function valueOf(written: string): Value {
  if (written === 'null') return null
  if (/^['"]/.test(written)) return unquoted(written)
  return written === 'true' || written === 'false' ? written : Number(written)
}

function numberOf(value: Value): number | undefined {
  const number = value === null || value === '' ? Number.NaN : Number(value)
  return Number.isNaN(number) ? undefined : number
}

function unquoted(quoted: string): string {
  return quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1')
}

function invalid(message: string, param = 'query'): ApiError {
  return invalidParameter(message, { param })
}
