// Child processes of `npm start`: started in order, awaited on their health, restarted when they die, stopped in order.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { StartError } from '@passerelle/kit/service'
import type { Part } from './start-plan.ts'

export type RunningPart = {
  readonly part: Part
  readonly pid: () => number | undefined
  /** Ends it with SIGTERM, after a while with SIGKILL, and does not restart it. */
  readonly stop: () => Promise<void>
  /** Starts a stopped part again. */
  readonly start: () => Promise<void>
}

export type PartOptions = {
  readonly root: string
  readonly print: (part: string, line: string) => void
  readonly onPid?: () => void
}

const HEALTH_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 15_000
// A part that dies again and again has something a person must mend; restarting it for ever only hides that.
const RESTARTS_MAX_PER_MINUTE = 5
const RESTART_AFTER_MS = 500

/** Starts a part and resolves when it is healthy. */
export async function startPart(part: Part, options: PartOptions): Promise<RunningPart> {
  let child = spawnPart(part, options)
  let wanted = true
  const restarts: number[] = []

  const watch = (watched: ChildProcess): void => {
    watched.once('exit', (code, signal) => void died(code, signal))
  }
  const died = async (code: number | null, signal: string | null): Promise<void> => {
    if (!wanted) return
    const recent = restarts.filter((at) => Date.now() - at < 60_000)
    options.print(part.name, `stopped unexpectedly (${signal ?? `exit code ${code}`})`)
    if (recent.length >= RESTARTS_MAX_PER_MINUTE) {
      options.print(
        part.name,
        `died ${recent.length} times within a minute and is left alone; mend it and run npm start again`,
      )
      return
    }
    restarts.push(Date.now())
    await setTimeout(RESTART_AFTER_MS)
    if (!wanted) return
    options.print(part.name, 'is started again')
    child = spawnPart(part, options)
    options.onPid?.()
    watch(child)
  }
  await untilHealthy(part, child)
  watch(child)
  return {
    part,
    pid: () => child.pid,
    stop: async () => {
      wanted = false
      await stopChild(child)
    },
    start: async () => {
      wanted = true
      child = spawnPart(part, options)
      options.onPid?.()
      await untilHealthy(part, child)
      watch(child)
    },
  }
}

function spawnPart(part: Part, options: PartOptions): ChildProcess {
  const child = spawn(process.execPath, [part.script], {
    cwd: options.root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group: Ctrl-C reaches only this process, which stops the parts in order.
    detached: true,
    env: { ...inherited(), ...part.env, LOG_PRETTY: 'off', PASSERELLE_PARENT_PID: String(process.pid) },
  })
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface({ input: stream }).on('line', (line) => options.print(part.name, line))
  return child
}

/** What a process needs to run at all; a part's own settings come from the plan alone. */
function inherited(): Record<string, string | undefined> {
  const { PATH, HOME, LANG, TMPDIR, NODE_COMPILE_CACHE, SYSTEMROOT, NODE_OPTIONS } = process.env
  return { PATH, HOME, LANG, TMPDIR, NODE_COMPILE_CACHE, SYSTEMROOT, NODE_OPTIONS }
}

async function untilHealthy(part: Part, child: ChildProcess): Promise<void> {
  let dead = false
  child.once('exit', () => {
    dead = true
  })
  for (const end = Date.now() + HEALTH_TIMEOUT_MS; Date.now() < end; await setTimeout(100)) {
    if (dead) throw new StartError(`the ${part.name} did not start; its lines above say why.`)
    const healthy = await fetch(`http://localhost:${part.port}${part.health}`, {
      signal: AbortSignal.timeout(2000),
    }).then(
      (response) => response.ok,
      () => false,
    )
    if (healthy) return
  }
  throw new StartError(`the ${part.name} did not become healthy within ${HEALTH_TIMEOUT_MS / 1000} s.`)
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const late = setTimeout(STOP_TIMEOUT_MS, undefined, { ref: false }).then(() => child.kill('SIGKILL'))
  await Promise.race([gone, late])
  await gone
}

/** Whether a port of `host` can be listened on. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  const probe = createServer()
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false))
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}
