import type { Authenticate, Caller } from '@passerelle/kit/caller'
import { ApiError } from '@passerelle/kit/errors'
import type { FastifyRequest } from 'fastify'

/** Who acts in the back office, as the audit log names them. */
export type Operator = { readonly name: string }

/** The operator (or platform service) behind a request; UNAUTHENTICATED or FORBIDDEN for everybody else. */
export async function operatorOf(request: FastifyRequest, authenticate: Authenticate): Promise<Operator> {
  const caller: Caller = await authenticate(request)
  if (caller.kind === 'service') return { name: 'service' }
  if (!caller.isOperator) throw new ApiError('FORBIDDEN', 'Only operators may do this.')
  return { name: caller.customerId }
}
