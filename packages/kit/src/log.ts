import { pino, stdTimeFunctions } from 'pino'
import type { DestinationStream, Logger } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { LogLevel } from './config.ts'

export type Log = Logger

// What may never reach a log, wherever in an object it stands one or two levels deep.
const SECRET_KEYS = [
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
  'name',
]
const REDACTED_PATHS = SECRET_KEYS.flatMap((key) => [`*.${key}`, `*.*.${key}`]).concat(
  SECRET_KEYS.filter((key) => key !== 'name'),
)

/** JSON lines with ISO times in UTC; readable lines on a terminal or with LOG_PRETTY=on. Secrets are cut out by key. */
export function createLog(options: { name: string; level: LogLevel; destination?: DestinationStream }): Log {
  const settings = {
    name: options.name,
    level: options.level,
    base: { service: options.name },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
  }
  if (options.destination) return pino(settings, options.destination)
  const pretty =
    process.env['LOG_PRETTY'] === 'on' || (process.stdout.isTTY && process.env['LOG_PRETTY'] !== 'off')
  return pretty
    ? pino(settings, PinoPretty({ ignore: 'pid,hostname,service,name', colorize: process.stdout.isTTY }))
    : pino(settings)
}
