import { EraseCustomerBody, EraseCustomerView } from '@passerelle/contracts/admin'
import { successBody } from '@passerelle/contracts/envelope'
import type { Pool } from '@passerelle/kit/database'
import type { HttpServer } from '@passerelle/kit/http'
import { actOf } from './act.ts'
import { eraseCustomer } from './erase-customer.ts'

/** What a person may ask to be forgotten. The id is in the body: an address stands in logs along the way. */
export function adminCustomerRoutes(server: HttpServer, { pool }: { readonly pool: Pool }): void {
  server.post(
    '/customers/erase',
    {
      schema: {
        summary: 'Takes a customer out of everything kept about their payments; the ledger stays',
        tags: ['admin'],
        body: EraseCustomerBody,
        response: { 200: successBody(EraseCustomerView) },
      },
    },
    async (request) => {
      const { customerId } = request.body
      const data = await eraseCustomer(pool, customerId, actOf(request, request.body))
      return { success: true as const, data }
    },
  )
}
