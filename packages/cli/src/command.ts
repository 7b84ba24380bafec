import type { GatewayClient } from './gateway.client.ts'
import type { Paint } from './table.ts'

export type Options = {
  readonly url?: string | undefined
  readonly token?: string | undefined
  readonly json?: boolean | undefined
  readonly help?: boolean | undefined
  readonly status?: string | undefined
  readonly type?: string | undefined
  readonly booking?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly limit?: string | undefined
  readonly reason?: string | undefined
  readonly 'dry-run'?: boolean | undefined
}

export type Call = {
  readonly words: readonly string[]
  readonly options: Options
  readonly gateway: GatewayClient
  readonly print: (text: string) => void
  readonly paint: Paint
}

export type Command = {
  readonly does: string
  readonly usage: readonly string[]
  /** The options it takes beside those that every command takes. */
  readonly options: readonly (keyof Options)[]
  /** The exit code; 0 when nothing is returned. */
  readonly run: (call: Call) => Promise<number | void>
}
