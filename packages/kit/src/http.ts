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
import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { ERROR_STATUS } from '@passerelle/contracts/envelope'
import type { ErrorBody, ErrorCode } from '@passerelle/contracts/envelope'
import { outageOf } from './database.ts'
import { ApiError } from './errors.ts'
import type { ErrorDetail } from './errors.ts'
import { traceRequests } from './http-tracing.ts'
import { isDeeperThan, JSON_DEPTH_MAX } from './json-depth.ts'
import type { Log } from './log.ts'
import { secureContext, watchFiles } from './tls.ts'
import type { TlsFiles } from './tls.ts'
import type { Tracing } from './tracing.ts'

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
  readonly tls?: TlsFiles
  /** Aborted when the process is about to stop: answers then ask their clients to leave (`Connection: close`). */
  readonly draining?: AbortSignal
  readonly tracing?: Tracing
  /** Whoever brings one of them may say which trace to go on with. */
  readonly serviceTokens?: readonly string[]
  readonly timeouts?: typeof TIMEOUTS
}

const BODY_BYTES_MAX = 64 * 1024
// Node reads headers into memory before anyone can refuse them; ours are under 4 kB, a long cookie of a neighbour more.
const HEADER_BYTES_MAX = 16 * 1024
const TIMEOUTS = {
  headersMs: 8000,
  requestMs: 15_000,
  // How often Node looks for connections that are over their time: with its own 30 s a slow sender lives that much longer.
  checkMs: 2000,
  // A renewed certificate is taken over within this; sooner gains nothing, renewals come days ahead of expiry.
  certificateMs: 60_000,
}
// Streams (20,000) and some for everybody else. Beyond it connections wait in the kernel's queue of the next process.
const CONNECTIONS_MAX = 25_000
const URL_PARAM_CHARACTERS_MAX = 300
// For whoever met an outage of the database: most are a restart, over in seconds.
const RETRY_AFTER_SECONDS = 1
const SANE_REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/

// Constants in one hook: @fastify/helmet was measured to halve the throughput for the same headers.
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-site',
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
  const timeouts = options.timeouts ?? TIMEOUTS
  const server = Fastify({
    ...listener(options.tls ?? null, timeouts),
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: timeouts.requestMs,
    routerOptions: { maxParamLength: URL_PARAM_CHARACTERS_MAX },
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    // A close waits for requests under way, not for idle keep-alive connections; what still comes in is answered too.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: refuseBrokenRequest,
    genReqId: (request) => {
      const given = request.headers['x-request-id']
      return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : randomUUIDv7()
    },
    // A field the schema does not name is left alone (the lesson's clients send some); a wrong type is refused, not cast.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
    // A request that cannot even be parsed (bad URL, broken framing) gets the envelope too.
    // No hook runs for it.
    frameworkErrors: (error, request, reply: FastifyReply) =>
      void sendError(error, request, withOwnHeaders(request, reply)),
  }).withTypeProvider<TypeBoxTypeProvider>()

  server.server.maxConnections = CONNECTIONS_MAX
  readJsonOnly(server)
  const { draining, tracing, serviceTokens } = options
  server.addHook('onRequest', async (request, reply) => {
    withOwnHeaders(request, reply)
    if (draining?.aborted === true) void reply.header('connection', 'close')
  })
  if (tracing !== undefined) traceRequests(server, tracing, serviceTokens)
  keepCertificateFresh(server, options)
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

/** What every answer carries. */
function withOwnHeaders(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.headers(SECURITY_HEADERS).header('x-request-id', request.id)
}

/** What Node is told about its connections, with TLS or without. */
function listener(tls: TlsFiles, timeouts: typeof TIMEOUTS): { readonly http?: ServerOptions } {
  const limits: ServerOptions = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    connectionsCheckingInterval: timeouts.checkMs,
  }
  if (tls === null) return { http: limits }
  // Fastify types a TLS server as another kind of instance; everything used here is the same on both.
  return { https: { ...limits, ...secureContext(tls) } } as { http?: ServerOptions }
}

/** A renewed certificate is taken over without a restart; one that cannot be used leaves the old one in place. */
function keepCertificateFresh(
  server: HttpServer,
  { tls, log, timeouts = TIMEOUTS }: HttpServerOptions,
): void {
  const secure: unknown = server.server
  if (tls === undefined || tls === null || !(secure instanceof TlsServer)) return
  const unwatch = watchFiles(
    [tls.certFile, tls.keyFile],
    () => {
      try {
        secure.setSecureContext(secureContext(tls))
        log.info('tls.certificate_renewed')
      } catch (error) {
        log.error({ err: error }, 'tls.certificate_unusable')
      }
    },
    timeouts.certificateMs,
  )
  server.addHook('onClose', async () => unwatch())
}

