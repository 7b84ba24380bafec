import type { DeliveryDetail, DeliveryView } from '@passerelle/contracts/admin'
import type { Call, Command } from '../command.ts'
import { details, moment, table } from '../table.ts'
import { batchSentence, reasonBody } from './events.ts'
import { countOf, idOf, manyOf, more, wordsOf } from './words.ts'

export const deliveries: Command = {
  does: 'what the booking service is owed and was told; `show` adds the body and every try',
  usage: [
    'deliveries [--status pending|delivered|dead] [--type confirmed|…] [--booking <id>] [--limit 20]',
    'deliveries show <dlv_…>',
  ],
  options: ['status', 'type', 'booking', 'limit'],
  run: async (call) => {
    const [verb, id] = wordsOf(call, 2)
    if (verb === undefined) return listDeliveries(call)
    return showDelivery(call, verb === 'show' ? id : verb)
  },
}

async function listDeliveries({ gateway, options, print, paint }: Call): Promise<void> {
  const { status, type, booking: bookingId } = options
  const query = { status, type, bookingId }
  const page = await gateway.list<DeliveryView>('/deliveries', query, countOf(options.limit))
  if (options.json) return print(JSON.stringify(page.items, null, 2))
  print(deliveryTable(page.items, paint) + more(page.nextCursor, page.items.length))
}

function deliveryTable(items: readonly DeliveryView[], paint: Call['paint']): string {
  const rows = items.map((delivery) => [
    moment(delivery.createdAt),
    delivery.id,
    delivery.bookingId,
    String(delivery.version),
    delivery.announces,
    delivery.status,
    String(delivery.attemptCount),
    delivery.status === 'delivered' ? moment(delivery.deliveredAt) : (delivery.lastError ?? ''),
  ])
  const names = [
    'created',
    'delivery',
    'booking',
    'version',
    'announces',
    'status',
    'tries',
    'delivered / error',
  ]
  return table(names, rows, paint)
}

async function showDelivery({ gateway, options, print, paint }: Call, id: string | undefined): Promise<void> {
  const delivery = await gateway.get<DeliveryDetail>(`/deliveries/${idOf(id, 'the delivery: dlv_…')}`)
  if (options.json) return print(JSON.stringify(delivery, null, 2))
  const { body, attempts, ...rest } = delivery
  print(details(rest, paint))
  print(`\n${JSON.stringify(body, null, 2)}\n`)
  const rows = attempts.map((attempt) => [
    String(attempt.number),
    moment(attempt.at),
    attempt.outcome,
    attempt.responseStatus === null ? '–' : String(attempt.responseStatus),
    `${attempt.durationMs} ms`,
    attempt.error ?? '',
  ])
  print(table(['try', 'at', 'outcome', 'answer', 'took', 'error'], rows, paint))
}

type Batch = Parameters<typeof batchSentence>[0] & { readonly items: readonly DeliveryView[] }

export const redeliver: Command = {
  does: 'tells the booking service again, with the same version and key, which it recognises',
  usage: [
    'redeliver <dlv_…> [--reason <why>]',
    'redeliver --status dead [--type confirmed|…] [--since 2h] [--until <time>] [--limit 500] [--reason <why>] [--dry-run]',
  ],
  options: ['status', 'type', 'since', 'until', 'limit', 'reason', 'dry-run'],
  run: async (call) => {
    const { gateway, options, print, paint } = call
    const [id] = wordsOf(call, 1)
    if (id !== undefined) {
      const path = `/deliveries/${idOf(id, 'the delivery')}/redeliver`
      const delivery = await gateway.post<DeliveryView>(path, reasonBody(options.reason))
      const done = `${delivery.id} is sent again: ${delivery.status}`
      return print(options.json ? JSON.stringify(delivery, null, 2) : done)
    }
    const batch = await gateway.post<Batch>('/deliveries/redeliver', manyOf(options))
    if (options.json) return print(JSON.stringify(batch, null, 2))
    if (batch.items.length > 0) print(deliveryTable(batch.items, paint))
    print(batchSentence(batch, 'sent again'))
  },
}
