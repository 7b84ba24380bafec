import type { Authenticate, Caller } from '@passerelle/kit/caller'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { FastifyRequest } from 'fastify'
import type { Payment } from './payment.repository.ts'
import { isStatusTokenOf } from './status-token.repository.ts'

/** Who asks about a payment: somebody signed in, or the bearer of a status token (which may be worth nothing). */
export type Reader = { readonly caller: Caller | null; readonly statusToken: string | null }

/** Throws UNAUTHENTICATED when the request carries neither a status token nor a valid bearer. */
export async function readerOf(
  request: FastifyRequest<{ Querystring: { token?: string } }>,
  authenticate: Authenticate,
): Promise<Reader> {
  const statusToken = request.query.token ?? null
  if (request.headers.authorization === undefined && statusToken !== null)
    return { caller: null, statusToken }
  return { caller: await authenticate(request), statusToken }
}

/**
 * The payment, when this reader may see it. A payment of somebody else is answered exactly like one that does not
 * exist, so that nobody learns which bookings there are.
 */
export async function readable<T extends Payment>(pool: Pool, payment: T | null, reader: Reader): Promise<T> {
  const { caller, statusToken } = reader
  if (payment !== null) {
    if (caller?.kind === 'service') return payment
    if (caller?.kind === 'user' && (caller.isOperator || caller.customerId === payment.customerId))
      return payment
    if (statusToken !== null && (await isStatusTokenOf(pool, statusToken, payment.id))) return payment
  }
  throw new ApiError('NOT_FOUND', 'There is no such payment.')
}
