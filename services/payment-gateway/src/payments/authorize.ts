import type { Authenticate, Caller } from '@passerelle/kit/caller'
import type { Pool } from '@passerelle/kit/database'
import { refuseOverLimit } from '@passerelle/kit/caller'
import { ApiError } from '@passerelle/kit/errors'
import { addressKey } from '@passerelle/kit/rate-limit'
import type { RateLimiter } from '@passerelle/kit/rate-limit'
import type { FastifyRequest } from 'fastify'
import type { Payment } from './payment.repository.ts'
import { isStatusTokenOf } from './status-token.repository.ts'

/** Who asks about a payment: somebody signed in, or the bearer of a status token (which may be worth nothing). */
export type Reader = { readonly caller: Caller | null; readonly statusToken: string | null }

export type ReaderDeps = {
  readonly authenticate: Authenticate
  /** Taken by an address's every request that brings only a status token. */
  readonly anonymous: RateLimiter
}

/** Throws UNAUTHENTICATED when the request carries neither a status token nor a valid bearer. */
export async function readerOf(
  request: FastifyRequest<{ Querystring: { token?: string } }>,
  { authenticate, anonymous }: ReaderDeps,
): Promise<Reader> {
  const statusToken = request.query.token ?? null
  if (statusToken === null) return { caller: await authenticate(request), statusToken }
  if (request.headers.authorization !== undefined)
    try {
      return { caller: await authenticate(request), statusToken }
    } catch (error) {
      // A sign-in that has run out takes nothing away from a link that is still good.
      if (!(error instanceof ApiError) || error.code !== 'UNAUTHENTICATED') throw error
    }
  refuseOverLimit(anonymous.take(addressKey(request.ip)))
  return { caller: null, statusToken }
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
