import { DatabaseError, Pool as PgPool, types } from 'pg'
import type { PoolClient } from 'pg'
import type { Log } from './log.ts'

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
}

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
    options: `-c search_path=${options.schema} -c timezone=UTC -c statement_timeout=${STATEMENT_TIMEOUT_MS} -c idle_in_transaction_session_timeout=${STATEMENT_TIMEOUT_MS}`,
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
export async function inTransaction<T>(pool: Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = await pool.connect()
  let broken: Error | undefined
  try {
    await tx.query('begin')
    const result = await work(tx)
    await tx.query('commit')
    return result
  } catch (error) {
    await tx.query('rollback').catch((cause: Error) => {
      broken = cause
    })
    throw error
  } finally {
    tx.release(broken)
  }
}

/** The PostgreSQL error code (`23505`, …) of a failed query, if it came from the server. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined
}

export const SQL_STATE = {
  uniqueViolation: '23505',
  checkViolation: '23514',
  foreignKeyViolation: '23503',
} as const
