import { Counter, Histogram, Registry } from 'prom-client'
import { Type } from 'typebox'
import type { HttpServer } from './http.ts'

export type AnsweredRequest = {
  readonly method: string
  /** The route's pattern, never the path: a path holds ids. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

/** Counts the answers of a service whose metrics begin with `prefix`: their time, and those that were a 429. */
export function countRequests(prefix: string, registers: Registry[]): (request: AnsweredRequest) => void {
  const requests = new Histogram({
    name: `${prefix}_http_request_duration_seconds`,
    help: 'Time to answer, by route pattern and class of status.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.02, 0.05, 0.2, 0.5, 1, 5],
    registers,
  })
  const limited = new Counter({
    name: `${prefix}_rate_limited_total`,
    help: 'Requests answered 429.',
    registers,
  })
  return ({ method, route, status, seconds }) => {
    if (status === 429) limited.inc()
    requests.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, seconds)
  }
}

// A stream lasts as long as its page is open: that says nothing about how fast the service answers.
const NOT_TIMED = /\/stream$/

/** Counts every answer of the routes that are added after it, and serves `GET /metrics`. */
export function metricsRoutes(
  server: HttpServer,
  metrics: {
    readonly onRequest: (request: AnsweredRequest) => void
    /** Everything in Prometheus's text format. */
    readonly render: () => Promise<string>
  },
): void {
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
        summary: "The service's numbers, in Prometheus's text format",
        tags: ['operations'],
        response: { 200: { content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(await metrics.render()),
  )
}
