import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { migrate } from './migrate.ts'

export type TestDatabase = {
  readonly url: string
  /** Removes the database and cuts the connections that are left; once a test of the file failed it is kept instead. */
  readonly drop: () => Promise<void>
}

let hasFailure = false
if (process.env['NODE_TEST_CONTEXT'] !== undefined)
  afterEach((test) => {
    if ('passed' in test && !test.passed) hasFailure = true
  })

/**
 * A database of one's own with every migration of the folder applied, for one test file. It is cloned from a template
 * that is made once per state of the migrations, in the cluster that TEST_DATABASE_URL names.
 */
export async function createTestDatabase(options: {
  readonly migrations: URL | string
  readonly schema: string
}): Promise<TestDatabase> {
  const clusterUrl = process.env['TEST_DATABASE_URL'] ?? ''
  if (clusterUrl === '')
    throw new Error(
      'TEST_DATABASE_URL is not set: there is no PostgreSQL for the tests. Run `npm test -- path/to/file.test.ts`, which starts one.',
    )
  const directory =
    typeof options.migrations === 'string' ? options.migrations : fileURLToPath(options.migrations)
  const template = `template_${options.schema}_${await hashOf(directory)}`
  const name = `test_${options.schema}_${process.pid}_${randomBytes(4).toString('hex')}`
  const fill = (url: string): Promise<unknown> => migrate({ url, schema: options.schema, directory })
  await withClient(clusterUrl, async (client) => {
    // Held until the connection ends: of many test files that begin at once, one makes the template.
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [template])
    await ensureTemplate(client, { template, fill, clusterUrl })
    await client.query(`create database ${name} template ${template}`)
  })
  return { url: urlOf(clusterUrl, name), drop: () => dropUnlessFailed(clusterUrl, name) }
}

async function ensureTemplate(
  client: Client,
  options: { template: string; fill: (url: string) => Promise<unknown>; clusterUrl: string },
): Promise<void> {
  const { template, fill, clusterUrl } = options
  const found = await client.query('select 1 from pg_database where datname = $1', [template])
  if (found.rowCount !== 0) return
  const draft = `${template}_draft`
  await client.query(`drop database if exists ${draft} with (force)`)
  await client.query(`create database ${draft}`)
  await fill(urlOf(clusterUrl, draft))
  await client.query(`alter database ${draft} rename to ${template}`)
}

async function dropUnlessFailed(clusterUrl: string, name: string): Promise<void> {
  if (hasFailure) {
    process.stderr.write(`The database of the failed test is kept: ${name}\n`)
    return
  }
  await withClient(clusterUrl, (client) => client.query(`drop database if exists ${name} with (force)`))
}

async function withClient(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

function urlOf(clusterUrl: string, database: string): string {
  const url = new URL(clusterUrl)
  url.pathname = `/${database}`
  return url.toString()
}

async function hashOf(directory: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(directory)).sort())
    hash
      .update(`${name}\0`)
      .update(await readFile(join(directory, name)))
      .update('\0')
  return hash.digest('hex').slice(0, 16)
}
