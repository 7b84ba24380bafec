import { destination, pino, stdSerializers, stdTimeFunctions } from 'pino'
import type { DestinationStream, Logger } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { LogLevel } from './config.ts'

export type Log = Logger

// What may never reach a log, wherever in an object it stands.
const SECRET_KEYS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'token',
  'statusToken',
  'clientSecret',
  'client_secret',
  'secret',
  'password',
  'email',
  'customerEmail',
  'customer_email',
])
const CENSORED = '[redacted]'
// What stands deeper is cut off: nothing that we say does, and what hangs on somebody's error may be a person's data.
const DEPTH_MAX = 6

/** JSON lines with ISO times in UTC; readable lines on a terminal or with LOG_PRETTY=on. Secrets are cut out by key. */
export function createLog(options: { name: string; level: LogLevel; destination?: DestinationStream }): Log {
  const settings = {
    name: options.name,
    level: options.level,
    base: { service: options.name },
    timestamp: stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (line: Record<string, unknown>) => withoutSecrets(line, 0) as Record<string, unknown>,
    },
    // Made from the error above already, as every error is whatever its key.
    serializers: { err: (told: unknown) => told },
  }
  if (options.destination) return pino(settings, options.destination)
  const pretty =
    process.env['LOG_PRETTY'] === 'on' || (process.stdout.isTTY && process.env['LOG_PRETTY'] !== 'off')
  return pretty
    ? pino(settings, PinoPretty({ ignore: 'pid,hostname,service,name', colorize: process.stdout.isTTY }))
    : pino(settings, standardOutput())
}

let output: ReturnType<typeof destination> | undefined

// Lines that come fast are written together, a page at a time; one that comes alone waits this long at most.
const WRITTEN_TOGETHER_BYTES = 4096
const WRITTEN_WITHIN_MS = 100

/**
 * Lines are written while the process goes on with its work; a reader that is slow holds nobody up. What is left is
 * written before the process ends, unless it is killed.
 */
function standardOutput(): ReturnType<typeof destination> {
  if (output) return output
  const stream = destination({
    dest: 1,
    sync: false,
    minLength: WRITTEN_TOGETHER_BYTES,
    periodicFlush: WRITTEN_WITHIN_MS,
  })
  process.once('exit', () => {
    try {
      stream.flushSync()
    } catch {
      // Nobody reads any more.
    }
  })
  output = stream
  return stream
}

/**
 * The same value when it holds no secret, else a copy without. By hand because most lines are flat: pino's own redaction
 * by path costs ten times as much for them. A `name` is a person's below the top, where it is the service's.
 */
function withoutSecrets(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEPTH_MAX) return CENSORED
  if (value instanceof Error) return withoutSecrets(stdSerializers.err(value), depth)
  let copy: Record<string, unknown> | null = null
  for (const [key, before] of Object.entries(value)) {
    const isSecret = SECRET_KEYS.has(key) || (key === 'name' && depth > 0)
    const after = isSecret ? CENSORED : withoutSecrets(before, depth + 1)
    if (after === before) continue
    copy ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>
    copy[key] = after
  }
  return copy ?? value
}
