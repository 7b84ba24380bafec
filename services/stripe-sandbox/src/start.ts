import { stdout } from 'node:process'
import { parseArgs } from 'node:util'
import type { Environment } from '@passerelle/kit/config'
import { createLog } from '@passerelle/kit/log'
import { runService, StartError } from '@passerelle/kit/service'
import { addressOf } from './command/command.ts'
import { greetingOf } from './command/greeting.ts'
import { readSandboxConfig } from './config.ts'
import { startSandbox } from './sandbox.ts'
import { wireLog } from './sent.ts'

// Each stands for a variable of the environment, and wins over it.
const OPTIONS = {
  port: 'PORT',
  host: 'HOST',
  data: 'SANDBOX_DATA_DIR',
  'forward-to': 'SANDBOX_WEBHOOK_URL',
  secret: 'SANDBOX_WEBHOOK_SECRET',
} as const

/** Runs the sandbox as a process until it is stopped. */
export async function runSandbox(args: readonly string[], env: Environment): Promise<void> {
  await runService({
    name: 'stripe-sandbox',
    start: async () => {
      const config = readSandboxConfig({ ...env, ...variablesOf(args) })
      const log = createLog({ name: 'stripe-sandbox', level: config.logLevel })
      const sandbox = await startSandbox({
        port: config.port,
        host: config.host,
        log,
        settings: config.settings,
        ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
        ...(config.dataDir === undefined ? {} : { dataDir: config.dataDir }),
        ...(config.webhookUrl === undefined ? {} : { webhookUrl: config.webhookUrl }),
        ...(config.webhookSecret === undefined ? {} : { webhookSecret: config.webhookSecret }),
        ...(config.wireLog === undefined ? {} : { onSent: wireLog(config.wireLog) }),
      })
      const publicUrl = config.publicUrl ?? `http://localhost:${sandbox.port}`
      // Never into a log: the secret is for the person at the terminal.
      if (stdout.isTTY) stdout.write(greetingOf(sandbox, publicUrl, config.webhookUrl))
      return sandbox
    },
  })
}

function variablesOf(args: readonly string[]): Record<string, string> {
  const options = Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, { type: 'string' as const }]))
  try {
    const { values } = parseArgs({ args: [...args], options })
    return Object.fromEntries(
      Object.entries(OPTIONS).flatMap(([name, variable]) => {
        const value = values[name]
        if (typeof value !== 'string') return []
        return [[variable, name === 'forward-to' ? addressOf(value) : value]]
      }),
    )
  } catch (error) {
    const [sentence] = error instanceof Error ? error.message.split('. ') : [String(error)]
    throw new StartError(`${sentence}. See: passerelle-sandbox help start`)
  }
}
