// Who may do what here, asked before a body is read: without a token the answer is 401 whatever was sent.
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import type { Authenticate, Caller } from '@passerelle/kit/caller'
import { ApiError, invariant } from '@passerelle/kit/errors'

export type User = Extract<Caller, { kind: 'user' }>

const callers = new WeakMap<FastifyRequest, Caller>()

/** An onRequest hook that lets in who has a valid token, and throws UNAUTHENTICATED or FORBIDDEN otherwise. */
export function allow(
  authenticate: Authenticate,
  who: 'anyone' | 'user' | 'service',
): onRequestAsyncHookHandler {
  return async (request) => {
    const caller = await authenticate(request)
    if (who === 'user' && caller.kind !== 'user')
      throw new ApiError('FORBIDDEN', 'This is for customers: send the JWT of a user, not a service token.')
    if (who === 'service' && caller.kind !== 'service')
      throw new ApiError(
        'FORBIDDEN',
        'Service not authorized: this is for services, with INTERNAL_SERVICE_TOKEN.',
      )
    callers.set(request, caller)
  }
}

/** The caller of a route that begins with `allow`. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  invariant(caller, 'a route that asks for its caller begins with allow()')
  return caller
}

/** Like callerOf, for a route that allows users only. */
export function userOf(request: FastifyRequest): User {
  const caller = callerOf(request)
  invariant(caller.kind === 'user', "a route that asks for its user begins with allow(…, 'user')")
  return caller
}

/** Operators and services see every booking, a customer only their own. */
export function maySee(caller: Caller, booking: { readonly customerId: string }): boolean {
  return caller.kind === 'service' || caller.isOperator || caller.customerId === booking.customerId
}
