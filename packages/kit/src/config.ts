import { isIP } from 'node:net'
import { secretWeakness } from './secret.ts'

/** Every problem of a configuration at once, each as a sentence that names its variable and never shows a secret's value. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

export type Environment = Readonly<Record<string, string | undefined>>

export type SecretStrength = { readonly charactersMin: number; readonly allowWeak: boolean }

// RFC 7518: an HS256 key of less than 256 bits can be searched for offline, with one token in hand.
const HS256_CHARACTERS_MIN = 32
// With test keys nothing is at stake: what is a placeholder is still refused, because the next stage copies it.
const TEST_CHARACTERS_MIN = 7

/**
 * Reads variables one by one and collects what is wrong with them. An empty variable counts as unset. The values
 * returned after a problem are placeholders: `readConfig` throws before anyone sees them.
 */
export class EnvReader {
  readonly #env: Environment
  readonly #problems: string[] = []

  constructor(env: Environment) {
    this.#env = env
  }

  problem(sentence: string): void {
    this.#problems.push(sentence)
  }

  get problems(): readonly string[] {
    return this.#problems
  }

  optional(name: string): string | undefined {
    const value = this.#env[name]?.trim()
    return value === undefined || value === '' ? undefined : value
  }

  string(name: string, fallback: string): string {
    return this.optional(name) ?? fallback
  }

  required(name: string, what: string): string {
    const value = this.optional(name)
    if (value === undefined) this.problem(`${name} is not set. Set it to ${what}.`)
    return value ?? ''
  }

  integer(name: string, fallback: number, range: { min: number; max: number }): number {
    const value = this.optional(name)
    if (value === undefined) return fallback
    const number = Number(value)
    if (Number.isSafeInteger(number) && number >= range.min && number <= range.max) return number
    this.problem(`${name} must be a whole number from ${range.min} to ${range.max}.`)
    return fallback
  }

  /** A TCP port; 0 lets the system choose one. */
  port(name: string, fallback: number): number {
    return this.integer(name, fallback, { min: 0, max: 65_535 })
  }

  /** An absolute http(s) URL without its trailing slash, for paths to be put behind it. */
  url(name: string, fallback: string): string {
    return this.#webAddress(name, this.string(name, fallback), fallback).replace(/\/+$/, '')
  }

  /** An absolute http(s) URL that is called as it was written: to some servers the last slash is another address. */
  optionalAddress(name: string): string | undefined {
    const value = this.optional(name)
    return value === undefined ? undefined : this.#webAddress(name, value, '')
  }

  #webAddress(name: string, value: string, fallback: string): string {
    const parsed = URL.canParse(value) ? new URL(value) : undefined
    if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return value
    this.problem(`${name} must be a URL that begins with http:// or https://.`)
    return fallback
  }

  oneOf<const T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.string(name, fallback)
    const found = allowed.find((candidate) => candidate === value)
    if (found === undefined) this.problem(`${name} must be one of: ${allowed.join(', ')}.`)
    return found ?? fallback
  }

  flag(name: string, fallback: boolean): boolean {
    return this.oneOf(name, ['on', 'off'], fallback ? 'on' : 'off') === 'on'
  }

  /** Comma-separated values, trimmed, empty ones left out. */
  list(name: string): readonly string[] {
    return (this.optional(name) ?? '')
      .split(',')
      .map((value) => value.trim())
      .filter((value) => value !== '')
  }

  /**
   * Secrets of which any is accepted and the first is used, separated by commas. Reports each that is a placeholder or
   * shorter than `charactersMin`, by its position, never by its content.
   */
  secrets(name: string, strength: SecretStrength): readonly string[] {
    const secrets = this.list(name)
    if (strength.allowWeak) return secrets
    for (const [index, secret] of secrets.entries()) {
      const weakness = secretWeakness(secret, strength.charactersMin)
      const which = secrets.length === 1 ? '' : ` (number ${index + 1})`
      if (weakness !== null)
        this.problem(
          `${name}${which} ${weakness}. Make a random one: node -e "console.log(crypto.randomBytes(32).toString('base64url'))"`,
        )
    }
    return secrets
  }

  /**
   * HS256 secrets. One secret may hold commas itself, so it is a list only when every part could be a secret alone.
   */
  jwtSecrets(name: string, strength: SecretStrength): readonly string[] {
    const parts = this.list(name)
    if (parts.length > 1 && parts.every((part) => part.length >= HS256_CHARACTERS_MIN))
      return this.secrets(name, strength)
    const whole = this.optional(name)
    if (whole === undefined) return []
    const weakness = strength.allowWeak ? null : secretWeakness(whole, strength.charactersMin)
    if (weakness !== null)
      this.problem(
        `${name} ${weakness}. Make a random one: node -e "console.log(crypto.randomBytes(32).toString('base64url'))"`,
      )
    return [whole]
  }

  /** How strong secrets must be: stronger where it is for real, anything goes where ALLOW_WEAK_SECRETS says so. */
  secretStrength(isForReal: boolean): SecretStrength {
    const allowWeak = this.flag('ALLOW_WEAK_SECRETS', false)
    if (allowWeak && isForReal)
      this.problem(
        'ALLOW_WEAK_SECRETS is for demonstrations. Unset it: here real money or customers are at stake.',
      )
    return { charactersMin: isForReal ? HS256_CHARACTERS_MIN : TEST_CHARACTERS_MIN, allowWeak }
  }

  /** Comma-separated IP addresses and CIDRs (`10.0.0.0/8`). */
  addresses(name: string): readonly string[] {
    const values = this.list(name)
    if (!values.every(isAddress))
      this.problem(`${name} must be IP addresses or CIDRs, separated by commas: 10.0.0.0/8, 192.0.2.7.`)
    return values
  }
}

/** Whether it is an IP address or a CIDR. */
export function isAddress(value: string): boolean {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(value) ?? []
  const family = isIP(address)
  return family !== 0 && (prefix === undefined || Number(prefix) <= (family === 4 ? 32 : 128))
}

/** Builds a configuration from variables, or throws one ConfigError that lists everything wrong with them. */
export function readConfig<T>(build: (env: EnvReader) => T, source: Environment = process.env): T {
  const env = new EnvReader(source)
  const config = build(env)
  if (env.problems.length > 0) throw new ConfigError(env.problems)
  return config
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
