import { noSuch } from '../errors.ts'
import { LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { text } from '../http/params.ts'
import { render } from '../resources.ts'
import type { Reads } from '../store/store.ts'

export const balanceOperations: readonly Operation[] = [
  operation('GET /v1/balance', {}, (tx) => balance(tx)),
  operation(
    'GET /v1/balance_transactions',
    { ...LIST_CREATED, currency: text(), payout: text(), source: text(), type: text() },
    (tx, { params, path }) =>
      listPage(tx, 'balance_transactions', {
        url: path,
        params,
        noun: 'balance_transaction',
        keep: (row) =>
          (!params.currency || row.currency === params.currency) &&
          (!params.source || row.source === params.source) &&
          (!params.type || row.type === params.type),
      }),
  ),
  operation('GET /v1/balance_transactions/:id', {}, (tx, { id }) => {
    const row = tx.get('balance_transactions', id)
    if (!row) throw noSuch('balance transaction', id, { param: 'id' })
    return render(tx, 'balance_transactions', row)
  }),
]

function balance(reads: Reads): object {
  const sums = { available: new Map<string, number>(), pending: new Map<string, number>() }
  for (const row of reads.table('balance_transactions').oldestFirst()) {
    const side = row.availableOn <= reads.nowSeconds() ? sums.available : sums.pending
    side.set(row.currency, (side.get(row.currency) ?? 0) + row.amount - row.fee)
  }
  const rows = (side: Map<string, number>): object[] =>
    [...side].map(([currency, amount]) => ({ amount, currency, source_types: { card: amount } }))
  return { object: 'balance', available: rows(sums.available), livemode: false, pending: rows(sums.pending) }
}
