// The data folder of one running copy: held by a lock that the system drops when the holder dies, with a record of the
// processes of the run, so that the next one can end what a kill -9 left behind, and nothing else.
import { accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { StartError } from '@passerelle/kit/service'
import { endProcess, identify, isRunning } from './processes.ts'
import type { ProcessIdentity } from './processes.ts'

export type DataFolder = {
  readonly path: string
  /** Writes a process of this run down. */
  readonly addProcess: (pid: number) => void
  /** Tells a next start that this run is about to let go. */
  readonly announceStop: () => void
  readonly release: () => void
}
type RunRecord = {
  readonly stopping: boolean
  /** Whose death ends the run: npm and what it started. */
  readonly launchers: readonly ProcessIdentity[]
  readonly children: readonly ProcessIdentity[]
}

const SQLITE_BUSY = 5
const LETTING_GO_MS_MAX = 20_000
const LETTING_GO_POLL_MS = 50
const LEFT_OVER_END_MS = 10_000

/**
 * Takes the folder for this process, or returns null when a living run holds it. A run that is just ending is waited
 * for; processes that a dead run left are ended.
 */
export async function takeDataFolder(
  path: string,
  options: { readonly launchers: readonly number[]; readonly onWait: () => void },
): Promise<DataFolder | null> {
  ensureWritable(path)
  let lock = tryLock(path)
  if (lock === null && isEnding(readRecord(path))) {
    options.onWait()
    lock = await lockOnceFree(path)
  }
  if (lock === null) return null
  for (const leftOver of readRecord(path)?.children ?? [])
    await endProcess(leftOver, 'SIGTERM', LEFT_OVER_END_MS)

  let record: RunRecord = { stopping: false, launchers: identifyAll(options.launchers), children: [] }
  const change = (changes: Partial<RunRecord>): void => {
    record = { ...record, ...changes }
    writeWhole(recordOf(path), JSON.stringify(record))
  }
  change({})
  const held = lock
  return {
    path,
    addProcess: (pid) => change({ children: [...record.children.filter(isRunning), ...identifyAll([pid])] }),
    announceStop: () => change({ stopping: true }),
    release: () => held.close(),
  }
}

/** Writes a file so that a reader, or a crash, never meets half of it. */
export function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.draft`, text, { mode: 0o600 })
  renameSync(`${path}.draft`, path)
}

function ensureWritable(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
    accessSync(path, constants.W_OK | constants.X_OK)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new StartError(
      `the data folder ${path} cannot be written (${code}). Give this user write access to it, or set DATA_DIR to another folder.`,
    )
  }
}

/** Node has no flock; the lock of an SQLite file is one that no kill -9 can leave behind. */
function tryLock(path: string): DatabaseSync | null {
  const file = join(path, 'run.lock')
  let lock: DatabaseSync | null = null
  try {
    lock = new DatabaseSync(file)
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock?.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null
    throw new StartError(
      `${file} cannot be locked (${error instanceof Error ? error.message : String(error)}). Set DATA_DIR to a folder on a local disk that this user can write.`,
    )
  }
}

async function lockOnceFree(path: string): Promise<DatabaseSync | null> {
  const deadline = performance.now() + LETTING_GO_MS_MAX
  while (performance.now() < deadline) {
    const lock = tryLock(path)
    if (lock !== null) return lock
    await sleep(LETTING_GO_POLL_MS)
  }
  return null
}

function isEnding(record: RunRecord | null): boolean {
  return record !== null && (record.stopping || !record.launchers.every(isRunning))
}

function recordOf(path: string): string {
  return join(path, 'run.json')
}

function readRecord(path: string): RunRecord | null {
  try {
    return JSON.parse(readFileSync(recordOf(path), 'utf8')) as RunRecord
  } catch {
    return null
  }
}

function identifyAll(pids: readonly number[]): readonly ProcessIdentity[] {
  return pids.map(identify).filter((identity) => identity !== null)
}
