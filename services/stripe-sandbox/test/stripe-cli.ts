import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Stripe's own command line as npm brings it for this platform, or null. */
export function findStripeCli(): string | null {
  const require = createRequire(import.meta.url)
  try {
    const folder = dirname(require.resolve(`@stripe/cli-${process.platform}-${process.arch}/package.json`))
    return join(folder, 'bin', process.platform === 'win32' ? 'stripe.exe' : 'stripe')
  } catch {
    return null
  }
}

const BINARY = findStripeCli()

/** Why the tests with it cannot run here, or false. */
export const NO_CLI: string | false =
  BINARY === null
    ? `npm has no @stripe/cli-${process.platform}-${process.arch}: the tests with Stripe's command line did not run`
    : false

export type Ran = { readonly code: number | null; readonly output: string }
export type Running = {
  /** Resolves with the match once it was printed. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  output(): string
  stop(): Promise<void>
}

const PATIENCE_MS = 20_000

/** Starts the command against that sandbox, in a home of its own that knows no account. */
export function startStripe(
  args: readonly string[],
  sandbox: { url: string },
): Running & { ended: Promise<Ran> } {
  const home = mkdtempSync(join(tmpdir(), 'passerelle-stripe-cli-'))
  const where = ['--api-base', sandbox.url, '--api-key', 'sk_test_51PasserelleSandboxKey', '--color', 'off']
  const child = spawn(BINARY ?? 'stripe', [...args, ...where], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: home, XDG_CONFIG_HOME: home, STRIPE_CLI_TELEMETRY_OPTOUT: '1' },
  })
  let output = ''
  const watchers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const watch of watchers) watch()
    })
  }
  const ended = once(child, 'close').then(([code]) => {
    rmSync(home, { recursive: true, force: true })
    return { code: code as number | null, output }
  })
  return {
    ended,
    output: () => output,
    until: async (pattern) => {
      const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
      const watch = (): void => {
        const found = pattern.exec(output)
        if (found) resolve(found)
      }
      const limit = setTimeout(
        () => reject(new Error(`${pattern} was not printed, only:\n${output}`)),
        PATIENCE_MS,
      )
      watchers.add(watch)
      watch()
      return promise.finally(() => {
        clearTimeout(limit)
        watchers.delete(watch)
      })
    },
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

export async function runStripe(args: readonly string[], sandbox: { url: string }): Promise<Ran> {
  return startStripe(args, sandbox).ended
}
