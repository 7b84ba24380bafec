// `npm start` as a person runs it: a process of its own, watched through what it prints.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { ROOT, until } from './stack.ts'

export type StartCommand = {
  readonly lines: readonly string[]
  /** Of the launcher, which npm runs. */
  readonly pid: number
  /** Resolves when everything is ready; fails when the command ends before. */
  readonly ready: () => Promise<void>
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>
  /** Signals the launcher alone. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** What Ctrl-C does: the signal reaches the launcher and `tools/start.ts` alike. */
  readonly ctrlC: () => void
  /** The processes of this command that still run: command lines by pid. */
  readonly processes: () => ReadonlyMap<number, string>
}

/** Starts everything with exactly this environment. */
export function runStart(env: Readonly<Record<string, string>>): StartCommand {
  const lines: string[] = []
  // Every part inherits it, so that none can hide.
  const mark = randomUUID()
  const child = spawn(process.execPath, ['tools/run.mjs', 'tools/start.ts'], {
    cwd: ROOT,
    // Under npm the launcher ends with whoever started it: here this test, killed or not.
    env: { ...env, START_COMMAND: mark, npm_lifecycle_event: 'start' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line))
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  const pid = child.pid ?? 0
  return {
    lines,
    pid,
    ended,
    ready: async () => {
      const isReady = (): boolean => lines.some((line) => line.includes('Passerelle is ready'))
      await until('ready or ended', () => isReady() || child.exitCode !== null)
      if (!isReady()) throw new Error(`it ended:\n${lines.join('\n')}`)
    },
    signal: (signal) => void child.kill(signal),
    ctrlC: () => void process.kill(-pid, 'SIGINT'),
    processes: () => processesWith([mark, ...(env['DATA_DIR'] === undefined ? [] : [env['DATA_DIR']])]),
  }
}

/** Every process that has one of the texts in its command line or its environment. */
function processesWith(texts: readonly string[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const commandLine = readProc(`${pid}/cmdline`)
    const everything = commandLine + readProc(`${pid}/environ`)
    if (commandLine !== '' && texts.some((text) => everything.includes(text)))
      found.set(Number(pid), commandLine.replaceAll('\0', ' ').trim())
  }
  return found
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}
