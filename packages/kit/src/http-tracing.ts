import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bearerOf } from './bearer.ts'
import { isOneOf } from './secret.ts'
import type { OpenSpan, Tracing } from './tracing.ts'

/**
 * A span for every request of a route that is not quiet. A service's `traceparent` is gone on with. Anybody else's is
 * linked only: whoever could choose the trace could have every request kept, and put theirs into the trace of another.
 * Nothing is added where there is no tracing.
 */
export function traceRequests(
  server: FastifyInstance,
  tracing: Tracing,
  serviceTokens: readonly string[] = [],
): void {
  if (!tracing.isOn) return
  const spans = new WeakMap<FastifyRequest, OpenSpan>()
  server.addHook('onRequest', async (request) => {
    const { url, config } = request.routeOptions
    if (url === undefined || config.quiet === true) return
    const { traceparent: sent, authorization } = request.headers
    const traceparent = typeof sent === 'string' ? sent : null
    const isService = traceparent !== null && isOneOf(bearerOf(authorization), serviceTokens)
    const span = tracing.open(`${request.method} ${url}`, {
      kind: 'server',
      ...(isService ? { parent: traceparent } : { link: traceparent }),
      // The pattern and never the path: that holds ids, and what people send by mistake.
      attributes: { 'http.request.method': request.method, 'http.route': url },
    })
    spans.set(request, span)
    request.log = request.log.child({ traceId: span.traceId })
  })
  // From here on, and not earlier: reading the body leaves the hook's context.
  server.addHook('preValidation', (request, _reply, done) => {
    const span = spans.get(request)
    if (span === undefined) done()
    else span.within(done)
  })
  server.addHook('onResponse', async (request, reply) => {
    const status = reply.statusCode
    spans.get(request)?.end({
      isFailed: status >= 500,
      attributes: { 'http.response.status_code': status },
    })
  })
}
