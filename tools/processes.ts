// What the system knows about processes. A pid alone names nobody: it is given to another process later, so a process
// is remembered by its pid and its start time.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export type ProcessIdentity = { readonly pid: number; readonly startedAt: string }

const POLL_MS = 20

/** Who has this pid now, or null when nobody has. A dead process whose parent never asked for it (a zombie) is nobody. */
export function identify(pid: number): ProcessIdentity | null {
  const startedAt = process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid)
  return startedAt === null ? null : { pid, startedAt }
}

/** Whether exactly this process still runs, and not a later one with its pid. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt
}

/** Waits until the process is gone, or for `limitMs`; says whether it is gone. */
export async function waitUntilGone(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs
  while (isRunning(identity)) {
    if (performance.now() > deadline) return false
    await sleep(POLL_MS)
  }
  return true
}

/** Ends the process: asks with `signal`, and kills it when it still runs after `limitMs`. */
export async function endProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  limitMs: number,
): Promise<void> {
  if (!isRunning(identity)) return
  sendSignal(identity.pid, signal)
  if (await waitUntilGone(identity, limitMs)) return
  sendSignal(identity.pid, 'SIGKILL')
  await waitUntilGone(identity, limitMs)
}

export type ProcessListed = { readonly pid: number; readonly parent: number; readonly command: string }

/** Every process that this one has started, those they have started, and so on; parents before their children. */
export function processesUnder(pid: number): readonly ProcessListed[] {
  const childrenOf = Map.groupBy(
    process.platform === 'linux' ? listOnLinux() : listByPs(),
    ({ parent }) => parent,
  )
  const found = [...(childrenOf.get(pid) ?? [])]
  for (const one of found) found.push(...(childrenOf.get(one.pid) ?? []))
  return found
}

/** Sends the signal; a process that is gone already is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function listOnLinux(): ProcessListed[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!Number.isSafeInteger(pid)) return []
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      return [{ pid, parent: Number(parent), command }]
    } catch {
      // Gone while it was looked at.
      return []
    }
  })
}

function listByPs(): ProcessListed[] {
  if (process.platform === 'win32') return []
  const found = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' })
  return found.stdout.split('\n').flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }]
  })
}

function startOnLinux(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command name in parentheses may hold spaces; what follows it does not. Field 3 is the state, field 22 the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

function startByPs(pid: number): string | null {
  if (process.platform === 'win32') return isKnown(pid) ? 'unknown' : null
  const found = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
  const line = found.stdout.trim()
  return line === '' || line.startsWith('Z') ? null : line.slice(line.indexOf(' ')).trim()
}

function isKnown(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
