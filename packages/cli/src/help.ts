import { COMMANDS, findCommand } from './commands.ts'
import { UsageError } from './errors.ts'

/** What there is to type: everything, or one command. */
export function helpOf(name: string | undefined): string {
  if (name === undefined) return OVERVIEW()
  const command = findCommand(name)
  if (command === undefined) throw new UsageError(`There is no command "${name}".`)
  return [
    `passerelle ${name}: ${command.does}`,
    '',
    ...command.usage.map((line) => `  passerelle ${line}`),
  ].join('\n')
}

const OVERVIEW = (): string => {
  const names = Object.keys(COMMANDS)
  const width = Math.max(...names.map((name) => name.length))
  return `passerelle: the payment gateway from the command line

${names.map((name) => `  ${name.padEnd(width)}  ${COMMANDS[name]?.does ?? ''}`).join('\n')}

  passerelle help <command> shows how each is written.

Everywhere: --json prints what the gateway answers; --url (PASSERELLE_URL, http://localhost:3001) names the gateway;
--token (PASSERELLE_TOKEN, INTERNAL_SERVICE_TOKEN, or what npm start keeps) says who asks. Times are UTC.
Exit code: 0 done, 1 it could not be done or something is wrong, 2 wrong usage.`
}
