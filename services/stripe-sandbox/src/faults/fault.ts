import { invalidRequest } from '../errors.ts'

export const API_FAULTS = [
  'rate_limit',
  'lock_timeout',
  'conflict',
  'error_before',
  'error_after',
  'reset_before',
  'reset_after',
  'truncate',
  'delay',
] as const
export type ApiFault = (typeof API_FAULTS)[number]

export const WEBHOOK_FAULTS = [
  'drop',
  'delay',
  'duplicate',
  'duplicate_new_id',
  'corrupt_signature',
  'skew',
  'shuffle',
  'slow',
  'thin',
] as const
export type WebhookFault = (typeof WEBHOOK_FAULTS)[number]

type Common = {
  /** From 0 to 1; 1 by default. */
  readonly probability: number
  /** How often it may still strike; null for ever. */
  readonly times: number | null
  readonly delayMs: number
}
/** `route` is `METHOD /path` with `*` for anything, e.g. `POST /v1/refunds` or `* /v1/checkout/*`. */
export type ApiRule = Common & { readonly on: 'api'; readonly route: string; readonly fault: ApiFault }
/** `type` is an event type with `*` for anything. `skewSeconds` moves the signature's time. */
export type WebhookRule = Common & {
  readonly on: 'webhook'
  readonly type: string
  readonly fault: WebhookFault
  readonly skewSeconds: number
}
export type Rule = ApiRule | WebhookRule

/** Whether `pattern`, where `*` stands for anything, covers the whole of `text`. */
export function covers(pattern: string, text: string): boolean {
  const parts = pattern.split(/\*+/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(text)
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Fisher–Yates. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const mixed = [...items]
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const moved = mixed[last] as T
    mixed[last] = mixed[other] as T
    mixed[other] = moved
  }
  return mixed
}

/** Reads one rule as a caller wrote it, or says what is wrong with it. */
export function readRule(value: unknown): Rule {
  const given = typeof value === 'object' && value !== null ? value : {}
  // What a form leaves empty was not said.
  const rule: Record<string, unknown> = Object.fromEntries(
    Object.entries(given).filter(([, each]) => each !== ''),
  )
  const common = {
    probability: numberOf(rule, 'probability', 1, { min: 0, max: 1 }),
    times:
      rule['times'] === undefined || rule['times'] === null
        ? null
        : numberOf(rule, 'times', 1, { min: 1, max: 1e9 }),
    delayMs: numberOf(rule, 'delayMs', 200, { min: 0, max: 3_600_000 }),
  }
  if (rule['on'] === 'api') {
    return { ...common, on: 'api', route: patternOf(rule['route']), fault: faultOf(rule, API_FAULTS) }
  }
  if (rule['on'] === 'webhook') {
    const skewSeconds = numberOf(rule, 'skewSeconds', -600, { min: -1e9, max: 1e9 })
    return {
      ...common,
      on: 'webhook',
      type: patternOf(rule['type']),
      fault: faultOf(rule, WEBHOOK_FAULTS),
      skewSeconds,
    }
  }
  throw invalidRequest("A fault rule needs on: 'api' or 'webhook'.", { param: 'on' })
}

function numberOf(
  rule: Record<string, unknown>,
  name: string,
  fallback: number,
  range: { min: number; max: number },
): number {
  const said = rule[name] ?? fallback
  const value = typeof said === 'string' ? Number(said) : said
  if (typeof value === 'number' && value >= range.min && value <= range.max) return value
  throw invalidRequest(`${name} must be a number from ${range.min} to ${range.max}.`, { param: name })
}

function patternOf(value: unknown): string {
  return typeof value === 'string' ? value : '*'
}

function faultOf<const T extends string>(rule: Record<string, unknown>, known: readonly T[]): T {
  const found = known.find((fault) => fault === rule['fault'])
  if (found === undefined)
    throw invalidRequest(`fault must be one of ${known.join(', ')}.`, { param: 'fault' })
  return found
}
