import { parseArgs } from 'node:util'
import type { Environment } from '@passerelle/kit/config'
import { createLog } from '@passerelle/kit/log'
import { runService, StartError } from '@passerelle/kit/service'
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
      return startSandbox({
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
        return typeof value === 'string' ? [[variable, value]] : []
      }),
    )
  } catch (error) {
    const [sentence] = error instanceof Error ? error.message.split('. ') : [String(error)]
    throw new StartError(`${sentence}. See: passerelle-sandbox help start`)
  }
}
