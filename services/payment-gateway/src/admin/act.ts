import type { FastifyRequest } from 'fastify'
import type { Operator } from '../ops/operator.ts'

/** Who does something by hand, and why: what every action carries into the audit log. */
export type Act = { readonly actor: string; readonly reason: string | null; readonly requestId: string }

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every admin route, before anything of the request is read. */
    operator: Operator | null
  }
}

export function actOf(
  request: Pick<FastifyRequest, 'id' | 'operator'>,
  body?: { readonly reason?: string } | null,
): Act {
  return {
    actor: request.operator?.name ?? 'unknown',
    reason: body?.reason ?? null,
    requestId: request.id,
  }
}
