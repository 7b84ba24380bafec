import type { AuditVerificationView, AuditView } from '@passerelle/contracts/admin'
import type { Call, Command } from '../command.ts'
import { UsageError } from '../errors.ts'
import { moment, table } from '../table.ts'
import { countOf, more, wordsOf } from './words.ts'

export const audit: Command = {
  does: 'what operators did; `verify` recomputes the chain that shows whether it was changed since',
  usage: ['audit [--limit 20]', 'audit verify'],
  options: ['limit'],
  run: async (call) => {
    const [word] = wordsOf(call, 1)
    if (word === 'verify') return verify(call)
    if (word !== undefined) throw new UsageError(`"${word}" is not "verify".`)
    const { gateway, options, print, paint } = call
    const page = await gateway.list<AuditView>('/audit', {}, countOf(options.limit))
    if (options.json) return print(JSON.stringify(page.items, null, 2))
    const rows = page.items.map((entry) => [
      moment(entry.at),
      entry.actor,
      entry.action,
      entry.subject,
      entry.reason ?? '',
    ])
    print(table(['at', 'who', 'did', 'to', 'because'], rows, paint) + more(page.nextCursor, rows.length))
  },
}

async function verify({ gateway, options, print }: Call): Promise<number> {
  const found = await gateway.get<AuditVerificationView>('/audit/verify')
  if (options.json) print(JSON.stringify(found, null, 2))
  else if (found.broken === null)
    print(`${found.entries} entries, as written. Newest: ${found.head.id}, hash ${found.head.hash}`)
  else print(`broken at entry ${found.broken.id}: ${found.broken.because}`)
  return found.intact ? 0 : 1
}
