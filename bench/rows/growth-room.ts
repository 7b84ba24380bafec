// Whether the disk has room for the payments that the growth rows seed: asked before the first of them is written.
import { statfsSync } from 'node:fs'
import { Client } from 'pg'
import type { Bench } from '../bench.ts'
import { show } from '../report.ts'

export type Room = {
  readonly directory: string
  /** Payments that are not there yet. */
  readonly payments: number
  readonly neededBytes: number
  readonly freeBytes: number
}

// With the indexes, payloads as redaction leaves them (docs/performance.md, Growth).
const BYTES_PER_PAYMENT = 10_000
// max_wal_size, and what is written before a checkpoint has ended.
const WAL_BYTES_MAX = 5e9
const SEEDED_PER_SECOND = 1500

export const grownDatabase = (payments: number): string => `gateway_grown_${payments}`
export const draftOfGrown = (payments: number): string => `${grownDatabase(payments)}_draft`

/** What seeding the sizes that are not there yet needs and finds; what an earlier run began counts. */
export async function growthRoom(bench: Bench, sizes: readonly number[]): Promise<Room> {
  const client = new Client({ connectionString: bench.postgres.urlOf('postgres') })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string; bytes: string }>(
      "select datname as name, pg_database_size(oid) as bytes from pg_database where datname like 'gateway_grown_%'",
    )
    const bytesOf = new Map(rows.map(({ name, bytes }) => [name, Number(bytes)]))
    const missing = sizes
      .filter((payments) => !bytesOf.has(grownDatabase(payments)))
      .map((payments) => ({ payments, bytes: bytesOf.get(draftOfGrown(payments)) ?? 0 }))
    const { bavail, bsize } = statfsSync(bench.directory)
    return {
      directory: bench.directory,
      payments: missing.reduce((sum, { payments, bytes }) => sum + payments - bytes / BYTES_PER_PAYMENT, 0),
      neededBytes: neededBytes(missing),
      freeBytes: bavail * bsize,
    }
  } finally {
    await client.end()
  }
}

/** Bytes for payments of which `bytes` are there already, and for the log that is written meanwhile. */
export function neededBytes(
  missing: readonly { readonly payments: number; readonly bytes: number }[],
): number {
  const rows = missing.reduce(
    (sum, { payments, bytes }) => sum + Math.max(payments * BYTES_PER_PAYMENT - bytes, 0),
    0,
  )
  return rows + Math.min(rows, WAL_BYTES_MAX)
}

/** What seeding will take, or why it cannot be done and what to do about it. */
export function seedingSentence(room: Room): { readonly isEnough: boolean; readonly sentence: string } {
  const { directory, payments, freeBytes } = room
  const needed = show(room.neededBytes / 1e9, ' GB')
  const free = show(freeBytes / 1e9, ' GB')
  if (room.neededBytes <= freeBytes) {
    const minutes = Math.ceil(payments / SEEDED_PER_SECOND / 60)
    return {
      isEnough: true,
      sentence: `growth seeds ${show(payments)} payments: about ${minutes} min, ${needed} in ${directory} (${free} free)`,
    }
  }
  return {
    isEnough: false,
    sentence: `growth needs ${needed} in ${directory}, and ${free} are free: it is left out. Make room, name a folder on another disk with --data, or seed fewer payments: --growth 100000,1000000`,
  }
}
