import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { StartError } from './service.ts'

export type MigrateOptions = { readonly url: string; readonly schema: string; readonly directory: string }
type Migration = {
  readonly version: number
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

// A migration that cannot get its lock gives up instead of queueing every query of the running version behind it.
const LOCK_TIMEOUT_MS = 5000

/**
 * Brings `schema` up to the newest file of `directory` (`0001_what.sql`, forward only, each in its own transaction)
 * and returns its version. Safe when many processes start at once: one migrates, the others wait and find it done.
 * Throws a StartError when the schema is newer than the code or an applied file was changed.
 */
export async function migrate(options: MigrateOptions): Promise<number> {
  const migrations = await readMigrations(options.directory)
  const client = new Client({ connectionString: options.url, connectionTimeoutMillis: LOCK_TIMEOUT_MS })
  // A connection that is lost fails the statement under way; an event that nobody listens to would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`migrate ${options.schema}`])
    await client.query(`create schema if not exists ${options.schema}`)
    await client.query(`set search_path to ${options.schema}`)
    await client.query(`set lock_timeout to ${LOCK_TIMEOUT_MS}`)
    await client.query(
      'create table if not exists schema_migrations (version int primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())',
    )
    const applied = await client.query<{ version: number; name: string; checksum: string }>(
      'select version, name, checksum from schema_migrations order by version',
    )
    checkApplied(options.schema, migrations, applied.rows)
    for (const migration of migrations.slice(applied.rows.length)) await apply(client, migration)
    return migrations.length
  } finally {
    await client.end()
  }
}

/** The newest version the code knows. */
export async function codeVersion(directory: string): Promise<number> {
  return (await readMigrations(directory)).length
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name, index) => {
      const version = Number(name.slice(0, 4))
      if (version !== index + 1) throw new Error(`migration ${name} should be number ${index + 1}`)
      const sql = await readFile(join(directory, name), 'utf8')
      return { version, name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

function checkApplied(
  schema: string,
  known: readonly Migration[],
  applied: readonly { version: number; name: string; checksum: string }[],
): void {
  for (const [index, row] of applied.entries()) {
    const migration = known[index]
    if (!migration)
      throw new StartError(
        `the schema ${schema} is newer (version ${row.version}) than this code (version ${known.length}). Run the newer version of the service.`,
      )
    if (migration.checksum !== row.checksum)
      throw new StartError(
        `the migration ${row.name} was changed after it was applied to the schema ${schema}. Restore the file and add a new one.`,
      )
  }
}

async function apply(client: Client, migration: Migration): Promise<void> {
  try {
    await client.query('begin')
    await client.query('insert into schema_migrations (version, name, checksum) values ($1, $2, $3)', [
      migration.version,
      migration.name,
      migration.checksum,
    ])
    await client.query(migration.sql)
    await client.query('commit')
  } catch (error) {
    // Without a connection the server has rolled back by itself.
    await client.query('rollback').catch(() => undefined)
    throw new StartError(
      `the migration ${migration.name} failed and changed nothing: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
