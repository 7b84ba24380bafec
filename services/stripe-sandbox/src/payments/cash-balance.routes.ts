import { missingParameter, noSuch } from '../errors.ts'
import { LIST, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { currency, integer, text } from '../http/params.ts'
import { render } from '../resources.ts'
import type { Reads } from '../store/store.ts'
import { renderCashBalance } from './cash-balance.ts'
import { fundCashBalance } from './fund-cash-balance.ts'

export const cashBalanceOperations: readonly Operation[] = [
  operation('GET /v1/customers/:id/cash_balance', {}, (tx, { id }) => {
    requireCustomer(tx, id)
    return renderCashBalance(tx, id)
  }),
  operation('GET /v1/customers/:id/cash_balance_transactions', LIST, (tx, { id, params, path }) =>
    listPage(tx, 'cash_movements', {
      url: path,
      params,
      noun: 'customer cash balance transaction',
      keep: (row) => row.customer === id,
    }),
  ),
  operation('GET /v1/customers/:id/cash_balance_transactions/:part', {}, (tx, { id, part }) => {
    const row = tx.get('cash_movements', part)
    if (row?.customer !== id)
      throw noSuch('customer cash balance transaction', part, { param: 'transaction' })
    return render(tx, 'cash_movements', row)
  }),
  operation(
    'POST /v1/test_helpers/customers/:id/fund_cash_balance',
    { amount: integer({ min: 1 }), currency: currency(), reference: text() },
    (tx, { id, params }) => {
      requireCustomer(tx, id)
      if (!params.amount) throw missingParameter('amount')
      if (!params.currency) throw missingParameter('currency')
      const { amount, currency: code } = params
      return render(tx, 'cash_movements', fundCashBalance(tx, id, { amount, currency: code }))
    },
  ),
]

function requireCustomer(reads: Reads, id: string): void {
  const customer = reads.get('customers', id)
  if (!customer || customer.deleted) throw noSuch('customer', id, { param: 'customer' })
}
