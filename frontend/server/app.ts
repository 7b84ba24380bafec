import fastifyStatic from '@fastify/static'
import Fastify, { LogController } from 'fastify'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply } from 'fastify'
import { traceRequests } from '@passerelle/kit/http-tracing'
import type { Log } from '@passerelle/kit/log'
import { TRACING_OFF } from '@passerelle/kit/tracing'
import type { Tracing } from '@passerelle/kit/tracing'
import { cardPattern, patterns } from '../src/paths.ts'
import { addAccessRoute } from './access.routes.ts'
import { SERVER_BUNDLE } from './build-site.ts'
import type { FrontendConfig } from './config.ts'
import { escapeAttribute } from './html.ts'
import { addPaymentPages } from './payment-pages.ts'
import type { Renderer } from './payment-pages.ts'

type AppDeps = { readonly site: string; readonly log: Log; readonly tracing?: Tracing }

const ASSET_LIFE_SECONDS = 365 * 24 * 60 * 60

/** The server of the built site in folder `site`, not listening yet. */
export async function createApp(config: FrontendConfig, deps: AppDeps): Promise<FastifyInstance> {
  const { site, log, tracing = TRACING_OFF } = deps
  const logger: FastifyBaseLogger = log
  const server: FastifyInstance = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
  })
  const headers = headersOf(policyOf(config))
  server.addHook('onRequest', async (_request, reply) => {
    void reply.headers(headers)
  })
  server.get('/healthz', async () => ({ success: true, data: { status: 'ok' } }))
  await addAssets(server, site)
  traceRequests(server, tracing)
  addAccessRoute(server, config)
  await addPages(server, config, { site, tracing })
  return server
}

async function addAssets(server: FastifyInstance, site: string): Promise<void> {
  await server.register(fastifyStatic, {
    root: join(site, 'client'),
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

async function addPages(
  server: FastifyInstance,
  config: FrontendConfig,
  { site, tracing }: { readonly site: string; readonly tracing: Tracing },
): Promise<void> {
  const page = async (name: string): Promise<string> =>
    withConfig(await readFile(join(site, 'client', name), 'utf8'), config)
  const [shop, payment, card] = await Promise.all([
    page('index.html'),
    page('payment.html'),
    page('card.html'),
  ])
  for (const pattern of Object.values(patterns))
    server.get(pattern, async (_request, reply) => await sendPage(reply, shop))
  const renderer = (await import(pathToFileURL(join(site, SERVER_BUNDLE)).href)) as Renderer
  addPaymentPages(server, { config, template: payment, renderer, tracing })
  const cardHeaders = cardSecurityHeaders(config)
  if (config.stripeJs !== null)
    server.get(cardPattern, async (_request, reply) => await sendPage(reply.headers(cardHeaders), card))
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
    .replace('__STRIPE_KEY__', () => escapeAttribute(config.stripeJs?.publishableKey ?? ''))
    .replace('__SUPPORT_EMAIL__', () => escapeAttribute(config.supportEmail ?? ''))
    .replace('__STRIPE_JS_URL__', () => escapeAttribute(config.stripeJs?.scriptUrl ?? ''))
}

type Policy = Readonly<Record<string, readonly string[]>>

function policyOf(config: FrontendConfig): Policy {
  const services = [config.gatewayUrl, config.bookingUrl].map((url) => new URL(url).origin)
  return {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'img-src': ["'self'"],
    'connect-src': ["'self'", ...new Set(services)],
    'base-uri': ["'none'"],
    'form-action': ["'self'"],
    'frame-ancestors': ["'none'"],
  }
}

// What Stripe.js needs (docs.stripe.com/security/guide#content-security-policy). The stand-in needs its own origin alone.
const STRIPE_ORIGINS = {
  'script-src': ['https://*.js.stripe.com'],
  'frame-src': ['https://*.js.stripe.com', 'https://hooks.stripe.com'],
  'connect-src': ['https://api.stripe.com'],
  'img-src': ['https://*.stripe.com'],
} as const

/** The page with the card fields: these are a frame of Stripe's origin, and nothing typed there reaches ours. */
function cardSecurityHeaders(config: FrontendConfig): Record<string, string> {
  const policy = policyOf(config)
  const origin = new URL(config.stripeJs?.scriptUrl ?? 'https://js.stripe.com').origin
  const isStripe = origin === 'https://js.stripe.com'
  const extra = (name: keyof typeof STRIPE_ORIGINS): readonly string[] =>
    isStripe ? [origin, ...STRIPE_ORIGINS[name]] : [origin]
  return headersOf(
    {
      ...policy,
      'script-src': ["'self'", ...extra('script-src')],
      'frame-src': extra('frame-src'),
      'connect-src': [...(policy['connect-src'] ?? []), ...extra('connect-src')],
      'img-src': ["'self'", ...extra('img-src')],
    },
    `payment=(self "${origin}")`,
  )
}

function headersOf(policy: Policy, payment = 'payment=()'): Record<string, string> {
  return {
    'content-security-policy': Object.entries(policy)
      .map(([name, sources]) => `${name} ${sources.join(' ')}`)
      .join('; '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': `camera=(), geolocation=(), microphone=(), ${payment}, usb=()`,
  }
}
