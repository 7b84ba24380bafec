import { missingParameter, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { isWithin, LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { changeMetadata, choice, currency, integer, metadata, only, range, text } from '../http/params.ts'
import { render } from '../resources.ts'
import type { PayoutRecord } from '../store/account-records.ts'
import type { Reads } from '../store/store.ts'
import { BANK_ACCOUNT } from './payout.ts'
import { cancelPayout, createPayout } from './move-payout.ts'

export const payoutOperations: readonly Operation[] = [
  operation(
    'POST /v1/payouts',
    {
      amount: integer({ min: 1 }),
      currency: currency(),
      description: text(),
      metadata: metadata(),
      method: choice('instant', 'standard'),
      source_type: only(text(), 'card'),
      statement_descriptor: text(22),
    },
    (tx, { params }) => {
      if (!params.amount) throw missingParameter('amount')
      if (!params.currency) throw missingParameter('currency')
      const payout = createPayout(tx, {
        amount: params.amount,
        currency: params.currency,
        description: params.description ?? null,
        metadata: changeMetadata({}, params.metadata),
        method: params.method ?? 'standard',
        statementDescriptor: params.statement_descriptor ?? null,
      })
      return render(tx, 'payouts', payout)
    },
  ),
  operation(
    'GET /v1/payouts',
    { ...LIST_CREATED, arrival_date: range(), destination: text(), status: text() },
    (tx, { params, path }) =>
      listPage(tx, 'payouts', {
        url: path,
        params,
        noun: 'payout',
        keep: (row) =>
          (!params.status || row.status === params.status) &&
          (!params.destination || params.destination === BANK_ACCOUNT) &&
          isWithin(row.arrivalDate, params.arrival_date),
      }),
  ),
  operation('GET /v1/payouts/:id', {}, (tx, { id }) => render(tx, 'payouts', find(tx, id))),
  operation('POST /v1/payouts/:id', { metadata: metadata() }, (tx, { id, params }) => {
    const payout = find(tx, id)
    const changed = tx.put('payouts', {
      ...payout,
      metadata: changeMetadata(payout.metadata, params.metadata),
    })
    emit(tx, 'payout.updated', render(tx, 'payouts', changed), { metadata: payout.metadata })
    return render(tx, 'payouts', changed)
  }),
  operation('POST /v1/payouts/:id/cancel', {}, (tx, { id }) =>
    render(tx, 'payouts', cancelPayout(tx, find(tx, id))),
  ),
]

function find(reads: Reads, id: string): PayoutRecord {
  const payout = reads.get('payouts', id)
  if (!payout) throw noSuch('payout', id, { param: 'payout' })
  return payout
}
