// Everything that `npm start` starts, by the same code, on free ports and with data that is thrown away.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../tools/ports.ts'
import { checkWireLog } from '../tools/stripe-schema/sent.ts'
import { startStack } from '../tools/stack.ts'
import type { Stack } from '../tools/stack.ts'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

export type TestStack = Stack & {
  /** What the log has said so far. */
  readonly lines: readonly string[]
  /** Calls a control route of the sandbox, `webhooks/pause` for one. */
  readonly sandbox: (path: string) => Promise<void>
}

type Maybe<T> = T | null | undefined | false

const WAIT_MS_MAX = 20_000
const POLL_MS = 50

/** Starts the stack; `stop` also removes its data, and fails when the sandbox sent what Stripe would not. The developer's own settings have no influence. */
export async function startTestStack(env: Readonly<Record<string, string>> = {}): Promise<TestStack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'passerelle-e2e-'))
  const wireLog = join(dataDir, 'wire.jsonl')
  const lines: string[] = []
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true })
  try {
    const stack = await startStack({
      root: ROOT,
      env: { ...(await freshEnvironment(dataDir)), SANDBOX_WIRE_LOG: wireLog, ...env },
      print: (part, line) => lines.push(`${part} ${line}`),
      signal: new AbortController().signal,
    })
    const sandbox = async (path: string): Promise<void> => {
      const answer = await fetch(`${stack.plan.urls.sandbox}/_sandbox/${path}`, { method: 'POST' })
      if (!answer.ok) throw new Error(`the sandbox answered ${answer.status} to ${path}`)
    }
    return {
      ...stack,
      lines,
      sandbox,
      stop: async () => {
        await stack.stop()
        // Everything the sandbox sent meanwhile must be what Stripe's types allow.
        if (existsSync(wireLog)) checkWireLog(wireLog)
        remove()
      },
    }
  } catch (error) {
    remove()
    throw new Error(`the stack did not start:\n${lines.join('\n')}`, { cause: error })
  }
}

/** What a process needs to run, four free ports, and a data folder. */
export async function freshEnvironment(dataDir: string): Promise<Record<string, string>> {
  const { PATH = '', HOME = '', TMPDIR, NODE_COMPILE_CACHE } = process.env
  const ports = new Set<number>()
  while (ports.size < 4) ports.add(await freePort('127.0.0.1'))
  const [sandbox, booking, gateway, frontend] = [...ports].map(String)
  return {
    PATH,
    HOME,
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
    DATA_DIR: dataDir,
    SANDBOX_PORT: sandbox!,
    BOOKING_PORT: booking!,
    GATEWAY_PORT: gateway!,
    FRONTEND_PORT: frontend!,
  }
}

/** Asks again and again until the answer is not null, undefined or false; fails with `what` when it never is. */
export async function until<T>(what: string, ask: () => Maybe<T> | Promise<Maybe<T>>): Promise<T> {
  const deadline = performance.now() + WAIT_MS_MAX
  for (;;) {
    const answer = await ask()
    if (answer !== null && answer !== undefined && answer !== false) return answer
    if (performance.now() > deadline) throw new Error(`did not happen in time: ${what}`)
    await sleep(POLL_MS)
  }
}
