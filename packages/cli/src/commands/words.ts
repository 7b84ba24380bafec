import type { Call, Options } from '../command.ts'
import { UsageError } from '../errors.ts'

const LISTED = 20
const LISTED_MAX = 10_000
const AT_ONCE_MAX = 500

/** The words of a command line, refusing more than `most`. */
export function wordsOf({ words }: Call, most: number): readonly string[] {
  if (words.length > most) throw new UsageError(`"${words[most]}" is one word too many.`)
  return words
}

export function countOf(limit: string | undefined, fallback = LISTED, most = LISTED_MAX): number {
  if (limit === undefined) return fallback
  const count = Number(limit)
  if (Number.isInteger(count) && count >= 1 && count <= most) return count
  throw new UsageError(`--limit must be a whole number from 1 to ${most}.`)
}

export function idOf(word: string | undefined, what: string): string {
  if (word === undefined || word === '') throw new UsageError(`Name ${what}.`)
  return encodeURIComponent(word)
}

/** The filter of a replay or redelivery of many; a UsageError without any condition, as the gateway would refuse it too. */
export function manyOf(options: Options): Readonly<Record<string, unknown>> {
  const { status, type, since, until, limit, reason } = options
  if (status === undefined && type === undefined && since === undefined && until === undefined)
    throw new UsageError('Name one by its id, or several by --status, --type, --since or --until.')
  return {
    ...(status === undefined ? {} : { status }),
    ...(type === undefined ? {} : { type }),
    ...(since === undefined ? {} : { since: timeOf('since', since) }),
    ...(until === undefined ? {} : { until: timeOf('until', until) }),
    ...(limit === undefined ? {} : { limit: countOf(limit, AT_ONCE_MAX, AT_ONCE_MAX) }),
    ...(reason === undefined ? {} : { reason }),
    dryRun: options['dry-run'] === true,
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `2026-11-24T10:00Z`, or how long ago: `90s`, `15m`, `2h`, `3d`. */
function timeOf(option: string, text: string): string {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const time = new Date(count === undefined ? text : Date.now() - Number(count) * (UNIT_MS[unit] ?? 0))
  if (Number.isNaN(time.getTime()))
    throw new UsageError(
      `--${option} must be a time like 2026-11-24T10:00Z, or how long ago: 90s, 15m, 2h, 3d.`,
    )
  return time.toISOString()
}

/** Says that a list goes on. */
export function more(nextCursor: string | null, count: number): string {
  return nextCursor === null ? '' : `\n… the newest ${count}; --limit shows more`
}
