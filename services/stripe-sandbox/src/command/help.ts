import type { Command } from './command.ts'
import { UsageError } from './command.ts'

const START = {
  does: 'starts a sandbox, configured by the environment and these options',
  usage: [
    'start [--port 12111] [--data <folder>] [--forward-to <webhook URL>] [--secret <whsec_…>]',
    'the environment variables are in services/stripe-sandbox/README.md',
  ],
}

/** What there is to type: everything, or one command. */
export function helpOf(commands: Readonly<Record<string, Command>>, name: string | undefined): string {
  const known: Readonly<Record<string, Pick<Command, 'does' | 'usage'>>> = { start: START, ...commands }
  if (name === undefined) return overview(known)
  const command = known[name]
  if (command === undefined) throw new UsageError(`There is no command "${name}".`)
  return [
    `passerelle-sandbox ${name}: ${command.does}`,
    '',
    ...command.usage.map((line) => `  ${line}`),
  ].join('\n')
}

function overview(known: Readonly<Record<string, Pick<Command, 'does'>>>): string {
  const names = Object.keys(known)
  const width = Math.max(...names.map((name) => name.length))
  return `passerelle-sandbox: a Stripe of your own

${names.map((name) => `  ${name.padEnd(width)}  ${known[name]?.does ?? ''}`).join('\n')}

  passerelle-sandbox help <command> shows how each is written.

Everywhere: --url (SANDBOX_URL, http://127.0.0.1:12111) names the sandbox.
Exit code: 0 done, 1 it could not be done, 2 wrong usage.`
}
