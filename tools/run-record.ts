// Which processes a run of `npm start` made, so that the next one can end what a kill -9 left behind, and nothing else.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

type Mark = { readonly pid: number; readonly startedAt: string }
type RunRecord = { readonly owner: Mark; readonly children: readonly Mark[] }

const END_TIMEOUT_MS = 10_000

/**
 * Takes the data folder for this process. Returns its path: `dataDir`, or the copy beside it when a living run holds
 * it. What a dead run left is ended first.
 */
export async function takeDataDir(dataDir: string, copyName: string): Promise<string> {
  mkdirSync(dataDir, { recursive: true })
  const record = readRecord(dataDir)
  if (record !== null && isSame(record.owner)) {
    const copy = join(dataDir, copyName)
    return takeDataDir(copy, copyName)
  }
  if (record !== null) await endLeftOvers(record)
  writeRecord(dataDir, [])
  return dataDir
}

/** Writes down the processes of this run. */
export function writeRecord(dataDir: string, pids: readonly number[]): void {
  const record: RunRecord = { owner: markOf(process.pid), children: pids.map(markOf) }
  const path = recordPath(dataDir)
  writeFileSync(`${path}.new`, JSON.stringify(record))
  renameSync(`${path}.new`, path)
}

export function dropRecord(dataDir: string): void {
  rmSync(recordPath(dataDir), { force: true })
}

function recordPath(dataDir: string): string {
  return join(dataDir, 'run.json')
}

function readRecord(dataDir: string): RunRecord | null {
  const path = recordPath(dataDir)
  if (!existsSync(path)) return null
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunRecord
  } catch {
    return null
  }
}

async function endLeftOvers(record: RunRecord): Promise<void> {
  const alive = record.children.filter(isSame)
  for (const { pid } of alive) process.kill(pid, 'SIGTERM')
  for (const end = Date.now() + END_TIMEOUT_MS; Date.now() < end; await setTimeout(50))
    if (!alive.some(isSame)) return
  for (const mark of alive) if (isSame(mark)) process.kill(mark.pid, 'SIGKILL')
}

function markOf(pid: number): Mark {
  return { pid, startedAt: startOf(pid) }
}

/** Pids are used again: the same pid with another start time is somebody else's process. */
function isSame(mark: Mark): boolean {
  return mark.startedAt !== '' && startOf(mark.pid) === mark.startedAt
}

// Field 22 of /proc/<pid>/stat counts the clock ticks from boot to the process's start. Where there is no /proc the
// process is told by its being alive alone.
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? '' : (fields[19] ?? '')
  } catch {
    if (process.platform === 'linux') return ''
  }
  try {
    process.kill(pid, 0)
    return 'alive'
  } catch {
    return ''
  }
}
