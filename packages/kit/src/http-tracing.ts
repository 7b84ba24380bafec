import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { OpenSpan, Tracing } from './tracing.ts'

/**
 * A span for every request of a route that is not quiet, which goes on with the caller's trace when it sent a
 * `traceparent`. Nothing is added where there is no tracing.
 */
export function traceRequests(server: FastifyInstance, tracing: Tracing): void {
  if (!tracing.isOn) return
  const spans = new WeakMap<FastifyRequest, OpenSpan>()
  server.addHook('onRequest', async (request) => {
    const { url, config } = request.routeOptions
    if (url === undefined || config.quiet === true) return
    const { traceparent } = request.headers
    const span = tracing.open(`${request.method} ${url}`, {
      kind: 'server',
      parent: typeof traceparent === 'string' ? traceparent : null,
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
