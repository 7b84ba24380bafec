import type { HttpServer } from '@passerelle/kit/http'
import { Type } from 'typebox'
import { METRICS_CONTENT_TYPE } from './metrics.ts'
import type { Metrics } from './metrics.ts'

// A stream lasts as long as its page is open: that says nothing about how fast the gateway answers.
const NOT_TIMED = /\/stream$/

/** Counts every answer of the routes that are added after it, and serves `GET /metrics`. */
export function metricsRoutes(server: HttpServer, metrics: Metrics): void {
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    if (NOT_TIMED.test(route)) return
    metrics.onRequest({
      method: request.method,
      route,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    })
  })
  server.get(
    '/metrics',
    {
      config: { quiet: true },
      schema: {
        summary: "The gateway's numbers, in Prometheus's text format",
        tags: ['operations'],
        response: { 200: { content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => reply.type(METRICS_CONTENT_TYPE).send(await metrics.render()),
  )
}
