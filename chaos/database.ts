// The PostgreSQL of a campaign: a real cluster that keeps what it committed, and is killed.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { ensureDatabase, startPostgres } from '../tools/postgres.ts'
import type { Postgres } from '../tools/postgres.ts'
import { mountSmallDisk } from './small-disk.ts'
import type { SmallDisk } from './small-disk.ts'

export type Database = {
  readonly url: string
  /** kill -9 of the postmaster, or a fast shutdown, and up again after `downMs`. Milliseconds until it answered. */
  readonly restart: (how: 'kill' | 'fast', downMs: number) => Promise<number>
  /** Ends a share of the services' sessions in the middle of whatever they do; returns how many. */
  readonly cutSessions: (share: number) => Promise<number>
  /**
   * Fills the disk its files are on, and after `forMs` makes room again; returns when it answers. False: its files are
   * not on a small disk of their own.
   */
  readonly fillDisk: (forMs: number) => Promise<boolean>
  /** The small disk the tables are on; null where they are on the same disk as everything. */
  readonly smallDisk: SmallDisk | null
  readonly query: (text: string) => Promise<readonly Record<string, unknown>[]>
  readonly stop: () => Promise<void>
}

const START_TRIES_MAX = 60
const AGAIN_MS = 250

export async function startDatabase(folder: string): Promise<Database> {
  const directory = join(folder, 'postgres')
  let postgres: Postgres = await startPostgres({ directory })
  const { port } = postgres
  // The write-ahead log stays on the real disk, with the time a commit takes there.
  const smallDisk = mountSmallDisk(folder, join(directory, 'cluster'))
  if (smallDisk !== null) await moveOnto(smallDisk, postgres.urlOf('postgres'))
  const url = await ensureDatabase(postgres, 'chaos')

  const startAgain = async (): Promise<Postgres> => {
    for (let tries = 1; ; tries += 1)
      try {
        return await startPostgres({ directory, port })
      } catch (error) {
        // The sessions of the one that was killed may still hold its memory.
        if (tries === START_TRIES_MAX) throw error
        await sleep(AGAIN_MS)
      }
  }
  const query = async (text: string): Promise<readonly Record<string, unknown>[]> => {
    const client = new Client({ connectionString: url })
    // Cut while it waits: the query fails, and says so.
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end().catch(() => {})
    }
  }
  return {
    url,
    smallDisk,
    query,
    restart: async (how, downMs) => {
      const startedMs = performance.now()
      if (how === 'kill') {
        process.kill(postgres.pid, 'SIGKILL')
        await postgres.ended
      } else await postgres.stop()
      await sleep(downMs)
      postgres = await startAgain()
      return performance.now() - startedMs - downMs
    },
    cutSessions: async (share) => {
      const rows = await query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name <> '' and pid <> pg_backend_pid() and random() < ${share}`,
      )
      return rows.length
    },
    fillDisk: async (forMs) => {
      if (smallDisk?.fill() !== true) return false
      await sleep(forMs)
      smallDisk.makeRoom()
      return true
    },
    stop: async () => {
      await postgres.stop()
      smallDisk?.unmount()
    },
  }
}

/** Has every table of databases that are made from now on be there. */
async function moveOnto({ path }: SmallDisk, url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`create tablespace small location '${path}'`)
    await client.query('alter database template1 set tablespace small')
  } finally {
    await client.end()
  }
}
