import type { SandboxClient } from './sandbox.client.ts'

/** The command as written makes no sense: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** What was asked for could not be done: exit code 1. */
export class CommandError extends Error {
  override name = 'CommandError'
}

export type Options = Readonly<Record<string, string | boolean | undefined>>

export type Call = {
  readonly words: readonly string[]
  readonly options: Options
  readonly sandbox: SandboxClient
  readonly print: (text: string) => void
  /** Aborted when the person presses Ctrl-C. */
  readonly signal: AbortSignal
}

export type Command = {
  readonly does: string
  readonly usage: readonly string[]
  /** The options it takes beside those that every command takes, each with a value or a plain switch. */
  readonly options: Readonly<Record<string, 'string' | 'boolean'>>
  readonly run: (call: Call) => Promise<void>
}

/** The option's text, or undefined. */
export function textOption({ options }: Pick<Call, 'options'>, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** The option as a number, or undefined when it is not given. */
export function numberOption(call: Pick<Call, 'options'>, name: string): number | undefined {
  const text = textOption(call, name)
  if (text === undefined) return undefined
  const number = Number(text)
  if (text.trim() === '' || Number.isNaN(number))
    throw new UsageError(`--${name} must be a number, not "${text}".`)
  return number
}

/** Refuses words that a command would silently ignore. */
export function wordsOf({ words }: Pick<Call, 'words'>, max: number): readonly string[] {
  if (words.length > max) throw new UsageError(`"${words[max]}" is one word too many.`)
  return words
}

/** As Stripe's command line reads it: a port, a path, or an address whose scheme may be left out. */
export function addressOf(text: string): string {
  const named = /^\d+$/.test(text) ? `localhost:${text}` : text.startsWith('/') ? `localhost${text}` : text
  const address = /^https?:\/\//.test(named) ? named : `http://${named}`
  if (!URL.canParse(address)) throw new UsageError(`--forward-to ${text} is no address.`)
  return address
}
