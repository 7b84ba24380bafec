import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { migrate } from '@passerelle/kit/migrate'
import { createTestDatabase } from '@passerelle/kit/test-database'
import { MIGRATIONS, SCHEMA } from '../src/app.ts'
import { call, deliver, eventJson, startGatewayWith, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
let folder: string
before(async () => {
  platform = await startPlatform({ webhooks: false })
  folder = mkdtempSync(join(tmpdir(), 'passerelle-migrations-'))
})
after(async () => {
  rmSync(folder, { recursive: true })
  await platform.stop()
})

/** The migrations with one more, as the next version of the service would bring them. */
function withNext(sql: string): string {
  const directory = mkdtempSync(join(folder, 'next-'))
  cpSync(MIGRATIONS, directory, { recursive: true })
  const number = String(readdirSync(directory).length + 1).padStart(4, '0')
  writeFileSync(join(directory, `${number}_next.sql`), sql)
  return directory
}

describe('migrations', () => {
  it('are run once, by one of ten that start at the same moment on an empty database', async () => {
    const database = await createTestDatabase({ migrations: MIGRATIONS, schema: SCHEMA })
    try {
      const options = { url: database.url, schema: 'ten_at_once', directory: MIGRATIONS }
      const versions = await Promise.all(Array.from({ length: 10 }, () => migrate(options)))
      assert.deepEqual(new Set(versions), new Set([readdirSync(MIGRATIONS).length]))
    } finally {
      await database.drop()
    }
  })

  it('of the next version run while this one works: it answers everything, stays ready, and may not start anew', async () => {
    const statuses = new Set<number>()
    const done = new AbortController()
    const clients = Array.from({ length: 4 }, async () => {
      for (let sent = 0; !done.signal.aborted || sent < 20; sent += 1) {
        const { status } = await deliver(
          platform,
          eventJson('customer.created', { id: 'cus_1', object: 'customer' }),
        )
        statuses.add(status)
      }
    })
    // Prepared before, and asked again after: a statement that gives more columns than it did fails.
    const { id: bookingId } = platform.addBooking()
    const asks = async (): Promise<readonly number[]> => {
      const opened = await call(platform, 'POST', '/sessions', { body: { bookingId } })
      const seen = await call(platform, 'GET', `/payments/${bookingId}/status`)
      const verified = await call(platform, 'GET', `/sessions/${opened.body.data['sessionId']}/verify`)
      return [opened.status, seen.status, verified.status]
    }
    for (let times = 0; times < 20; times += 1) assert.deepEqual(await asks(), [200, 200, 200])
    const directory = withNext(
      `alter table payments add column of_the_next_version text;
       create index on payments (of_the_next_version);
       alter table payment_attempts add column of_the_next_version text;
       alter table stripe_events add column of_the_next_version text;
       alter table deliveries add column of_the_next_version text;`,
    )
    await Promise.all(
      Array.from({ length: 10 }, () => migrate({ url: platform.database.url, schema: SCHEMA, directory })),
    )
    for (let times = 0; times < 20; times += 1) assert.deepEqual(await asks(), [200, 200, 200])
    done.abort()
    await Promise.all(clients)
    assert.deepEqual([...statuses], [200])
    const { rows } = await platform.pool.query("select id from stripe_events where status = 'received'")
    assert.deepEqual(rows, [])
    assert.equal((await fetch(`${platform.gateway.url}/readyz`)).status, 200)
    await assert.rejects(startGatewayWith({ ...platform.env, PORT: '0' }), /is newer/)
  })

  it('only ever add: the version before works on the schema of the one after', () => {
    const BREAKS =
      /\bdrop (?:table|column|view)\b|\brename\b|\balter column \w+ (?:type|set not null)\b|\badd column [^;,]*\bnot null\b(?![^;,]*\bdefault\b)/i
    for (const name of readdirSync(MIGRATIONS)) {
      const sql = readFileSync(join(MIGRATIONS, name), 'utf8').replace(/--.*$/gm, '')
      assert.doesNotMatch(sql, BREAKS, name)
    }
    assert.match('alter table payments add column x text not null', BREAKS)
    assert.doesNotMatch('alter table payments add column x text not null default 0', BREAKS)
  })
})
