import fastifyStatic from '@fastify/static'
import Fastify, { LogController } from 'fastify'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply } from 'fastify'
import type { Log } from '@passerelle/kit/log'
import { paymentPatterns, patterns } from '../src/paths.ts'
import type { FrontendConfig } from './config.ts'

type AppDeps = { readonly site: string; readonly log: Log }

const ASSET_LIFE_SECONDS = 365 * 24 * 60 * 60

/** The server of the built site in folder `site`, not listening yet. */
export async function createApp(config: FrontendConfig, { site, log }: AppDeps): Promise<FastifyInstance> {
  const logger: FastifyBaseLogger = log
  const server: FastifyInstance = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  })
  const headers = securityHeaders(config)
  server.addHook('onRequest', async (_request, reply) => {
    void reply.headers(headers)
  })
  server.get('/healthz', async () => ({ success: true, data: { status: 'ok' } }))
  await addAssets(server, site)
  await addPages(server, config, site)
  return server
}

async function addAssets(server: FastifyInstance, site: string): Promise<void> {
  await server.register(fastifyStatic, {
    root: site,
    wildcard: false,
    globIgnore: ['**/*.html', '**/*.br', '**/*.gz'],
    index: false,
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      // A hashed name never changes its content.
      const isHashed = path.includes('/assets/') || path.includes('\\assets\\')
      const value = isHashed ? `public, max-age=${ASSET_LIFE_SECONDS}, immutable` : 'public, max-age=3600'
      void reply.header('cache-control', value)
    },
  })
}

async function addPages(server: FastifyInstance, config: FrontendConfig, site: string): Promise<void> {
  const shop = withConfig(await readFile(join(site, 'index.html'), 'utf8'), config)
  const payment = withConfig(await readFile(join(site, 'payment.html'), 'utf8'), config)
  for (const pattern of Object.values(patterns))
    server.get(pattern, async (_request, reply) => await sendPage(reply, shop))
  for (const pattern of Object.values(paymentPatterns))
    server.get(pattern, async (_request, reply) => await sendPage(reply, payment))
  server.setNotFoundHandler(async (request, reply) => {
    const wantsPage = request.method === 'GET' && request.headers.accept?.includes('text/html')
    if (wantsPage) return await sendPage(reply.code(404), shop)
    return await reply.code(404).type('text/plain; charset=utf-8').send('Not found\n')
  })
}

async function sendPage(reply: FastifyReply, html: string): Promise<FastifyReply> {
  return await reply.type('text/html; charset=utf-8').header('cache-control', 'no-store').send(html)
}

/** The page with the services' addresses in its meta tags: no inline script is needed, and one build serves every host. */
function withConfig(html: string, config: FrontendConfig): string {
  return html
    .replace('__GATEWAY_URL__', () => escapeAttribute(config.gatewayUrl))
    .replace('__BOOKING_URL__', () => escapeAttribute(config.bookingUrl))
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}

function securityHeaders(config: FrontendConfig): Record<string, string> {
  const services = [config.gatewayUrl, config.bookingUrl].map((url) => new URL(url).origin)
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${[...new Set(services)].join(' ')}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ]
  return {
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  }
}
