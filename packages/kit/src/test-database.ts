// For tests: a database of its own for every test file, cloned from a template that is migrated once per run.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { migrate } from './migrate.ts'

export type TestDatabase = {
  readonly url: string
  /** Drops it; a file that fails before keeps its database until the cluster goes. */
  readonly drop: () => Promise<void>
}

/** A fresh database with `schema` migrated, in the cluster that `npm test` started (TEST_DATABASE_URL). */
export async function createTestDatabase(options: {
  migrations: URL | string
  schema: string
}): Promise<TestDatabase> {
  const cluster = process.env['TEST_DATABASE_URL']
  if (cluster === undefined)
    throw new Error('no test cluster: run this file with `npm test -- <path of the file>`, which starts one')
  const directory = options.migrations instanceof URL ? fileURLToPath(options.migrations) : options.migrations
  const template = `template_${options.schema}_${await hashOf(directory)}`
  const name = `test_${options.schema}_${process.pid}_${Math.random().toString(36).slice(2, 10)}`
  await withClient(cluster, async (client) => {
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [template])
    const { rowCount } = await client.query('select from pg_database where datname = $1', [template])
    if (rowCount === 0) {
      // Made under another name first: a template that a killed run left half migrated is never cloned.
      const draft = `${template}_draft`
      await client.query(`drop database if exists ${draft}`)
      await client.query(`create database ${draft}`)
      await migrate({ url: databaseUrl(cluster, draft), schema: options.schema, directory })
      await client.query(`alter database ${draft} rename to ${template}`)
    }
    await client.query(`create database ${name} template ${template}`)
  })
  return {
    url: databaseUrl(cluster, name),
    drop: () =>
      withClient(cluster, async (client) => void (await client.query(`drop database ${name} with (force)`))),
  }
}

async function hashOf(directory: string): Promise<string> {
  const hash = createHash('sha256')
  for (const file of (await readdir(directory)).sort()) hash.update(await readFile(join(directory, file)))
  return hash.digest('hex').slice(0, 12)
}

function databaseUrl(cluster: string, name: string): string {
  const url = new URL(cluster)
  url.pathname = `/${name}`
  return url.href
}

async function withClient(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
