import { randomUUIDv7 } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { LogController } from 'fastify'
import type {
  FastifyBaseLogger,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RawServerDefault,
} from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ERROR_STATUS } from '@passerelle/contracts/envelope'
import type { ErrorBody, ErrorCode } from '@passerelle/contracts/envelope'
import { ApiError } from './errors.ts'
import type { ErrorDetail } from './errors.ts'
import type { Log } from './log.ts'

export type HttpServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export type HttpServerOptions = {
  readonly log: Log
  /** The only origin whose pages may call this server from a browser. */
  readonly corsOrigin: string
  /** CIDRs whose X-Forwarded-For is believed; empty: nobody's. */
  readonly trustedProxies: readonly string[]
}

const BODY_BYTES_MAX = 64 * 1024
const REQUEST_TIMEOUT_MS = 15_000
const URL_PARAM_CHARACTERS_MAX = 300
const SANE_REQUEST_ID = /^[A-Za-z0-9._:-]{8,128}$/

// Constants in one hook: @fastify/helmet was measured to halve the throughput for the same headers.
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'cache-control': 'no-store',
} as const

/**
 * A Fastify server with what the gateway and the booking service share: request ids, the contract's envelope for
 * every error, security headers, CORS for one origin, limits. Routes are added by the caller, who also listens.
 */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const logger: FastifyBaseLogger = options.log
  const server = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: URL_PARAM_CHARACTERS_MAX },
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    // A close waits for requests under way, not for idle keep-alive connections.
    forceCloseConnections: 'idle',
    genReqId: (request) => {
      const given = request.headers['x-request-id']
      return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : randomUUIDv7()
    },
    // A field the schema does not name is left alone (the lesson's clients send some); a wrong type is refused, not cast.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
    // A request that cannot even be parsed (bad URL, broken framing) gets the envelope too.
    frameworkErrors: (error, request, reply: FastifyReply) => void sendError(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>()

  // Fastify reads text/plain by itself; here only what a route declares is a body, the rest is a 415.
  server.removeContentTypeParser('text/plain')
  server.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS).header('x-request-id', request.id)
  })
  closeUnusedConnections(server)
  addCors(server, options.corsOrigin)
  server.setErrorHandler((error: FastifyError, request, reply) => sendError(error, request, reply))
  server.setNotFoundHandler((request, reply) =>
    sendError(
      new ApiError('NOT_FOUND', `There is no ${request.method} ${pathOf(request)} here.`),
      request,
      reply,
    ),
  )
  server.addHook('onResponse', async (request, reply) => {
    if (request.routeOptions.config.quiet === true && reply.statusCode < 500) return
    request.log.info(
      {
        method: request.method,
        path: pathOf(request),
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime),
      },
      'request.answered',
    )
  })
  return server
}

/** Starts listening and tells where; with port 0 the system chose one. */
export async function listen(
  server: HttpServer,
  at: { readonly host: string; readonly port: number },
): Promise<{ url: string; port: number }> {
  await server.listen({ host: at.host, port: at.port })
  const address = server.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : at.port
  return { url: `http://${at.host}:${port}`, port }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Leaves the access line out: for health checks and for routes that log their own line. */
    quiet?: boolean
  }
}

/** The address without its query: a query may carry a status token, which never reaches a log. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? ''
}

/**
 * Browsers and pools open connections ahead of use. Node counts one that has never carried a request as busy, and it
 * would hold a stopping server until its time-out of more than a minute.
 */
function closeUnusedConnections(server: HttpServer): void {
  const unused = new Set<Socket>()
  server.server.on('connection', (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.server.on('request', ({ socket }: IncomingMessage) => unused.delete(socket))
  server.addHook('preClose', async () => {
    for (const socket of unused) socket.destroy()
  })
}

function addCors(server: HttpServer, origin: string): void {
  server.addHook('onRequest', async (request, reply) => {
    void reply.header('vary', 'Origin')
    if (request.headers.origin !== origin) return
    void reply.headers({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'X-Request-Id, Retry-After',
    })
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return
    await reply
      .code(204)
      .headers({
        'access-control-allow-methods': 'GET, POST, PUT, DELETE',
        'access-control-allow-headers':
          'Authorization, Content-Type, Idempotency-Key, X-Request-Id, Last-Event-ID',
        'access-control-max-age': '600',
      })
      .send()
  })
}

function sendError(
  error: FastifyError | ApiError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { code, message, details } = describe(error)
  const status = ERROR_STATUS[code]
  if (status >= 500) request.log.error({ err: error, path: pathOf(request) }, 'request.failed')
  if (error instanceof ApiError && error.retryAfterSeconds !== undefined)
    void reply.header('retry-after', String(error.retryAfterSeconds))
  const body: ErrorBody = {
    success: false,
    error: { code, message, requestId: request.id, ...(details ? { details: [...details] } : {}) },
  }
  return reply.code(status).header('content-type', 'application/json; charset=utf-8').send(body)
}

type Described = { code: ErrorCode; message: string; details?: readonly ErrorDetail[] | undefined }

function describe(error: FastifyError | ApiError): Described {
  if (error instanceof ApiError) return { code: error.code, message: error.message, details: error.details }
  if (error.validation) {
    const details = error.validation.map((problem) => ({
      field: [error.validationContext, ...problem.instancePath.split('/').slice(1), missingField(problem)]
        .filter((part) => part !== undefined && part !== '')
        .join('.'),
      problem: problem.message ?? 'is not valid',
    }))
    const first = details[0]
    return {
      code: 'VALIDATION_ERROR',
      message: `${first?.field ?? 'The request'} ${first?.problem ?? 'is not valid'}.`,
      details,
    }
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'PAYLOAD_TOO_LARGE', message: 'The body is larger than this route accepts.' }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { code: 'UNSUPPORTED_MEDIA_TYPE', message: 'Send the body as application/json.' }
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return { code: 'VALIDATION_ERROR', message: 'The body is not valid JSON.' }
    default:
      if ((error.statusCode ?? 500) < 500)
        return { code: 'VALIDATION_ERROR', message: 'The request is malformed.' }
      return {
        code: 'INTERNAL_ERROR',
        message:
          'Something went wrong here. Nothing you sent was at fault; try again, and quote the request id if it lasts.',
      }
  }
}

function missingField(problem: { keyword: string; params: Record<string, unknown> }): string | undefined {
  return problem.keyword === 'required' ? String(problem.params['missingProperty']) : undefined
}
