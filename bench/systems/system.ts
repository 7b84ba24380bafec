import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'

export const WEBHOOK_SECRET = 'whsec_of_the_benchmark_0123456789abcdef'
export const WEBHOOK_PATH = '/api/v1/payment-gateway/webhooks/stripe'

/** Something that takes webhooks and can be measured. */
export type System = {
  readonly name: string
  readonly ports: readonly number[]
  readonly pids: readonly number[]
  /** Makes what has to be there before the events of a row come. */
  readonly seed: (tag: string, payments: number) => Promise<void>
  /** What is wrong after a row, in sentences; nothing: every payment is right. */
  readonly check: (tag: string, payments: number) => Promise<readonly string[]>
  /** Whether it tells a booking service. */
  readonly tells: boolean
  /** How long it may still be at work on what it has answered; 0: everything is done before the answer. */
  readonly afterAnswerMs: number
  readonly stop: () => Promise<void>
}

const READY_MS_MAX = 30_000

export type Server = { readonly port: number; readonly pid: number; readonly stop: () => Promise<void> }

/** Starts a server as a process of its own and waits until `ready` answers with a 2xx. */
export async function startServer(options: {
  readonly script: string
  readonly port: number
  readonly env: Readonly<Record<string, string>>
  readonly ready: string
  readonly execArgv?: readonly string[]
  readonly cwd?: string
}): Promise<Server> {
  const { port } = options
  const child = spawn(process.execPath, [...(options.execArgv ?? []), options.script], {
    env: { ...process.env, ...options.env, PORT: String(port), PASSERELLE_PARENT_PID: String(process.pid) },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    // Logs are written, as in the field, and thrown away by the system.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  for (const end = Date.now() + READY_MS_MAX; ; await setTimeout(20)) {
    const answer = await fetch(`http://127.0.0.1:${port}${options.ready}`).catch(() => null)
    if (answer?.ok === true) break
    if (child.exitCode !== null || Date.now() > end) throw new Error(`${options.script} did not start`)
  }
  return { port, pid: child.pid ?? 0, stop: () => stopChild(child) }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
