import { noSuch } from '../errors.ts'
import { LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { text } from '../http/params.ts'
import { render } from '../resources.ts'
import { renderBalance } from './balance.ts'

export const balanceOperations: readonly Operation[] = [
  operation('GET /v1/balance', {}, (tx) => renderBalance(tx)),
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
