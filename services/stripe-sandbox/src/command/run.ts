import { parseArgs } from 'node:util'
import { clock } from './clock.ts'
import type { Command, Options } from './command.ts'
import { CommandError, UsageError } from './command.ts'
import { faults } from './faults.ts'
import { helpOf } from './help.ts'
import { listen } from './listen.ts'
import { resend } from './resend.ts'
import { reset } from './reset.ts'
import { createSandboxClient } from './sandbox.client.ts'
import { trigger } from './trigger.ts'

export type Surroundings = {
  /** Where the sandbox is when no option says so. */
  readonly url: string
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  readonly signal: AbortSignal
}

const COMMANDS: Readonly<Record<string, Command>> = { listen, trigger, resend, clock, faults, reset }
const EVERYWHERE = { url: 'string', help: 'boolean' } as const

/** Runs one command and returns the exit code: 0 done, 1 it could not be done, 2 wrong usage. */
export async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  try {
    const [name = 'help', ...rest] = argv
    const command = COMMANDS[name]
    if (command === undefined || rest.includes('--help')) {
      around.print(helpOf(COMMANDS, /^(--help|-h|help)$/.test(name) ? rest[0] : name))
      return 0
    }
    const { words, options } = read(rest, command)
    const sandbox = createSandboxClient(addressOf(options, around.url))
    await command.run({ words, options, sandbox, print: around.print, signal: around.signal })
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      around.complain(`${error.message} See: passerelle-sandbox help`)
      return 2
    }
    if (!(error instanceof CommandError)) throw error
    around.complain(error.message)
    return 1
  }
}

function read(argv: readonly string[], command: Command): { words: string[]; options: Options } {
  const shape = Object.entries({ ...EVERYWHERE, ...command.options }).map(([name, type]) => [name, { type }])
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: Object.fromEntries(shape) as Record<string, { type: 'string' | 'boolean' }>,
      allowPositionals: true,
    })
    return { words: positionals, options: values }
  } catch (error) {
    const sentence = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error)
    throw new UsageError(`${sentence}.`)
  }
}

function addressOf(options: Options, fallback: string): string {
  const url = typeof options['url'] === 'string' ? options['url'] : fallback
  if (!/^https?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new UsageError(`${url} is no address. Name the sandbox as http://host:port.`)
  }
  return url.replace(/\/+$/, '')
}
