// Child processes of `npm start`: started in order, awaited on their health, restarted when they die, stopped in order.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { StartError } from '@passerelle/kit/service'
import { sendSignal } from './processes.ts'
import type { Part } from './start-plan.ts'

export type RunningPart = {
  readonly part: Part
  /** Of the process that runs now, or ran last. */
  readonly pid: () => number
  /** Ends it with SIGTERM, after a while with SIGKILL, and does not restart it. */
  readonly stop: () => Promise<void>
  /** Starts a stopped part again. */
  readonly start: () => Promise<void>
  /** Kills it without a word and resolves when it is healthy again. */
  readonly crash: () => Promise<void>
}

export type PartOptions = {
  readonly root: string
  readonly print: (part: string, line: string) => void
  /** Called with every process that is started for the part. */
  readonly onProcess: (pid: number) => void
  readonly signal: AbortSignal
}

const HEALTH_TIMEOUT_MS = 120_000
const HEALTH_POLL_MS = 50
const HEALTH_ANSWER_MS = 2000
// The services end by themselves within 10 s.
const STOP_TIMEOUT_MS = 12_000
// A part that dies again and again has something a person must mend; restarting it for ever only hides that.
const RESTARTS_MAX = 5
const RESTARTS_WINDOW_MS = 60_000
const RESTART_AFTER_MS = 250

/** Starts a part and resolves when it is healthy; from then on it is restarted when it dies. */
export async function startPart(part: Part, options: PartOptions): Promise<RunningPart> {
  const restarts: number[] = []
  let child: ChildProcess | null = null
  let wanted = true

  const begin = async (): Promise<void> => {
    const begun = spawnPart(part, options)
    child = begun
    try {
      await untilHealthy(part, begun, options.signal)
    } catch (error) {
      await stopChild(begun)
      throw error
    }
    begun.once('exit', (code, signal) => void restart(signal ?? `exit code ${code}`))
  }
  const restart = async (why: string): Promise<void> => {
    if (!wanted) return
    const nowMs = performance.now()
    while (restarts[0] !== undefined && nowMs - restarts[0] > RESTARTS_WINDOW_MS) restarts.shift()
    if (restarts.length === RESTARTS_MAX) {
      const sentence = `has stopped (${why}) ${RESTARTS_MAX + 1} times within a minute and is left alone. Its lines above say why.`
      options.print(part.name, sentence)
      return
    }
    options.print(part.name, `has stopped (${why}) and is started again`)
    restarts.push(nowMs)
    await sleep(RESTART_AFTER_MS * restarts.length)
    if (!wanted) return
    await begin().catch((error: unknown) => restart(error instanceof Error ? error.message : String(error)))
  }

  await begin()
  const pid = (): number => child?.pid ?? 0
  return {
    part,
    pid,
    stop: async () => {
      wanted = false
      if (child !== null) await stopChild(child)
    },
    start: async () => {
      wanted = true
      await begin()
    },
    crash: async () => {
      const before = pid()
      sendSignal(before, 'SIGKILL')
      while (pid() === before) await sleep(HEALTH_POLL_MS)
      await untilHealthy(part, child, options.signal)
    },
  }
}

function spawnPart(part: Part, options: PartOptions): ChildProcess {
  const child = spawn(process.execPath, [part.script], {
    cwd: options.root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A session of its own: Ctrl-C reaches only this process, which stops the parts in order.
    detached: true,
    env: { ...part.env, PASSERELLE_PARENT_PID: String(process.pid) },
  })
  if (child.pid !== undefined) options.onProcess(child.pid)
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => options.print(part.name, line))
  return child
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

async function untilHealthy(part: Part, child: ChildProcess | null, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + HEALTH_TIMEOUT_MS
  while (!(await isHealthy(part))) {
    if (signal.aborted) throw new StartError('stopped while starting.')
    if (child !== null && hasEnded(child))
      throw new StartError(`the ${part.name} did not start. Its lines above say why.`)
    if (performance.now() > deadline)
      throw new StartError(`the ${part.name} was not healthy within ${HEALTH_TIMEOUT_MS / 1000} s.`)
    await sleep(HEALTH_POLL_MS)
  }
}

async function isHealthy(part: Part): Promise<boolean> {
  try {
    const answer = await fetch(part.healthUrl, { signal: AbortSignal.timeout(HEALTH_ANSWER_MS) })
    await answer.body?.cancel()
    return answer.ok
  } catch {
    return false
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await gone
  clearTimeout(late)
}
