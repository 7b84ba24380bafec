import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Payment } from './payment.repository.ts'

/**
 * Names the answer about this payment by its version (RFC 9110), and says whether the asker has that very answer already.
 * Weak, because a delivery recorded later may touch the row without changing what it says.
 */
export function isUnchanged(request: FastifyRequest, reply: FastifyReply, { version }: Payment): boolean {
  const tag = `W/"${version}"`
  void reply.header('etag', tag)
  return namesTag(request.headers['if-none-match'] ?? '', tag)
}

function namesTag(header: string, tag: string): boolean {
  const opaque = opaqueOf(tag)
  return header.split(',').some((named) => named.trim() === '*' || opaqueOf(named) === opaque)
}

// A proxy may have made the tag weak, or strong again: only what stands in quotes is compared.
function opaqueOf(tag: string): string {
  return tag.trim().replace(/^W\//, '')
}
