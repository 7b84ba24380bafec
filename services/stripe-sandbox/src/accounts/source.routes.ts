import { missingParameter, noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import { LIST, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { changeMetadata, integer, metadata, text } from '../http/params.ts'
import { render } from '../resources.ts'
import type { SourceRecord } from '../store/account-records.ts'
import type { Reads } from '../store/store.ts'
import { addSource } from './add-source.ts'

const CHANGE = {
  exp_month: integer({ min: 1, max: 12 }),
  exp_year: integer({ min: 2000, max: 2100 }),
  metadata: metadata(),
  name: text(),
}

export const sourceOperations: readonly Operation[] = [
  operation(
    'POST /v1/customers/:id/sources',
    { source: text(), metadata: metadata() },
    (tx, { id, params }) => {
      requireCustomer(tx, id)
      if (!params.source) throw missingParameter('source')
      return render(tx, 'sources', addSource(tx, id, params.source, changeMetadata({}, params.metadata)))
    },
  ),
  operation('GET /v1/customers/:id/sources', { ...LIST, object: text() }, (tx, { id, params, path }) =>
    listPage(tx, 'sources', { url: path, params, noun: 'source', keep: (row) => row.customer === id }),
  ),
  operation('GET /v1/customers/:id/sources/:part', {}, (tx, { id, part }) =>
    render(tx, 'sources', find(tx, id, part)),
  ),
  operation('POST /v1/customers/:id/sources/:part', CHANGE, (tx, { id, part, params }) => {
    const source = find(tx, id, part)
    const changed = tx.put('sources', {
      ...source,
      expMonth: params.exp_month ?? source.expMonth,
      expYear: params.exp_year ?? source.expYear,
      metadata: changeMetadata(source.metadata, params.metadata),
      name: params.name === undefined ? source.name : params.name,
    })
    emit(tx, 'customer.source.updated', render(tx, 'sources', changed), { metadata: source.metadata })
    return render(tx, 'sources', changed)
  }),
  operation('DELETE /v1/customers/:id/sources/:part', {}, (tx, { id, part }) => {
    const source = find(tx, id, part)
    tx.remove('sources', part)
    emit(tx, 'customer.source.deleted', render(tx, 'sources', source))
    return { id: part, object: 'card', deleted: true }
  }),
]

function requireCustomer(reads: Reads, id: string): void {
  const customer = reads.get('customers', id)
  if (!customer || customer.deleted) throw noSuch('customer', id, { param: 'id' })
}

function find(reads: Reads, customer: string, id: string): SourceRecord {
  const source = reads.get('sources', id)
  if (source?.customer !== customer) throw noSuch('source', id, { param: 'id' })
  return source
}
