import type { EraseCustomerView } from '@passerelle/contracts/admin'
import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { newId } from '@passerelle/kit/id'
import { redactErasedPayments } from '../stripe/redact-events.ts'
import type { Act } from './act.ts'
import { appendAudit } from './audit.repository.ts'
import {
  countUnerasable,
  lockPaymentsOfCustomer,
  removeStatusTokens,
  renameCustomer,
} from './customer.repository.ts'

/**
 * Takes the person out of everything kept about their payments, and keeps the payments: amounts, statuses, transitions
 * and the ledger stay. The audit log names the pseudonym, never the customer. Asking again does what is left to do.
 */
export async function eraseCustomer(pool: Pool, customerId: string, act: Act): Promise<EraseCustomerView> {
  return inTransaction(pool, async (tx) => {
    const ids = await lockPaymentsOfCustomer(tx, customerId)
    if (ids.length === 0)
      return { pseudonym: null, payments: 0, events: 0, attempts: 0, openAttempts: 0, owedEvents: 0 }
    const pseudonym = newId('erased')
    await renameCustomer(tx, ids, pseudonym)
    const { events, attempts } = await redactErasedPayments(tx, ids)
    await removeStatusTokens(tx, ids)
    const done = { payments: ids.length, events, attempts }
    await appendAudit(tx, [
      { ...act, action: 'customer.erased', subject: pseudonym, paymentId: null, before: null, after: done },
    ])
    return { pseudonym, ...done, ...(await countUnerasable(tx, ids)) }
  })
}
