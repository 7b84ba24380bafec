import { LOG_LEVELS, readConfig } from '@passerelle/kit/config'
import type { Environment, EnvReader, LogLevel } from '@passerelle/kit/config'
import { ApiError } from './errors.ts'
import type { SettingsChange } from './settings.ts'
import { readSettings } from './settings.ts'

export type Config = {
  readonly port: number
  readonly host: string
  readonly logLevel: LogLevel
  readonly dataDir: string | undefined
  readonly publicUrl: string | undefined
  readonly webhookUrl: string | undefined
  readonly webhookSecret: string | undefined
  readonly wireLog: string | undefined
  readonly settings: SettingsChange
}

/** The sandbox's environment, or a ConfigError that names every wrong variable. */
export function readSandboxConfig(source?: Environment): Config {
  return readConfig(
    (env) => ({
      port: env.port('PORT', 12_111),
      host: env.string('HOST', '127.0.0.1'),
      logLevel: env.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
      dataDir: env.optional('SANDBOX_DATA_DIR'),
      publicUrl: env.optional('SANDBOX_PUBLIC_URL') && env.url('SANDBOX_PUBLIC_URL', ''),
      webhookUrl: env.optional('SANDBOX_WEBHOOK_URL') && env.url('SANDBOX_WEBHOOK_URL', ''),
      webhookSecret: env.list('SANDBOX_WEBHOOK_SECRET')[0],
      wireLog: env.optional('SANDBOX_WIRE_LOG'),
      settings: settingsOf(env),
    }),
    source,
  )
}

function settingsOf(env: EnvReader): SettingsChange {
  const text = env.optional('SANDBOX_SETTINGS')
  if (text === undefined) return {}
  try {
    return readSettings(JSON.parse(text))
  } catch (error) {
    if (!(error instanceof ApiError) && !(error instanceof SyntaxError)) throw error
    const why = error instanceof ApiError ? error.message : 'it is not JSON.'
    env.problem(`SANDBOX_SETTINGS: ${why}`)
    return {}
  }
}
