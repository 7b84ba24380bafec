import type { Command } from './command.ts'
import { audit } from './commands/audit.ts'
import { deliveries, redeliver } from './commands/deliveries.ts'
import { doctor } from './commands/doctor.ts'
import { events, replay } from './commands/events.ts'
import { incidents } from './commands/incidents.ts'
import { payments } from './commands/payments.ts'
import { reconcile } from './commands/reconcile.ts'

export const COMMANDS: Readonly<Record<string, Command>> = {
  doctor,
  payments,
  events,
  deliveries,
  incidents,
  replay,
  redeliver,
  reconcile,
  audit,
}

/** The command of that name; undefined for `toString`, which every object has. */
export function findCommand(name: string): Command | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

/** Every option of every command. */
export const OPTIONS = {
  url: text,
  token: text,
  json: flag,
  help: { ...flag, short: 'h' },
  status: text,
  type: text,
  booking: text,
  since: text,
  until: text,
  limit: text,
  reason: text,
  'dry-run': flag,
} as const
