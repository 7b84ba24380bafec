import { DatabaseError, Pool as PgPool, types } from 'pg'
import type { PoolClient } from 'pg'
import type { Log } from './log.ts'
import { roundTrip } from './round-trip.ts'
import type { Answer, Statement } from './round-trip.ts'

export { roundTrip } from './round-trip.ts'
export type { Answer, Statement } from './round-trip.ts'

/** A connection inside a transaction: what is written through it is written together or not at all. */
export type Tx = PoolClient
export type Pool = PgPool
/** Where a read may run: on the pool or inside a transaction. */
export type Queryable = { readonly query: PgPool['query'] }

// bigint as a number: amounts and versions stay far below 2^53, and a text would be concatenated instead of added.
types.setTypeParser(types.builtins.INT8, (text) => {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new RangeError(`bigint ${text} does not fit a JavaScript number`)
  return number
})

export type PoolOptions = {
  readonly url: string
  readonly schema: string
  readonly applicationName: string
  readonly connectionsMax: number
  readonly log: Log
  /** Further settings of every session of this pool. */
  readonly settings?: Readonly<Record<string, string>>
}

/**
 * For a pool whose every statement is named, keyed and bounded: planned once per connection, always along an index,
 * whatever the tables' statistics say at the moment. A table that has grown since it was last analysed, or is all new,
 * else gets sequential scans and hash joins at the worst time.
 */
export const ALONG_INDEXES = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
} as const

const CONNECT_TIMEOUT_MS = 3000
// A statement that runs longer is stuck: everything here is keyed by an index and bounded in rows.
const STATEMENT_TIMEOUT_MS = 10_000

/** A pool whose connections see only `schema`, in UTC. A lost host is noticed by TCP keep-alives, not by waiting. */
export function createPool(options: PoolOptions): Pool {
  const pool = new PgPool({
    connectionString: options.url,
    max: options.connectionsMax,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    options: Object.entries({
      search_path: options.schema,
      timezone: 'UTC',
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
      // Compiling takes longer than any statement here runs.
      jit: 'off',
      ...options.settings,
    })
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  })
  // An error event that nobody listens to ends the process. The pool listens to idle connections only, so each is
  // listened to from its birth: lost inside a transaction, it fails that transaction and nothing else.
  pool.on('connect', (client) => {
    client.on('error', (error) => options.log.warn({ err: error }, 'database.connection_lost'))
  })
  pool.on('error', () => undefined)
  return pool
}

/** Runs `work` in one transaction: commits what it returns from, rolls back what it throws from. */
export function inTransaction<T>(pool: Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  return onConnection(pool, async (tx) => {
    await tx.query('begin')
    const result = await work(tx)
    mustBeCommit((await tx.query('commit')).command)
    return result
  })
}

const BEGIN: Statement = { name: 'begin', text: 'begin', values: [] }
const COMMIT: Statement = { name: 'commit', text: 'commit', values: [] }

/**
 * A transaction of two round trips: everything it reads, then everything it writes together with the commit. `plan` is
 * pure, so that nothing but the database is waited for while the locks that the reads took are held.
 */
export function inTwoRoundTrips<T>(
  pool: Pool,
  reads: readonly Statement[],
  plan: (answers: readonly Answer[]) => { readonly result: T; readonly writes: readonly Statement[] },
): Promise<T> {
  return onConnection(pool, async (tx) => {
    const [, ...answers] = await roundTrip(tx, [BEGIN, ...reads])
    const { result, writes } = plan(answers)
    mustBeCommit((await roundTrip(tx, [...writes, COMMIT])).at(-1)?.command)
    return result
  })
}

async function onConnection<T>(pool: Pool, transaction: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = await pool.connect()
  let broken: Error | undefined
  try {
    return await transaction(tx)
  } catch (error) {
    await tx.query('rollback').catch((cause: Error) => {
      broken = cause
    })
    throw error
  } finally {
    tx.release(broken)
  }
}

/** PostgreSQL answers a commit after a failure that somebody caught with ROLLBACK, and with no error. */
function mustBeCommit(command: string | undefined): void {
  if (command !== 'COMMIT') throw new Error('the transaction was rolled back instead of committed')
}

/** The PostgreSQL error code (`23505`, …) of a failed query, if it came from the server. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined
}

// Connections (08), resources (53: disk full, too many connections), the server starting or stopping (57P0), its disks
// (58), and a standby that was not promoted yet (25006).
const STATES_AWAY = /^(?:08|53|57P0|58|25006)/
// What the driver says when it has lost the server or never had it; those of the system carry a code like ECONNREFUSED.
const NO_CONNECTION = /\bconnect(?:ion)?\b/i

/**
 * Why the database cannot work at the moment, whatever it is asked: it is away, starting, stopping, out of space or
 * read-only. Null for everything else, which is wrong with the question or with us.
 */
export function outageOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const state = sqlState(error)
  if (state !== undefined) return STATES_AWAY.test(state) ? `${error.message} (${state})` : null
  const { code } = error as NodeJS.ErrnoException
  if (code?.startsWith('E') === true && !code.startsWith('ERR_')) return error.message || code
  return NO_CONNECTION.test(error.message) ? error.message : null
}

export const SQL_STATE = {
  uniqueViolation: '23505',
  checkViolation: '23514',
  foreignKeyViolation: '23503',
} as const
