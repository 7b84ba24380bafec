import type { FastifyRequest } from 'fastify'

/**
 * Whether a page of another origin is behind the request: a website must not be able to drive the sandbox of whoever
 * looks at it. Programs send neither header and are let in; a plain link may lead here.
 */
export function isForeign(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site']
  if (request.method === 'GET' || request.method === 'HEAD') return site === 'cross-site'
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const { origin, host } = request.headers
  // Browsers that do not send Sec-Fetch-Site send the origin of every POST.
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)
}
