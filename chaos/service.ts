// One service as a process of its own, that can be killed, frozen and stopped, and comes back.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { note } from './history.ts'
import type { History } from './history.ts'

export type Service = {
  readonly name: string
  readonly url: string
  readonly isReady: () => Promise<boolean>
  /** kill -9, and up again after `downMs`; resolves when it answers. Milliseconds from its new start to the answer. */
  readonly kill: (downMs: number) => Promise<number>
  /** Stops it in order, and starts it again. */
  readonly restart: (downMs: number) => Promise<number>
  /** SIGSTOP and, after `forMs` or when the signal says so, SIGCONT: it wakes up and believes nothing has happened. */
  readonly freeze: (forMs: number, signal: AbortSignal) => Promise<void>
  /** Sets its wall clock off by `byMs` and, after `forMs` or when the signal says so, right again. */
  readonly jumpClock: (byMs: number, forMs: number, signal: AbortSignal) => Promise<void>
  readonly stop: () => Promise<void>
}

export type ServiceOptions = {
  readonly name: string
  readonly script: string
  /** What it runs from its second start on, where that is something else. */
  readonly scriptAgain?: string
  readonly port: number
  readonly env: Readonly<Record<string, string>>
  readonly healthPath: string
  readonly logFile: string
  readonly history: History
}

const CLOCK = new URL('clock.ts', import.meta.url).href
const READY_MS_MAX = 60_000
const POLL_MS = 25
const AGAIN_MS = 300
const STOP_MS_MAX = 12_000

export async function startService(options: ServiceOptions): Promise<Service> {
  const url = `http://127.0.0.1:${options.port}`
  const log = openSync(options.logFile, 'a')
  let child: ChildProcess | null = null
  let { script } = options
  let wanted = true
  let wasReady = false
  // Whoever ends a process says so before: any other end is the process's own doing.
  let ending = false

  const spawnChild = (): void => {
    wasReady = false
    ending = false
    const begun = spawn(process.execPath, ['--enable-source-maps', '--import', CLOCK, script], {
      env: {
        ...systemEnvironment(),
        ...options.env,
        PORT: String(options.port),
        PASSERELLE_PARENT_PID: String(process.pid),
      },
      stdio: ['ignore', log, log, 'ipc'],
    })
    child = begun
    script = options.scriptAgain ?? script
    begun.once('exit', (code, signal) => {
      if (ending || !wanted) return
      const line = `${options.name} ended by itself (${signal ?? `exit code ${code}`})`
      note(options.history, line)
      if (wasReady) options.history.unexpectedEnds.push(line)
      // At start it may: its database may be away. A supervisor would start it again.
      setTimeout(() => wanted && child === begun && spawnChild(), AGAIN_MS)
    })
  }
  const isReady = async (): Promise<boolean> => {
    const ready = await answers(`${url}${options.healthPath}`)
    if (ready) wasReady = true
    return ready
  }
  const untilReady = async (): Promise<number> => {
    const startedMs = performance.now()
    while (!(await isReady())) {
      if (performance.now() - startedMs > READY_MS_MAX)
        throw new Error(`${options.name} did not become ready`)
      await sleep(POLL_MS)
    }
    return performance.now() - startedMs
  }
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const dying = child
    ending = true
    if (dying === null || dying.exitCode !== null || dying.signalCode !== null) return
    const gone = new Promise<void>((resolve) => dying.once('exit', () => resolve()))
    // A frozen process hears SIGTERM only once it is thawed; SIGKILL it does not need to hear.
    if (signal === 'SIGTERM') dying.kill('SIGCONT')
    dying.kill(signal)
    const late = setTimeout(() => dying.kill('SIGKILL'), STOP_MS_MAX)
    await gone
    clearTimeout(late)
  }
  const again = async (signal: 'SIGKILL' | 'SIGTERM', downMs: number): Promise<number> => {
    await end(signal)
    await sleep(downMs)
    if (!wanted) return 0
    spawnChild()
    return untilReady()
  }

  spawnChild()
  await untilReady()
  return {
    name: options.name,
    url,
    isReady,
    kill: (downMs) => again('SIGKILL', downMs),
    restart: (downMs) => again('SIGTERM', downMs),
    freeze: async (forMs, signal) => {
      const frozen = child
      frozen?.kill('SIGSTOP')
      await sleep(forMs, undefined, { signal }).catch(() => {})
      frozen?.kill('SIGCONT')
    },
    jumpClock: async (byMs, forMs, signal) => {
      const lost = child
      const shift = (shiftMs: number): void => {
        if (lost?.connected === true) lost.send({ shiftMs }, () => {})
      }
      shift(byMs)
      await sleep(forMs, undefined, { signal }).catch(() => {})
      shift(0)
    },
    stop: async () => {
      wanted = false
      await end('SIGTERM')
    },
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/** What any process needs from this one; nothing that would configure a service. */
function systemEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE } = process.env
  return { PATH, HOME, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) }
}
