import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createPool, inTransaction, inTwoRoundTrips, roundTrip, sqlState } from './database.ts'
import type { Pool, Statement, Tx } from './database.ts'
import { createLog } from './log.ts'
import { bigintArray, boolArray, floatArray, intArray, jsonbArray, textArray } from './sql-array.ts'

let pool: Pool

before(() => {
  const url = process.env['TEST_DATABASE_URL']
  assert.ok(url !== undefined, 'run this file with `npm test -- <path of the file>`, which starts PostgreSQL')
  const log = createLog({ name: 'test', level: 'silent' })
  pool = createPool({ url, schema: 'public', applicationName: 'round trips', connectionsMax: 1, log })
})
beforeEach(() => pool.query('drop table if exists trips; create table trips (n int primary key)'))
after(() => pool.end())

const statement = (name: string, text: string, values: Statement['values'] = []): Statement => ({
  name,
  text,
  values,
})
const insert = (n: number): Statement => statement('insert_trip', 'insert into trips values ($1)', [n])
const COUNT = statement('count_trips', 'select count(*) as trips from trips')

async function onConnection<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let failed = true
  try {
    const result = await work(client)
    failed = false
    return result
  } finally {
    client.release(failed)
  }
}

async function countTrips(): Promise<unknown> {
  const { rows } = await pool.query<{ trips: number }>('select count(*) as trips from trips')
  return rows[0]?.trips
}

describe('a round trip', () => {
  it('answers every statement in order, with the values and types that went in', async () => {
    const at = new Date('2026-02-03T04:05:06.789Z')
    const answers = await onConnection((client) =>
      roundTrip(client, [
        insert(1),
        statement(
          'echo',
          'select $1::text as text, $2::int8 as amount, $3::bool as yes, $4::timestamptz as at, $5::bytea as bytes, $6::text as nothing',
          ['é €\u{1F3D4}', 9_007_199_254_740_991, true, at, Buffer.from([0, 255]), null],
        ),
        insert(2),
        COUNT,
      ]),
    )
    assert.deepEqual(
      answers.map(({ command, rows }) => [command, rows.map((row) => ({ ...row }))]),
      [
        ['INSERT', []],
        [
          'SELECT',
          [
            {
              text: 'é €\u{1F3D4}',
              amount: 9_007_199_254_740_991,
              yes: true,
              at,
              bytes: Buffer.from([0, 255]),
              nothing: null,
            },
          ],
        ],
        ['INSERT', []],
        ['SELECT', [{ trips: 2 }]],
      ],
    )
  })

  it('prepares each statement once on a connection, however often it is sent', async () => {
    await onConnection(async (client) => {
      const prepared = async (): Promise<unknown> => {
        const { rows } = await client.query(
          "select name, prepare_time::text from pg_prepared_statements where name like 'trip %trip%' order by name",
        )
        return rows
      }
      await roundTrip(client, [insert(1), insert(11), COUNT])
      const first = await prepared()
      await roundTrip(client, [insert(2), insert(12), COUNT])
      assert.deepEqual(await prepared(), first)
      assert.equal((first as readonly unknown[]).length, 2)
    })
  })

  it('fails with the first failure, runs nothing behind it, and leaves a connection that works', async () => {
    await onConnection(async (client) => {
      const trip = roundTrip(client, [insert(1), insert(1), statement('nonsense', 'select nonsense'), COUNT])
      await assert.rejects(trip, (error) => sqlState(error) === '23505')
      // Outside a transaction the whole trip is one: the first insert is gone with it.
      const [, counted] = await roundTrip(client, [insert(7), COUNT])
      assert.deepEqual({ ...counted?.rows[0] }, { trips: 1 })
      await assert.rejects(roundTrip(client, [statement('nonsense', 'select nonsense')]), /nonsense/)
      assert.equal((await roundTrip(client, [COUNT])).length, 1)
    })
  })

  it('sends nothing when a value cannot be sent', async () => {
    await onConnection(async (client) => {
      const unsendable = statement('at', 'select $1::timestamptz', [new Date(Number.NaN)])
      await assert.rejects(roundTrip(client, [insert(1), unsendable]), RangeError)
    })
    assert.equal(await countTrips(), 0)
  })

  it('refuses two texts under one name', async () => {
    await onConnection(async (client) => {
      await roundTrip(client, [COUNT])
      await assert.rejects(roundTrip(client, [{ ...COUNT, text: 'select 1' }]), /another text/)
      assert.equal((await roundTrip(client, [COUNT])).length, 1)
    })
  })

  it('fails when its connection is cut, and the pool lives on', async () => {
    const cut = onConnection((client) =>
      roundTrip(client, [insert(1), statement('die', 'select pg_terminate_backend(pg_backend_pid())')]),
    )
    await assert.rejects(cut, /terminat|connection/i)
    assert.equal(await countTrips(), 0)
  })
})

describe('inTwoRoundTrips', () => {
  it('commits what was planned on what was read', async () => {
    const doubled = await inTwoRoundTrips(pool, [insert(1), COUNT], (answers) => ({
      result: Number(answers[1]?.rows[0]?.['trips']) * 2,
      writes: [insert(2)],
    }))
    assert.equal(doubled, 2)
    assert.equal(await countTrips(), 2)
  })

  it('writes nothing when a read, the plan or a write fails', async () => {
    const plan = (writes: readonly Statement[]) => () => ({ result: null, writes })
    const failing: readonly (() => Promise<unknown>)[] = [
      () => inTwoRoundTrips(pool, [insert(1), statement('nonsense', 'select nonsense')], plan([])),
      () => inTwoRoundTrips(pool, [insert(1)], () => assert.fail('the plan')),
      () => inTwoRoundTrips(pool, [insert(1)], plan([insert(2), insert(2)])),
      () => inTransaction(pool, (tx) => roundTrip(tx, [insert(1), insert(1)])),
    ]
    for (const fails of failing) {
      await assert.rejects(fails)
      assert.equal(await countTrips(), 0)
    }
  })
})

describe('a binary array', () => {
  const arrays: readonly [string, Buffer, readonly unknown[]][] = [
    [
      'text[]',
      textArray(['', 'a "b" \\ {c}', null, 'é €\u{1F3D4}']),
      ['', 'a "b" \\ {c}', null, 'é €\u{1F3D4}'],
    ],
    ['int4[]', intArray([-2_147_483_648, 0, null]), [-2_147_483_648, 0, null]],
    ['int8[]', bigintArray([9_007_199_254_740_991, null, -1]), [9_007_199_254_740_991, null, -1]],
    ['float8[]', floatArray([0.1, null, -1e300]), [0.1, null, -1e300]],
    ['bool[]', boolArray([true, null, false]), [true, null, false]],
    ['jsonb[]', jsonbArray(['{"é":["\\"",1]}', null, 'null']), [{ é: ['"', 1] }, null, null]],
    ['text[]', textArray([]), []],
  ]
  for (const [type, array, values] of arrays)
    it(`is read as ${type} of ${values.length}`, async () => {
      const { rows } = await pool.query<{ value: unknown }>(
        `select to_json(value) as value from unnest($1::${type}) with ordinality as n(value, at) order by at`,
        [array],
      )
      assert.deepEqual(
        rows.map(({ value }) => value),
        values,
      )
    })

  it('is refused when a number does not fit', () => {
    assert.throws(() => intArray([2_147_483_648]), RangeError)
    assert.throws(() => intArray([0.5]), RangeError)
    assert.throws(() => bigintArray([2 ** 53]), RangeError)
  })
})
