import { Type } from 'typebox'
import type { Authenticate } from '@passerelle/kit/caller'
import { inTransaction } from '@passerelle/kit/database'
import type { Pool, Tx } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { newId } from '@passerelle/kit/id'
import type { Log } from '@passerelle/kit/log'
import { allow, callerOf } from './caller.ts'

const Body = Type.Object({ customerId: Type.String({ pattern: '^[^\\u0000]{1,255}$' }) })

/** Erasing a customer, for operators and the platform's own services. The bookings stay, without the person. */
export function addCustomerRoutes(
  server: HttpServer,
  deps: { readonly pool: Pool; readonly log: Log; readonly authenticate: Authenticate },
): void {
  server.post(
    '/api/v1/customers/erase',
    { onRequest: allow(deps.authenticate, 'anyone'), schema: { body: Body } },
    async (request) => {
      const caller = callerOf(request)
      if (caller.kind === 'user' && !caller.isOperator)
        throw new ApiError('FORBIDDEN', 'Only operators may do this.')
      const pseudonym = newId('erased')
      const bookings = await inTransaction(deps.pool, (tx) =>
        eraseCustomer(tx, request.body.customerId, pseudonym),
      )
      const by = caller.kind === 'user' ? caller.customerId : 'service'
      deps.log.info({ pseudonym, bookings, by, requestId: request.id }, 'customer.erased')
      return { success: true, data: { pseudonym: bookings === 0 ? null : pseudonym, bookings } }
    },
  )
}

async function eraseCustomer(tx: Tx, customerId: string, pseudonym: string): Promise<number> {
  // The fingerprint is a hash over the address, and the key any text its sender chose.
  const { rowCount } = await tx.query(
    `update bookings set customer_id = $2, customer_email = null, idempotency_key = null, idempotency_fingerprint = null
     where customer_id = $1`,
    [customerId, pseudonym],
  )
  await tx.query('delete from demo_customers where id = $1', [customerId])
  return rowCount ?? 0
}
