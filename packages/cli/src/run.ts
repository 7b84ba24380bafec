import { parseArgs } from 'node:util'
import { OPTIONS, findCommand } from './commands.ts'
import type { CliConfig } from './config.ts'
import { CommandError, UsageError } from './errors.ts'
import { createGatewayClient } from './gateway.client.ts'
import { helpOf } from './help.ts'
import { forTerminal, painter, shown } from './table.ts'

export type Surroundings = {
  readonly config: (options: {
    readonly url?: string | undefined
    readonly token?: string | undefined
  }) => CliConfig
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  /** Whether colours are understood. */
  readonly paint: boolean
}

/** Runs one command and returns the exit code: 0 done, 1 it could not be done or something is wrong, 2 wrong usage. */
export async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  try {
    const { words, options } = read(argv)
    const [name, ...rest] = words
    if (name === undefined || name === 'help' || options.help) {
      around.print(helpOf(name === 'help' ? rest[0] : name))
      return 0
    }
    const command = findCommand(name)
    if (command === undefined) throw new UsageError(`There is no command "${name}".`)
    refuseOthers(name, options, command.options)
    const gateway = createGatewayClient(around.config(options))
    // What printing returns must not become the exit code.
    const print = (text: string): void => {
      around.print(forTerminal(text))
    }
    return (await command.run({ words: rest, options, gateway, print, paint: painter(around.paint) })) ?? 0
  } catch (error) {
    if (error instanceof UsageError) {
      around.complain(shown(`${error.message} See: passerelle help`))
      return 2
    }
    if (!(error instanceof CommandError)) throw error
    around.complain(shown(error.message))
    return 1
  }
}

function read(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: OPTIONS,
      allowPositionals: true,
    })
    return { words: positionals, options: values }
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') + '.' : String(error))
  }
}

const EVERYWHERE = ['url', 'token', 'json', 'help']

/** An option that a command would silently ignore is a mistake: the filter somebody wrote would not be one. */
function refuseOthers(name: string, options: object, allowed: readonly string[]): void {
  const wrong = Object.keys(options).find(
    (option) => !EVERYWHERE.includes(option) && !allowed.includes(option),
  )
  if (wrong !== undefined) throw new UsageError(`"${name}" takes no --${wrong}.`)
}
