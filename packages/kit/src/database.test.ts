import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DatabaseError } from 'pg'
import { createPool, inTransaction, outageOf } from './database.ts'
import type { Pool } from './database.ts'
import { createLog } from './log.ts'

const WAIT_MS_MAX = 10_000

let pool: Pool
let operator: Pool

function poolOf(applicationName: string): Pool {
  const url = process.env['TEST_DATABASE_URL']
  assert.ok(url !== undefined, 'run this file with `npm test -- <path of the file>`, which starts PostgreSQL')
  const log = createLog({ name: 'test', level: 'silent' })
  return createPool({ url, schema: 'public', applicationName, connectionsMax: 1, log })
}

before(() => {
  pool = poolOf('victim')
  operator = poolOf('operator')
})
after(() => Promise.all([pool.end(), operator.end()]))

/** As an administrator, a failover or a restart of PostgreSQL would: returns when the connection is gone. */
async function cutConnection(pid: number): Promise<void> {
  await operator.query('select pg_terminate_backend($1)', [pid])
  const deadline = AbortSignal.timeout(WAIT_MS_MAX)
  for (;;) {
    const { rowCount } = await operator.query('select 1 from pg_stat_activity where pid = $1', [pid])
    if (rowCount === 0) return
    assert.ok(!deadline.aborted, 'the connection is still there')
  }
}

describe('inTransaction', () => {
  // Without this a restart of PostgreSQL would end every process that is in a transaction at that moment.
  for (const query of ['select 1', 'select pg_sleep(60)'])
    it(`fails when its connection is cut (${query}), and the process and the pool live on`, async () => {
      const cut = inTransaction(pool, async (tx) => {
        const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
        const running = tx.query(query)
        await Promise.all([running, cutConnection(rows[0]?.pid ?? 0)])
        await tx.query('select 1')
      })
      await assert.rejects(cut, /terminat|connection/i)
      const { rows } = await pool.query('select 1 as alive')
      assert.deepEqual(rows, [{ alive: 1 }])
    })
})

describe('outageOf', () => {
  const ofServer = (code: string): Error => {
    const error = new DatabaseError('it is said', 10, 'error')
    error.code = code
    return error
  }

  it('names the cause while the database is away, starting, stopping, full or read-only', () => {
    for (const state of ['57P01', '57P03', '53100', '53300', '58030', '08006', '25006'])
      assert.equal(outageOf(ofServer(state)), `it is said (${state})`)
    assert.equal(outageOf(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })), 'connect')
    assert.equal(outageOf(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })), 'ECONNREFUSED')
    assert.notEqual(outageOf(new Error('Connection terminated unexpectedly')), null)
  })

  it('is null for what is wrong with the question, or with us', () => {
    for (const state of ['23505', '42P01', '40001', '57014', '22021'])
      assert.equal(outageOf(ofServer(state)), null)
    assert.equal(outageOf(new Error('invariant broken: every event of the batch has an outcome')), null)
    assert.equal(outageOf(new TypeError('cannot read properties of undefined')), null)
    assert.equal(outageOf(Object.assign(new Error('wrong'), { code: 'ERR_INVALID_ARG_TYPE' })), null)
  })
})
