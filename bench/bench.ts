// What every row needs: PostgreSQL as in production, the load generator, the recorded life, names for rows.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ensureDatabase, startPostgres } from '../tools/postgres.ts'
import type { Postgres } from '../tools/postgres.ts'
import { freePort } from '../tools/ports.ts'
import { recordLife } from './lives/record-life.ts'
import type { LifeEvent } from './lives/record-life.ts'
import { tagOf } from './lives/ids.ts'
import { startLoad } from './load/client.ts'
import type { Load } from './load/client.ts'

export type Bench = {
  /** Where PostgreSQL keeps its files. */
  readonly directory: string
  readonly postgres: Postgres
  readonly load: Load
  readonly life: readonly LifeEvent[]
  readonly database: (name: string) => Promise<string>
  readonly nextTag: () => string
  readonly nextPort: () => Promise<number>
  readonly stop: () => Promise<void>
}

/** Settings of a small production machine; what is durable stays durable (docs/performance.md). */
export const POSTGRES_SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
} as const

/** With a folder, PostgreSQL stays in it for the next run; without one it is thrown away. */
export async function startBench(folder = ''): Promise<Bench> {
  const directory = folder === '' ? mkdtempSync(join(tmpdir(), 'passerelle-bench-')) : resolve(folder)
  const postgres = await startPostgres({
    directory,
    // What is in a temporary folder goes with us, however we end; what is durable stays so by the settings.
    throwaway: folder === '',
    settings: POSTGRES_SETTINGS,
  })
  const load = await startLoad()
  // Begun at the time of day, so that a run finds no rows of its own name in a folder that was kept.
  let row = (Math.floor(Date.now() / 1000) % 1_000_000) * 1000
  return {
    directory,
    postgres,
    load,
    life: await recordLife(),
    database: (name) => ensureDatabase(postgres, name),
    nextTag: () => {
      row += 1
      return tagOf(row)
    },
    nextPort: () => freePort('127.0.0.1'),
    stop: async () => {
      load.stop()
      // What is thrown away needs no last checkpoint: at once, where the system knows such a signal.
      if (folder === '' && process.platform !== 'win32') process.kill(postgres.pid, 'SIGQUIT')
      await postgres.stop()
      if (folder === '') rmSync(directory, { recursive: true, force: true })
    },
  }
}
