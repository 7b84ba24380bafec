import { noSuch } from '../errors.ts'
import { emit } from '../events/event.ts'
import type { Metadata } from '../http/params.ts'
import { newNumberedId } from '../ids.ts'
import { instrumentByAlias } from '../payments/instruments.ts'
import type { SourceRecord } from '../store/account-records.ts'
import type { Tx } from '../store/store.ts'
import { renderSource } from './source.ts'

/** Keeps the card behind `tok_…` with the customer, or throws the 400 of an unknown token. */
export function addSource(tx: Tx, customer: string, token: string, metadata: Metadata = {}): SourceRecord {
  const instrument = instrumentByAlias(token)
  if (!instrument) throw noSuch('token', token, { param: 'source', inBody: true })
  const source = tx.put('sources', {
    id: newNumberedId('card'),
    created: tx.now,
    customer,
    instrument: instrument.name,
    name: null,
    expMonth: 12,
    expYear: new Date(tx.nowMs).getUTCFullYear() + 1,
    metadata,
  })
  emit(tx, 'customer.source.created', renderSource(source))
  return source
}
