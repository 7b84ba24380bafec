import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { migrate } from './migrate.ts'
import { StartError } from './service.ts'
import { createTestDatabase } from './test-database.ts'
import type { TestDatabase } from './test-database.ts'

describe('migrate', () => {
  let directory = ''
  let database: TestDatabase
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'migrations-'))
    await writeFile(join(directory, '0001_first.sql'), 'create table first (id int);')
    database = await createTestDatabase({ migrations: directory, schema: 'migrate_test' })
  })
  after(async () => {
    await database.drop()
    await rm(directory, { recursive: true })
  })

  it('says which migration failed when the connection is lost under it, and ends nothing but the start', async () => {
    const file = join(directory, '0002_second.sql')
    await writeFile(file, 'create table second (id int); select pg_terminate_backend(pg_backend_pid());')
    const options = { url: database.url, schema: 'migrate_test', directory }
    await assert.rejects(
      migrate(options),
      (error) => error instanceof StartError && /0002_second\.sql failed/.test(error.message),
    )
    await writeFile(file, 'create table second (id int);')
    assert.equal(await migrate(options), 2)
  })
})
