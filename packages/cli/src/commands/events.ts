import type { EventDetail, EventView } from '@passerelle/contracts/admin'
import type { Call, Command } from '../command.ts'
import { details, moment, table, textOf } from '../table.ts'
import { countOf, idOf, manyOf, more, wordsOf } from './words.ts'

export const events: Command = {
  does: 'what Stripe sent and what became of it; `show` adds the payload',
  usage: [
    'events [--status received|processed|skipped|failed] [--type <type>] [--booking <id>] [--limit 20]',
    'events show <evt_…>',
  ],
  options: ['status', 'type', 'booking', 'limit'],
  run: async (call) => {
    const [verb, id] = wordsOf(call, 2)
    if (verb === undefined) return listEvents(call)
    return showEvent(call, verb === 'show' ? id : verb)
  },
}

async function listEvents({ gateway, options, print, paint }: Call): Promise<void> {
  const { status, type, booking: bookingId } = options
  const page = await gateway.list<EventView>('/events', { status, type, bookingId }, countOf(options.limit))
  if (options.json) return print(JSON.stringify(page.items, null, 2))
  print(eventTable(page.items, paint) + more(page.nextCursor, page.items.length))
}

function eventTable(items: readonly EventView[], paint: Call['paint']): string {
  const rows = items.map((event) => [
    moment(event.receivedAt),
    event.eventId,
    event.type,
    event.status,
    String(event.attemptCount),
    event.bookingId ?? '–',
    event.reason ?? event.errorMessage ?? '',
  ])
  return table(['received', 'event', 'type', 'status', 'tries', 'booking', 'because'], rows, paint)
}

async function showEvent({ gateway, options, print, paint }: Call, id: string | undefined): Promise<void> {
  const event = await gateway.get<EventDetail>(`/events/${idOf(id, 'the event: evt_…')}`)
  if (options.json) return print(JSON.stringify(event, null, 2))
  const { payload, payloadBase64, ...rest } = event
  print(details(rest, paint))
  print('')
  print(payload === null ? (payloadBase64 ?? 'The payload is redacted.') : JSON.stringify(payload, null, 2))
}

type Batch = {
  readonly dryRun: boolean
  readonly matched: number
  readonly selected: number
  readonly items: readonly EventView[]
}

export const replay: Command = {
  does: 'applies events again, one by its id or the oldest of a filter; what is done already changes nothing',
  usage: [
    'replay <evt_…> [--reason <why>]',
    'replay --status failed [--type <type>] [--since 2h] [--until <time>] [--limit 500] [--reason <why>] [--dry-run]',
  ],
  options: ['status', 'type', 'since', 'until', 'limit', 'reason', 'dry-run'],
  run: async (call) => {
    const { gateway, options, print, paint } = call
    const [id] = wordsOf(call, 1)
    if (id !== undefined) {
      const { reason } = options
      const event = await gateway.post<EventView>(
        `/events/${idOf(id, 'the event')}/replay`,
        reasonBody(reason),
      )
      print(
        options.json ? JSON.stringify(event, null, 2) : `${event.eventId} is applied again: ${event.status}`,
      )
      return
    }
    const batch = await gateway.post<Batch>('/events/replay', manyOf(options))
    if (options.json) return print(JSON.stringify(batch, null, 2))
    if (batch.items.length > 0) print(eventTable(batch.items, paint))
    print(batchSentence(batch, 'applied again'))
  },
}

export function reasonBody(reason: string | undefined): object {
  return reason === undefined ? {} : { reason }
}

/** What was done to how many, or would be. */
export function batchSentence({ dryRun, matched, selected }: Omit<Batch, 'items'>, done: string): string {
  const rest = matched > selected ? `, the oldest of ${textOf(matched)}; run it again for the rest` : ''
  return dryRun
    ? `${selected} would be ${done}${rest}. Nothing was changed.`
    : `${selected} will be ${done}${rest}.`
}
