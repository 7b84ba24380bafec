import type { IncidentView } from '@passerelle/contracts/admin'
import type { Command } from '../command.ts'
import { UsageError } from '../errors.ts'
import { moment, table, textOf } from '../table.ts'
import { countOf, idOf, more, wordsOf } from './words.ts'

export const incidents: Command = {
  does: 'what a person must look at; `resolve` says that it is taken care of',
  usage: [
    'incidents [--status open|resolved] [--type <kind>] [--booking <id>] [--limit 20]',
    'incidents resolve <number> --reason <how>',
  ],
  options: ['status', 'type', 'booking', 'limit', 'reason'],
  run: async (call) => {
    const { gateway, options, print, paint } = call
    const [verb, id] = wordsOf(call, 2)
    if (verb === 'resolve') {
      if (options.reason === undefined) throw new UsageError('Say how it was taken care of: --reason <how>.')
      const path = `/incidents/${idOf(id, 'the incident by its number')}/resolve`
      const incident = await gateway.post<IncidentView>(path, { reason: options.reason })
      return print(options.json ? JSON.stringify(incident, null, 2) : `incident ${incident.id} is resolved`)
    }
    if (verb !== undefined) throw new UsageError(`"${verb}" is not "resolve".`)
    const { status, type, booking: bookingId } = options
    const query = { status, type, bookingId }
    const page = await gateway.list<IncidentView>('/incidents', query, countOf(options.limit))
    if (options.json) return print(JSON.stringify(page.items, null, 2))
    const rows = page.items.map((incident) => [
      incident.id,
      moment(incident.raisedAt),
      incident.kind,
      incident.subject,
      incident.bookingId ?? '–',
      incident.status,
      incident.resolvedBecause ?? textOf(incident.detail),
    ])
    const names = ['number', 'raised', 'kind', 'about', 'booking', 'status', 'detail']
    print(table(names, rows, paint) + more(page.nextCursor, rows.length))
  },
}