/** JSON is the only body there is, and not deeper than anything reads: the rest is a 415 or a 400. */
function readJsonOnly(server: HttpServer): void {
  const parse = server.getDefaultJsonParser('error', 'error')
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (isDeeperThan(body, JSON_DEPTH_MAX))
      return done(
        new ApiError('VALIDATION_ERROR', `The body is nested deeper than ${JSON_DEPTH_MAX} levels.`),
        undefined,
      )
    void parse(request, typeof body === 'string' ? body : body.toString(), done)
  })
}

const BROKEN_REQUEST_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** What never became a request (broken framing, headers too large or too slow) gets the envelope too, and is cut off. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (socket.writable) {
    const status = BROKEN_REQUEST_STATUS[error.code ?? ''] ?? 400
    const requestId = randomUUIDv7()
    const body = JSON.stringify({
      success: false,
      error: { code: 'VALIDATION_ERROR', message: 'The request is malformed.', requestId },
    } satisfies ErrorBody)
    const headers = {
      ...SECURITY_HEADERS,
      'x-request-id': requestId,
      'content-type': 'application/json',
      connection: 'close',
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const length = `content-length: ${Buffer.byteLength(body)}\r\n`
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}${length}\r\n${body}`)
  }
  socket.destroy(error)
}

/** Starts listening and tells where; with port 0 the system chose one. */
export async function listen(
  server: HttpServer,
  at: { readonly host: string; readonly port: number },
): Promise<{ url: string; port: number }> {
  await server.listen({ host: at.host, port: at.port })
  const address = server.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : at.port
  const scheme = (server.server as unknown) instanceof TlsServer ? 'https' : 'http'
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  return { url: `${scheme}://${host}:${port}`, port }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Leaves the access line out: for health checks and for routes that log their own line. */
    quiet?: boolean
  }
}

// What an id is made of. A segment that is anything else, or as long a number as a card's, is what somebody sent by
// mistake: an e-mail address, a card.
const LOGGABLE_SEGMENT = /^(?!\d{12,19}$)[A-Za-z0-9._:-]{0,128}$/

/** The address without its query (which may carry a status token) and without what is no id: fit for a log. */
function pathOf(request: FastifyRequest): string {
  const path = request.url.split('?', 1)[0] ?? ''
  return path
    .split('/')
    .map((segment) => (LOGGABLE_SEGMENT.test(segment) ? segment : '…'))
    .join('/')
}

/**
 * Browsers and pools open connections ahead of use. Node counts one that has never carried a request as busy, and it
 * would hold a stopping server until its time-out of more than a minute.
 */
function closeUnusedConnections(server: HttpServer): void {
  const unused = new Set<Socket>()
  const opened = (server.server as unknown) instanceof TlsServer ? 'secureConnection' : 'connection'
  server.server.on(opened, (socket: Socket) => {
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
      'access-control-expose-headers': 'ETag, X-Request-Id, Retry-After',
    })
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return
    await reply
      .code(204)
      .headers({
        'access-control-allow-methods': 'GET, POST, PUT, DELETE',
        'access-control-allow-headers':
          'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id, Last-Event-ID, Traceparent',
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
  else if (code === 'SERVICE_UNAVAILABLE') void reply.header('retry-after', String(RETRY_AFTER_SECONDS))
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
    const details = withoutNull(error.validation).map((problem) => ({
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
      if (outageOf(error) !== null)
        return {
          code: 'SERVICE_UNAVAILABLE',
          message: 'This cannot be done right now. Try again in a moment.',
        }
      return {
        code: 'INTERNAL_ERROR',
        message:
          'Something went wrong here. Nothing you sent was at fault; try again, and quote the request id if it lasts.',
      }
  }
}

/** What the caller can mend: that something could have been null instead, or left out, is no fault of what was sent. */
function withoutNull(problems: NonNullable<FastifyError['validation']>): typeof problems {
  const isNull = ({ keyword, params }: (typeof problems)[number]): boolean =>
    keyword === 'type' && params['type'] === 'null'
  const nullable = new Set(problems.filter(isNull).map(({ instancePath }) => instancePath))
  return problems.filter(
    (problem) => !isNull(problem) && !(problem.keyword === 'anyOf' && nullable.has(problem.instancePath)),
  )
}

function missingField(problem: { keyword: string; params: Record<string, unknown> }): string | undefined {
  return problem.keyword === 'required' ? String(problem.params['missingProperty']) : undefined
}
