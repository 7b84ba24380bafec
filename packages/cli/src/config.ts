import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from './errors.ts'

export type CliConfig = { readonly url: string; readonly token: string }
type Environment = Readonly<Record<string, string | undefined>>

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * Where the gateway is and who asks: the options, then PASSERELLE_URL and PASSERELLE_TOKEN, then what `npm start` keeps
 * in its data folder, so that on a laptop nothing has to be set. Throws a UsageError that says what to set.
 */
export function configOf(
  env: Environment,
  options: { readonly url?: string | undefined; readonly token?: string | undefined },
): CliConfig {
  const url = options.url ?? env['PASSERELLE_URL'] ?? `http://localhost:${env['GATEWAY_PORT'] ?? '3001'}`
  if (!/^https?:\/\/./.test(url) || !URL.canParse(url))
    throw new UsageError(`${url} is no address. Name the gateway as http(s)://host:port.`)
  const token =
    options.token ?? env['PASSERELLE_TOKEN'] ?? firstOf(env['INTERNAL_SERVICE_TOKEN']) ?? startToken(env)
  if (token === undefined)
    throw new UsageError(
      "Nobody says who you are: set PASSERELLE_TOKEN to an operator's JWT or to the service token.",
    )
  return { url: url.replace(/\/+$/, ''), token }
}

function firstOf(list: string | undefined): string | undefined {
  return list?.split(',')[0]?.trim() || undefined
}

/** The token that `npm start` made up; undefined where it never ran. */
function startToken(env: Environment): string | undefined {
  try {
    const path = join(resolve(ROOT, env['DATA_DIR'] ?? '.data'), 'secrets.json')
    const { serviceToken } = JSON.parse(readFileSync(path, 'utf8')) as { serviceToken?: string }
    return serviceToken
  } catch {
    return undefined
  }
}
